"""CPU time and clocks, in the emulator's deterministic mode, against the machine's own clock."""
from insula import INIT, INITRD, VMLINUX, Insula, Report, check, domain
from scenarios import scenario

SPIN = (VMLINUX[0], VMLINUX[1] + " insula.test=spin")
MINUTE = 60.0
SHARE_TOLERANCE = 0.10
CLOCK_TOLERANCE = 0.001


def sample(insula: Insula, number: int) -> tuple[float, Report]:
    """A guest's report, and the machine's time when it came."""
    insula.console(number)
    report, now = insula.fresh_report()
    return now, report


@scenario(400)
def time_two_domains_beside_the_first():
    with Insula("time_two_domains_beside_the_first", "deterministic", options=domain("debian"), modules=(SPIN, INITRD),
                limit=2400) as insula:
        insula.expect(INIT)
        for name in ("one", "two"):
            insula.created(name, cmdline="console=hvc0 quiet insula.test=spin", memory=128)
        rows = insula.list()
        first = {name: sample(insula, row.id) for name, row in rows.items()}
        before, start = insula.list(), insula.qmp.virtual_time()
        while insula.qmp.virtual_time() < start + MINUTE:
            insula.pump(0.5)
        after = insula.list()
        second = {name: sample(insula, row.id) for name, row in rows.items()}
        used = {name: after[name].cpu_seconds - before[name].cpu_seconds for name in rows}
        even = sum(used.values()) / len(used)
        check(even > MINUTE / 3 * 0.8, f"the domains got only {sum(used.values()):.1f} of {MINUTE:g} s")
        for name in rows:
            check(abs(used[name] - even) <= SHARE_TOLERANCE * even, f"CPU seconds are not shared evenly: {used}")
        rate = {}
        for name in rows:
            (then, old), (now, new) = first[name], second[name]
            passed = now - then
            for clock in ("mono", "real"):
                drift = (getattr(new, clock) - getattr(old, clock) - passed) / passed
                check(abs(drift) <= CLOCK_TOLERANCE, f"{name}'s clock {clock} is off by {drift:.3%} over {passed:.1f} s")
            rate[name] = (new.work - old.work) / passed
        even = sum(rate.values()) / len(rate)
        for name in rows:
            check(abs(rate[name] - even) <= SHARE_TOLERANCE * even, f"work done a second is uneven: {rate}")


@scenario(60)
def time_idle_clock():
    """A guest that sleeps wakes on time, and costs nothing."""
    with Insula("time_idle_clock", "deterministic", options=domain("debian"),
                modules=((VMLINUX[0], VMLINUX[1] + " insula.test=clock"), INITRD)) as insula:
        insula.expect(INIT)
        before = insula.list()["debian"]
        insula.leave()
        old, _ = insula.fresh_report()
        for _ in range(30):
            new = insula.report()
        after = insula.list()["debian"]
        slept = (new.mono - old.mono) / (new.work - old.work)
        check(1 <= slept < 1.01, f"a second's sleep takes {slept:.4f} s")
        check(after.cpu_seconds - before.cpu_seconds < 0.5, f"sleeping cost {after.cpu_seconds - before.cpu_seconds} s")
