"""What a guest has the servers do is not time that others lose: the domain manager is above all vmms."""
import insula
from insula import check
from scenarios import scenario
from test_dom0_cpu import SHARE_LINE

WATCH = 1.0  # seconds of machine time
HALF = 0.35  # of the calls alone, at least: the domain manager works for it in the other's time too, and more than twice the switches cost
OTHERS = 12
LEAST = 0.25  # of the work of a domain that has its CPU alone: the domain manager may have 60 % of it, and here one CPU runs while the other does not
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
def server_time():
    """Domains of the first CPU have pages copied without end; one works on the second, where the domain manager copies."""
    first = insula.domain("idle", kernel="payload", ramdisk=None, memory=8)
    with insula.Insula("server_time", "soak", "-m", "768", "-smp", "2", options=first, modules=((insula.PAYLOAD, "name=payload halt"),)) as machine:
        machine.expect("PAYLOAD start halt")
        words = {"kernel": "payload", "ramdisk": None, "memory": 8}
        # those that sleep are there for the others' place
        machine.create("sleeps", cmdline="halt", **words)
        victim = machine.created("works", cmdline="share", **words)
        alone = work(machine, victim.id)
        for i in range(OTHERS):
            machine.create(f"copies{i}", cmdline="copies", **words)
            machine.create(f"sleeps{i}", cmdline="halt", **words)
        rows = machine.list()
        check(rows["works"].cpus == "1" and all(rows[f"copies{i}"].cpus == "0" for i in range(OTHERS)), f"they are elsewhere: {rows}")
        share = work(machine, victim.id) / alone
        print(f"server_time: {share:.1%} of its work", flush=True)
        check(all(f"copies{i}" in machine.list() for i in range(OTHERS)), "one that copies has ended")
        check(share >= LEAST, f"a domain that works has {share:.1%} of what it has alone")


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
