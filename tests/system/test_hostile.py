"""Hostile guests: each dies or gets an error; the monitor answers, and a second domain's work goes on at its share.

In virtual time, so that a share is a share whatever else the host does.
"""
from insula import INIT, INITRD, TEST_PAYLOAD, VMLINUX, Insula, check, domain
from scenarios import scenario

SPIN = (VMLINUX[0], VMLINUX[1] + " insula.test=spin")
FAIR = 0.45  # of the work done alone, when one other domain competes: half, less what that one costs the hypervisor
WATCH = 4.0  # seconds of machine time


def rate(insula: Insula, number: int) -> float:
    """Work a second of the domain, by the machine's clock."""
    insula.console(number)
    old, start = insula.fresh_report()
    new, now = old, start
    while now < start + WATCH:
        new, now = insula.fresh_report()
    return (new.work - old.work) / (now - start)


def attack(name: str, cmdline: str, dies: bool | None, seeds: int = 1, memory: int = 32, machine: str = "deterministic") -> None:
    """dies: True it must be gone by itself, False it must live until it is destroyed, None either."""
    with Insula(name, machine, options=domain("debian"), modules=(SPIN, INITRD, TEST_PAYLOAD), limit=1800) as insula:
        insula.expect(INIT)
        victim = insula.list()["debian"].id
        alone = rate(insula, victim)
        insula.created("warm", kernel="payload", ramdisk=None, cmdline="halt", memory=memory)
        insula.destroy("warm")
        before = insula.info()
        for seed in range(1, seeds + 1):
            answer = insula.create("hostile", kernel="payload", ramdisk=None, cmdline=f"{cmdline} seed={seed}", memory=memory)
            share = rate(insula, victim) / alone
            # shares are asserted in virtual time only
            check(share >= FAIR or machine != "deterministic", f"the other domain fell to {share:.0%} of its work ({answer[:80]})")
            if dies:
                insula.wait_gone("hostile")
            elif dies is False:
                check("hostile" in insula.list(), "it is gone")
            insula.destroy("hostile")
            after = insula.info()
            check(after == before, f"{before} became {after}")
        insula.console(victim)
        insula.fresh_report()


def hostile(name: str, cmdline: str, dies: bool | None, seeds: int = 1, weight: float = 60,
            machine: str = "deterministic") -> None:
    def run():
        attack(run.__name__, cmdline, dies, seeds, machine=machine)
    run.__name__ = f"hostile_{name}"
    scenario(weight * (1 + seeds / 4))(run)


hostile("triple_fault", "triple_fault", True)
hostile("jump_into_nothing", "jump_nowhere", True)
hostile("jump_to_the_end_of_memory", "jump_ram_end", None)
hostile("writes_hypercall_page", "write_hypercall_page", None)
hostile("random_hypercalls", "hypercalls", None, seeds=8)
hostile("every_hypercall_number", "numbers", True)
hostile("console_flood", "flood", False)
hostile("console_ring_indices", "console_ring", None, seeds=2)
hostile("spins_with_interrupts_off", "spin", False)
# QEMU 7.2 stops its virtual clock when a guest loops on PAUSE with interrupts off, under real Xen too
hostile("pauses_with_interrupts_off", "pause", False, machine="parallel")
hostile("event_storm", "events", False)
hostile("timers", "timers", None)
hostile("nmi_and_init_to_itself", "ipis", None)
hostile("registers_and_ports", "registers", None, seeds=2)


@scenario(60)
def hostile_linux_flood():
    """A whole Debian that writes to its console without end."""
    with Insula("hostile_linux_flood", "deterministic", options=domain("debian"), modules=(SPIN, INITRD), limit=1200) as insula:
        insula.expect(INIT)
        victim = insula.list()["debian"].id
        alone = rate(insula, victim)
        insula.created("flood", cmdline="console=hvc0 quiet insula.test=flood", memory=128)
        share = rate(insula, victim) / alone
        check(share >= FAIR, f"the other domain fell to {share:.0%} of its work")
        insula.destroy("flood")
