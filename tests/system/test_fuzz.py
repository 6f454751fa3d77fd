"""Random use of the kernel (tests/roottask/fuzz): with all invariants checked by a debug kernel, and at full speed by the one that is
shipped, both the same to the instruction each time; and by the latter with a host thread for each CPU, where chance decides who is first.
FUZZ_STEPS, FUZZ_SEED and FUZZ_CPUS in the environment make it longer or another one: `make fuzz-long`. With a host thread for each CPU it
is a tenth of the steps: there the pauses between them take the host's time."""
import os

from harness import OUT, Machine
from scenarios import scenario

TASK = OUT / "tests" / "fuzz_task"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
STEPS = int(os.environ.get("FUZZ_STEPS", "0"))  # 0: as many as each scenario says
CPUS = int(os.environ.get("FUZZ_CPUS", "2"))


def fuzz(name: str, machine: str, kernel: str, check: int, steps: int, each: float) -> None:
    """each: seconds that a step may take, many times what it takes on a host that does nothing else."""
    limit = 120 + steps * each
    append = f"console=com1 com1=115200,8n1 fuzz.seed={SEED} fuzz.steps={steps} fuzz.check={check}"
    with Machine(name, machine, "-smp", str(CPUS), "-m", "256", kernel=OUT / f"kernel-{kernel}" / "insula-kernel", append=append,
                 modules=((TASK, ""),), limit=limit) as run:
        run.expect(rf"fuzz: {steps} invocations on {CPUS} CPUs, seed {SEED}: all is well", wall=limit,
                   never=r"panic: .*|kernel exception.*|failed: .*|The kernel .*")


@scenario(25)
def fuzz_debug():
    fuzz("fuzz_debug", "deterministic", "debug", 1, STEPS or 20000, 0.01)


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
