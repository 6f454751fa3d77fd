"""Random use of the kernel (tests/roottask/fuzz): with all invariants checked by a debug kernel, and at full speed by the one that is
shipped, both the same to the instruction each time; and by the latter with a host thread for each CPU, where chance decides who is first.
FUZZ_STEPS, FUZZ_SEED and FUZZ_CPUS in the environment make it longer or another one: `make fuzz-long`. With a host thread for each CPU it
is a tenth of the steps: there the pauses between them take the host's time."""
import os
import re

from harness import OUT, ROOT, Failure, Machine
from scenarios import scenario

TASK = OUT / "tests" / "fuzz_task"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
STEPS = int(os.environ.get("FUZZ_STEPS", "0"))  # 0: as many as each scenario says
CPUS = int(os.environ.get("FUZZ_CPUS", "2"))


# No random invocation can succeed with these (docs/testing.md says why).
NEVER = {
    "IRQIssueIRQHandler", "X86IRQIssueIRQHandlerIOAPIC", "X86IRQIssueIRQHandlerMSI", "X86IOPortControlIssue",
    "X86IOPageTableMap", "X86PageMapIO", "InsulaSchedControlLockCount",
}


def labels() -> dict[int, str]:
    """All invocations that there are, of the headers."""
    found = {}
    for path, begin in (("abi/sel4/constants.h", "enum sel4_label {"), ("abi/insula/ext.h", "enum insula_label {")):
        text = (ROOT / path).read_text().split(begin, 1)[1].split("}", 1)[0]
        found.update((int(number, 0), name) for name, number in re.findall(r"^\t(\w+) = (\w+),", text, re.M))
    return {number: name for number, name in found.items() if name != "seL4_NumInvocationLabels"}


def check_successes(said: str) -> None:
    """Which labels have succeeded at random: all that can."""
    times = {int(label): int(n) for label, n in re.findall(r"^fuzz: label (\d+) succeeded (\d+) times", said, re.M)}
    never = {name for number, name in labels().items() if not times[number]}
    least = sorted((times[number], name) for number, name in labels().items() if times[number])
    print(f"     {len(least)} labels succeeded, the rarest {least[0][0]} times ({least[0][1]}); never: {', '.join(sorted(never))}", flush=True)
    if never != NEVER:
        raise Failure(f"never succeeded, but can: {sorted(never - NEVER)}; succeeded, but cannot: {sorted(NEVER - never)}")


def fuzz(name: str, machine: str, kernel: str, check: int, steps: int, each: float, labels_wanted: bool = False) -> None:
    """each: seconds that a step may take, many times what it takes on a host that does nothing else."""
    limit = 120 + steps * each
    append = f"console=com1 com1=115200,8n1 fuzz.seed={SEED} fuzz.steps={steps} fuzz.check={check} fuzz.count={int(kernel == 'debug')}"
    with Machine(name, machine, "-smp", str(CPUS), "-m", "256", kernel=OUT / f"kernel-{kernel}" / "insula-kernel", append=append,
                 modules=((TASK, ""),), limit=limit) as run:
        run.expect(rf"fuzz: {steps} invocations on {CPUS} CPUs, seed {SEED}: all is well", wall=limit,
                   never=r"(?:panic: |kernel exception|failed: |The kernel )[^\n]*\n")
        if labels_wanted:
            check_successes(run.text)


@scenario(25)
def fuzz_debug():
    fuzz("fuzz_debug", "deterministic", "debug", 1, STEPS or 20000, 0.01)


@scenario(25)
def fuzz_labels():
    """Random invocations succeed with every label with which they can. A walk now and then: here it is the number of steps that counts."""
    fuzz("fuzz_labels", "deterministic", "debug", 1000, 60000, 0.002, labels_wanted=True)


@scenario(15)
def fuzz_release():
    fuzz("fuzz_release", "deterministic", "release", 0, STEPS or 100000, 0.002)


@scenario(30)
def fuzz_parallel():
    fuzz("fuzz_parallel", "parallel", "release", 0, STEPS // 10 or 10000, 0.05)


BREAKS = 11  # CHECK_BREAKS in kernel/debug/check.h


@scenario(30)
def fuzz_self_test():
    """The walk can fail: a debug kernel that broke each of its invariants on purpose stops."""
    for kind in range(BREAKS):
        append = f"console=com1 com1=115200,8n1 fuzz.break={kind}"
        with Machine(f"fuzz_break_{kind}", "parallel", "-m", "256", kernel=OUT / "kernel-debug" / "insula-kernel", append=append,
                     modules=((TASK, ""),), limit=60) as machine:
            machine.expect(r"panic: invariant: .*", wall=60, never=r"fuzz: (nothing to break|the damage was not noticed).*")
