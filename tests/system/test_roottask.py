"""The kernel alone, with root tasks that know only seL4's ABI: each ends with a line of its own verdict."""
import re

from harness import OUT, Machine
from insula import KERNEL_ALONE, check
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
roottask("vcpu", TASKS / "vcpu", r"vcpu: .*all passed|vcpu: all|, 0 failed", r"FAILED|not ok|panic:", machine="deterministic")
roottask("ext", OUT / "tests" / "ext_task", r"\d+ cases, 0 not ok", r"\d+ cases, [1-9]\d* not ok|panic:", machine="deterministic")
CONFORMANCE = OUT / "tests" / "conformance_task"
KERNEL_DEBUG = OUT / "kernel-debug" / "insula-kernel"
CONFORMANCE_LAST = r"^conformance: (\d+) cases, (\d+) failed\nDONE$"


def conformance_verdict(machine, build: str, nodes: int, at_least: int) -> None:
    """What the suite says at its end, whatever it runs in."""
    cases, failed = map(int, machine.expect(CONFORMANCE_LAST, 280, never=r"panic:.*|^failed: .*").groups())
    first = re.search(r"^FAIL .*", machine.text, re.M)
    check(failed == 0 and first is None, f"{failed} of {cases} failed; first: {first.group(0) if first else '-'}")
    check(cases >= at_least, f"only {cases} cases")
    check(f"conformance: the kernel is a {build} build" in machine.text, f"not a {build} build")
    check(f"conformance: {nodes} nodes\n" in machine.text, f"not {nodes} nodes")


def conformance(name: str, build: str = "release", append: str = "", nodes: int = 1, at_least: int = 2270) -> None:
    """The API case by case, on the machine where every run is the same."""
    def run():
        kernel = KERNEL_DEBUG if build == "debug" else KERNEL_ALONE
        with Machine(run.__name__, "deterministic", "-smp", str(nodes), "-device", "edu", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                     kernel=kernel, append=append, modules=((CONFORMANCE, ""),), limit=300) as machine:
            conformance_verdict(machine, build, nodes, at_least)
            check(machine.process.wait(30) == 1, f"the machine's status is {machine.process.returncode}")
    run.__name__ = f"roottask_{name}"
    scenario(30)(run)


conformance("conformance")
conformance("conformance_split", append="xpti=on")
conformance("conformance_debug", build="debug", append="xpti=off")
conformance("conformance_2cpus", nodes=2, append="xpti=on", at_least=2330)
conformance("conformance_8cpus", nodes=8, at_least=2365)
conformance("conformance_debug_8cpus", build="debug", nodes=8, at_least=2365)
