"""What a guest gets that calls the domain manager, which is above all vmms, without a pause."""
import insula
from insula import check
from scenarios import scenario
from test_dom0_cpu import SHARE_LINE

WATCH = 1.0  # seconds of machine time
TOLERANCE = 0.05  # of a part; calls cost more or less as the other comes between them: of these
CALLS_TOLERANCE = 0.15
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
    """A domain that calls the domain manager all the time has its part of a CPU beside one that computes, and no more: a call does not cost it the
    other's slice, and what the domain manager does for it is its own time."""
    first = insula.domain("calls", kernel="payload", ramdisk=None, memory=8)
    with insula.Insula("server_calls", "soak", "-m", "512", options=first, modules=((insula.PAYLOAD, "name=payload calls"),)) as machine:
        machine.expect(CALLS_LINE)
        caller = machine.list()["calls"]
        alone = work(machine, caller.id, CALLS_LINE)
        machine.create("computes", kernel="payload", ramdisk=None, cmdline="share", memory=8)
        beside = work(machine, caller.id, CALLS_LINE)
        print(f"server_calls: {alone:.0f} a second alone, {beside / alone:.1%} of that beside one that computes", flush=True)
        check(abs(beside / alone - 0.5) <= CALLS_TOLERANCE * 0.5, f"it has {beside / alone:.1%} of its calls")


@scenario(40)
def server_copies():
    """Domains that have pages copied without end leave one that computes on the same CPU its part: the copying is their time, and is told as theirs."""
    def parts(*names: str) -> dict[str, float]:
        before, start = machine.list(), machine.virtual_time()
        while machine.virtual_time() < start + 3 * WATCH:
            machine.pump(0.05)
        after, passed = machine.list(), machine.virtual_time() - start
        found = {name: (after[name].cpu_seconds - before[name].cpu_seconds) / passed for name in names}
        print("server_copies: " + ", ".join(f"{name} {part:.1%}" for name, part in found.items()), flush=True)
        return found

    first = insula.domain("computes", kernel="payload", ramdisk=None, memory=8)
    with insula.Insula("server_copies", "soak", "-m", "512", options=first, modules=((insula.PAYLOAD, "name=payload share"),)) as machine:
        machine.expect(SHARE_LINE)
        computer = machine.list()["computes"].id
        alone, names = work(machine, computer), ["computes"]
        for more in (1, 2):
            for _ in range(more):
                names.append(f"copies{len(names)}")
                machine.created(names[-1], kernel="payload", ramdisk=None, cmdline="copies", memory=8)
            got = work(machine, computer) / alone
            check(abs(got * len(names) - 1) <= TOLERANCE, f"beside {len(names) - 1} that have pages copied it does {got:.1%} of its work")
            for name, part in parts(*names).items():
                check(abs(part * len(names) - 1) <= TOLERANCE, f"{name} has {part:.1%} of the CPU")
