"""The kernel alone, with root tasks that know only seL4's ABI: each ends with a line of its own verdict."""
from harness import OUT, Machine
from insula import KERNEL_ALONE
from scenarios import scenario

TASKS = OUT / "roottask"


def roottask(name: str, program, good: str, bad: str, append: str = "") -> None:
    def run():
        with Machine(run.__name__, "parallel", kernel=KERNEL_ALONE, append=append, modules=((program, ""),), limit=300) as machine:
            machine.expect(good, never=bad)
    run.__name__ = f"roottask_{name}"
    scenario(20)(run)


roottask("hello", TASKS / "hello", r"hello: all is well", r"hello: FAILED|kernel panic|panic:")
roottask("entry", TASKS / "entry", r"entry: all passed", r"entry: \d+ failed|panic:")
roottask("vcpu", TASKS / "vcpu", r"vcpu: .*all passed|vcpu: all|, 0 failed", r"FAILED|not ok|panic:")
roottask("conformance", OUT / "tests" / "conformance_task", r"\d+ cases, 0 not ok", r"\d+ cases, [1-9]\d* not ok|panic:")
