"""The kernel alone, with root tasks that know only seL4's ABI: each ends with a line of its own verdict."""
from harness import OUT, Machine
from insula import KERNEL_ALONE
from scenarios import scenario

TASKS = OUT / "roottask"


def roottask(name: str, program, good: str, bad: str, append: str = "", first: str = "", machine: str = "parallel",
             arguments: tuple[str, ...] = ()) -> None:
    """first: what the kernel must say before."""
    def run():
        with Machine(run.__name__, machine, *arguments, kernel=KERNEL_ALONE, append=append, modules=((program, ""),), limit=300) as m:
            m.expect(first, never=bad)
            m.expect(good, never=bad)
    run.__name__ = f"roottask_{name}"
    scenario(20)(run)


roottask("hello", TASKS / "hello", r"hello: all is well", r"hello: FAILED|kernel panic|panic:")
roottask("entry", TASKS / "entry", r"entry: all passed", r"entry: \d+ failed|panic:", machine="deterministic")
roottask("vcpu", TASKS / "vcpu", r"vcpu: .*all passed|vcpu: all|, 0 failed", r"FAILED|not ok|panic:")
roottask("ext", OUT / "tests" / "ext_task", r"\d+ cases, 0 not ok", r"\d+ cases, [1-9]\d* not ok|panic:")
roottask("conformance", OUT / "tests" / "conformance_task", r"\d+ cases, 0 not ok", r"\d+ cases, [1-9]\d* not ok|panic:")
