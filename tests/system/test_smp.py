"""Many CPUs: the kernel with its own root task, on emulators that run one CPU after the other (each run the same) and all at once."""
from harness import OUT, Machine
from insula import KERNEL_ALONE, OPTIONS, PAYLOAD, Insula, check, domain
from scenarios import scenario

TASK = OUT / "tests" / "smp_task"
BAD = r"not ok .*|panic:.*|no handler"


def cases(cpus: int, machine: str, options: str = "", weight: float = 60):
    def run():
        with Machine(run.__name__, machine, "-smp", str(cpus), "-m", "512", kernel=KERNEL_ALONE, append=f"{OPTIONS} {options}", modules=((TASK, ""),),
                     limit=900) as m:
            m.expect(rf"smp: {cpus} CPUs, \d+ cases, 0 not ok", wall=800, never=BAD)
    run.__name__ = f"smp_cases_{machine}_{cpus}"
    scenario(weight)(run)


for n in (1, 2, 4):
    cases(n, "deterministic", "rounds=1000 by-turns=1", 30 * n)
cases(8, "deterministic", "rounds=200 by-turns=1", 200)
# On a busy host an answer of the other CPU takes up to a second there: the repetitions are for the deterministic machine.
cases(2, "parallel", "rounds=60 times=5", 60)


def guests(name: str, machine: str, kernel: str, options: str, weight: float):
    def run():
        with Machine(run.__name__, machine, "-smp", "2", "-m", "512", kernel=OUT / f"kernel-{kernel}" / "insula-kernel",
                     append=f"{OPTIONS} guests-only=1 {options}", modules=((TASK, ""),), limit=900) as m:
            m.expect(r"smp: 2 CPUs, \d+ cases, 0 not ok", wall=800, never=BAD)
    run.__name__ = f"smp_guests_{name}"
    scenario(weight)(run)


# Guests that are taken apart while they run, and with a debug kernel that walks its invariants meanwhile. With a host thread for each CPU QEMU 7.2 may lose a
# page-table entry at the first access after VMRUN (SUPPORT.md): smp_cases_parallel_2 has a short run of it, a long one is not asked of CI.
guests("release", "deterministic", "release", "rounds=2000 by-turns=1", 40)
guests("debug", "deterministic", "debug", "rounds=500 walk=10 by-turns=1", 40)


def boot(name: str, cpus: int, running: int, options: str, line: str, machine: str = "parallel"):
    def run():
        with Machine(run.__name__, machine, "-smp", str(cpus), kernel=KERNEL_ALONE, append=f"{OPTIONS} boot-only=1 {options}",
                     modules=((TASK, ""),), limit=300) as m:
            m.expect(line, wall=250, never=r"panic:")
            m.expect(rf"smp: {running} CPUs, \d+ cases, 0 not ok", wall=250, never=BAD)
    run.__name__ = f"smp_boot_{name}"
    scenario(20)(run)


boot("64", 64, 64, "", r"CPUs: 64 of 64 run", "deterministic")
boot("maxcpus", 4, 2, "maxcpus=2", r"CPUs: 2 left out, being more than wanted")
boot("nosmp", 2, 1, "nosmp", r"CPUs: 1 left out, being more than wanted")


@scenario(20)
def smp_placement():
    """vCPUs go to the least loaded of all CPUs, and some move when a domain has ended."""
    with Insula("smp_placement", "deterministic", "-smp", "8", "-m", "512", options=domain("first", "payload", None, 16, 3),
                modules=((PAYLOAD, "name=payload halt"),)) as insula:
        words = {"kernel": "payload", "ramdisk": None, "cmdline": "halt", "memory": 16}
        insula.created("second", vcpus=4, **words)
        cpus = {name: row.cpus for name, row in insula.list().items()}
        check(cpus == {"first": "1-3", "second": "4-7"}, f"{cpus}")
        insula.destroy("first")
        insula.created("third", vcpus=5, **words)
        check(insula.list()["third"].cpus == "0-3", f"{insula.list()}")
        insula.destroy("second")
        check(insula.list()["third"].cpus == "0-4", f"{insula.list()}")
