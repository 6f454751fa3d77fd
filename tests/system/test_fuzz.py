"""Random use of the kernel (tests/roottask/fuzz): with all invariants checked by a debug kernel, and at full speed by the one that is
shipped. FUZZ_STEPS, FUZZ_SEED and FUZZ_CPUS in the environment make it longer or another one: `make fuzz-long`."""
import os

from harness import OUT, Machine
from scenarios import scenario

TASK = OUT / "tests" / "fuzz_task"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
STEPS = int(os.environ.get("FUZZ_STEPS", "100000"))
CPUS = int(os.environ.get("FUZZ_CPUS", "2"))
CHECKED_STEPS = int(os.environ.get("FUZZ_STEPS", "20000"))  # a walk over the invariants takes about 30,000 instructions


def fuzz(name: str, kernel: str, check: int, steps: int, limit: float) -> None:
    append = f"console=com1 com1=115200,8n1 fuzz.seed={SEED} fuzz.steps={steps} fuzz.check={check}"
    with Machine(name, "parallel", "-smp", str(CPUS), "-m", "256", kernel=OUT / f"kernel-{kernel}" / "insula-kernel", append=append,
                 modules=((TASK, ""),), limit=limit) as machine:
        machine.expect(rf"fuzz: {steps} invocations on \d+ CPUs, seed {SEED}: all is well", wall=limit,
                       never=r"panic: .*|kernel exception.*|failed: .*|The kernel .*")


@scenario(120)
def fuzz_debug():
    fuzz("fuzz_debug", "debug", 1, CHECKED_STEPS, 60 + CHECKED_STEPS / 40)


@scenario(60)
def fuzz_release():
    fuzz("fuzz_release", "release", 0, STEPS, 60 + STEPS / 200)


BREAKS = 10  # CHECK_BREAKS in kernel/debug/check.h


@scenario(30)
def fuzz_self_test():
    """The walk can fail: a debug kernel that broke each of its invariants on purpose stops."""
    for kind in range(BREAKS):
        append = f"console=com1 com1=115200,8n1 fuzz.break={kind}"
        with Machine(f"fuzz_break_{kind}", "parallel", "-m", "256", kernel=OUT / "kernel-debug" / "insula-kernel", append=append,
                     modules=((TASK, ""),), limit=60) as machine:
            machine.expect(r"panic: invariant: .*", wall=60, never=r"fuzz: (nothing to break|the damage was not noticed).*")
