"""What the CPU has is used, what it lacks is done without: the same files on CPUs and machines that differ."""
from harness import Machine
from insula import INIT, KERNEL_ALONE, OPTIONS, Insula, domain
from scenarios import scenario
from test_roottask import TASKS

EPYC = "EPYC,+svm,+npt,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,-nrip-save,-xsavec"


def features(name: str, cpu: str, line: str, arguments: tuple[str, ...] = (), debian: bool = True) -> None:
    """The kernel says `line`; its entry paths and vCPUs pass their cases; Debian boots as a domain."""
    def run():
        for task, good in (("entry", r"entry: all passed"), ("vcpu", r"vcpu: all \d+ cases passed")):
            if task == "vcpu" and not debian:
                continue
            with Machine(f"{run.__name__}-{task}", "deterministic", "-cpu", cpu, *arguments, kernel=KERNEL_ALONE, append=OPTIONS,
                         modules=((TASKS / task, ""),), limit=300) as machine:
                machine.expect(line, never=r"panic:.*")
                machine.expect(good, never=r"FAIL.*|not ok .*|\d+ failed|panic:.*")
        if debian:
            with Insula(f"{run.__name__}-debian", "parallel", "-cpu", cpu, *arguments, options=domain("debian", memory=128)) as insula:
                insula.expect(INIT, 200)
                insula.expect("login: ", 120)
    run.__name__ = f"features_{name}"
    scenario(30)(run)


# the oldest that has nested paging: no 1 GiB pages, no XSAVE, no FSGSBASE, no SMEP, SMAP or UMIP
features("old", "Opteron_G3,+svm,+npt", r"^Features: (?!.*\b(smep|smap|umip|fsgsbase|xsave|1gib))nx .*fxsave svm npt")
features("no_xsave", f"{EPYC},-xsave,-xsaveopt,-avx,-avx2,-f16c,-fma", r"^Features: (?!.*\bxsave).*\bfxsave svm npt")
features("no_1gib_pages", f"{EPYC},-pdpe1gb", r"^Features: (?!.*1gib-pages).*\bsvm npt")
features("no_supervisor_guards", f"{EPYC},-smep,-smap,-umip,-fsgsbase", r"^Features: (?!.*(smep|smap|umip|fsgsbase)).*\bsvm npt")
features("umip", f"{EPYC},+umip,+smap", r"^Features: .*\bsmap umip\b.*\bsvm npt")
features("no_hpet", EPYC, r"^Time: TSC \S+ MHz by (?!HPET)", ("-machine", "hpet=off"))
features("no_svm", "EPYC,-svm", r"^Virtualization: none", debian=False)


@scenario(5)
def features_no_nx_is_refused():
    """The one feature, beside long mode, that the kernel does not do without."""
    with Machine("features_no_nx_is_refused", "parallel", "-cpu", f"{EPYC},-nx", kernel=KERNEL_ALONE, append=OPTIONS,
                 modules=((TASKS / "entry", ""),), limit=60) as machine:
        machine.expect(r"^Insula: .*\(no NX\)$", 30, never=r"^ok .*|entry: .*")
