"""Two domains with more vCPUs than the machine has CPUs work at many things at once (image/initramfs/guest_mixed.c), and neither
kernel has a complaint in its log. `make soak` is ten minutes of the machine's time (INSULA_SOAK_SECONDS)."""
import os
import re

from insula import INIT, INITRD, VMLINUX, Insula, check, domain
from scenarios import scenario

SOAK_SECONDS = int(os.environ.get("INSULA_SOAK_SECONDS", "0"))
SHORT_SECONDS = 20
VCPUS = 4
COUNTS = re.compile(r"INSULA-GUEST: mixed done seconds=(\d+) forks=(\d+) pages=(\d+) timers=(\d+) ipis=(\d+) late_ms=(\d+) wrong=(\d+)")
CLOCK = re.compile(r"INSULA-GUEST: clock interrupts=(\d+) retries=(\d+) hangs=(\d+)\n")  # retries: the next event was past when one was done
LEAST = {"forks": 1, "pages": 500, "timers": 5, "ipis": 20}  # a second, of each domain; about a fourth of what they do
TROUBLE = r"mixed wrong: .*"
ALARM = r"(?i)WARNING: CPU|BUG:|soft lockup|hard lockup|rcu.*(stall|starved)|unstable|blocked for more than|Oops|Call Trace|general protection|segfault"

# The length of an interrupt by the guest's clock, which in these machines is the host's: it tells how busy the host was.
HOST = r"hrtimer: interrupt took \d+ ns"


def complaints(lines: list[str], init: float) -> list[str]:
    """What a PVH kernel says while it finds its machine is no complaint, unless it is an alarm; from its init on all is."""
    times = [(float(match.group(1)) if (match := re.match(r"<\d>\[ *([\d.]+)\]", line)) else init, line) for line in lines]
    return [line for time, line in times if re.search(ALARM, line) or (time >= init and not re.search(HOST, line))]


def complaints_of(insula: Insula, number: int, seconds: int) -> list[str]:
    """What a domain's kernel has to complain of, when its load has ended well."""
    insula.console(number)
    wall = 300 + seconds * 10
    clock = CLOCK.search(insula.expect(CLOCK.pattern, wall, never=TROUBLE, virtual=seconds * 2 + 60).group(0))
    print(f"     domain {number}: clock interrupts {clock.group(1)}, retries {clock.group(2)}, hangs {clock.group(3)}", flush=True)
    found = COUNTS.search(insula.expect(COUNTS.pattern + r"\n", wall, never=TROUBLE, virtual=seconds * 2 + 60).group(0))
    names = ("seconds", "forks", "pages", "timers", "ipis", "late_ms", "wrong")
    counts = dict(zip(names, map(int, found.groups())))
    print(f"     domain {number}: {counts}", flush=True)
    check(counts["wrong"] == 0, f"domain {number}: {counts}")
    for name, least in LEAST.items():
        check(counts[name] >= least * seconds, f"domain {number} did little: {counts}")
    init = float(insula.expect(r"INSULA-GUEST: log of \d{2,} lines, init at ([\d.]+)\n", 60).group(1))
    start = insula.seen
    insula.expect(r"INSULA-GUEST: log ends", 60)
    return complaints([line for line in insula.text[start:insula.seen].splitlines() if line.startswith("<")], init)


def soak(name: str, seconds: int) -> None:
    load = (VMLINUX[0], f"{VMLINUX[1]} insula.test=mixed insula.seconds={seconds}")
    with Insula(name, "soak", "-smp", "2", "-m", "1024", options=domain("debian", vcpus=VCPUS), modules=(load, INITRD),
                limit=900 + seconds * 20) as insula:
        insula.expect(INIT, 600)
        other = insula.created("other", cmdline=f"console=hvc0 quiet insula.test=mixed insula.seconds={seconds}", memory=256, vcpus=VCPUS,
                               wall=300)
        rows = insula.list()
        check(all(row.vcpus == VCPUS and row.cpus == "0-1" for row in rows.values()), f"not {VCPUS} vCPUs each, on both CPUs: {rows}")
        for number in (rows["debian"].id, other.id):
            bad = complaints_of(insula, number, seconds)
            check(not bad, f"domain {number}'s kernel log: {bad[:5]}")
        check(not re.search(ALARM, insula.text), "an alarm on a console")


@scenario(120)
def smp_soak():
    soak("smp_soak", SHORT_SECONDS)


if SOAK_SECONDS:
    @scenario(3000)
    def soak_long():
        soak("soak_long", SOAK_SECONDS)
