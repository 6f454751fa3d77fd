"""What a guest gets that calls the domain manager, which is above all vmms, without a pause."""
import insula
from insula import check
from scenarios import scenario
from test_dom0_cpu import SHARE_LINE

WATCH = 1.0  # seconds of machine time
HALF = 0.35  # of the calls alone, at least: the domain manager works for it in the other's time too, and more than twice the switches cost
CALLS_LINE = r"CALLS at (\d+) done (\d+)\s"


def work(machine: insula.Insula, number: int, line: str = SHARE_LINE) -> float:
    """What a domain works in a second."""
    machine.console(number)
    first = last = None
    while not first or last[0] - first[0] < WATCH * 1e9:
        before = machine.virtual_time()
        last = [int(n) for n in machine.expect(line, 240).groups()]
        # what the console remembers comes in one go
        first = first or (last if machine.virtual_time() - before > 0.1 else None)
    return (last[1] - first[1]) / (last[0] - first[0]) * 1e9


@scenario(30)
def server_calls():
    """A domain that calls the domain manager all the time has its part of a CPU beside one that computes: a call does not cost it the other's slice."""
    first = insula.domain("calls", kernel="payload", ramdisk=None, memory=8)
    with insula.Insula("server_calls", "soak", "-m", "512", options=first, modules=((insula.PAYLOAD, "name=payload calls"),)) as machine:
        machine.expect(CALLS_LINE)
        caller = machine.list()["calls"]
        alone = work(machine, caller.id, CALLS_LINE)
        machine.create("computes", kernel="payload", ramdisk=None, cmdline="share", memory=8)
        beside = work(machine, caller.id, CALLS_LINE)
        print(f"server_calls: {alone:.0f} a second alone, {beside / alone:.1%} of that beside one that computes", flush=True)
        check(beside >= HALF * alone, f"it has {beside / alone:.1%} of its calls")
