"""Every hypercall of ordinary domains at random, from a kernel of our own (tests/guests/fuzz.c): two domains of two vCPUs that share event channels. They get
errors, or die; nothing else does, and nothing of them is left.

All calls come from seeds, which are printed, on machines whose two CPUs take turns in virtual time. FUZZ_SEED is the first seed, GUEST_FUZZ_CALLS the calls of each first vCPU
in a round, GUEST_FUZZ_ROUNDS the rounds; GUEST_FUZZ_SECONDS makes rounds for that long, with a host thread for each CPU, where chance decides too: `make guest-fuzz-long`."""
import os
import re
import time

import insula
from insula import PAYLOAD, Insula
from scenarios import scenario

SEED = int(os.environ.get("FUZZ_SEED", "1"))
CALLS = int(os.environ.get("GUEST_FUZZ_CALLS", "12000"))
SECONDS = float(os.environ.get("GUEST_FUZZ_SECONDS", "0"))
ROUNDS = int(os.environ.get("GUEST_FUZZ_ROUNDS", "4"))
MACHINE = "parallel" if SECONDS else "deterministic"
# of a server or a vmm; insula.PANIC is the kernel's
BAD = r"page fault at 0x|exception \d+, error|no capability at 0x|unknown system call -?\d|is a server of|its vmm failed|cannot be mapped"
SAID = r"FUZZ calls (\d+) second (\d+) succeeded (\d+) wrong (\d+)"


def seeds():
    """The first of two of each round."""
    seed, end = SEED, time.monotonic() + SECONDS
    while seed < SEED + 2 * ROUNDS or time.monotonic() < end:
        yield seed
        seed += 2


def check_log(text: str, seed: int) -> None:
    bad = re.search(rf"^.*(?:{BAD}).*$", text, re.M)
    insula.check(bad is None, f"seed {seed}: {bad and bad.group(0)!r}")


def report(seed: int, said: list[str]) -> int:
    """How many of the two lived to say what they have done; each of these must be content."""
    print(f"guest fuzz: seeds {seed} and {seed + 1}: {said[0] or 'died'}; {said[1] or 'died'}", flush=True)
    for text in said:
        found = re.search(SAID, text)
        insula.check(not text or (found is not None and found.group(4) == "0"), f"seed {seed}: {text!r}")
    return sum(bool(text) for text in said)


def monitor_round(machine: Insula, number: int, seed: int) -> tuple[int, int]:
    """How many said what they have done, and the next domain's number: domains may have made themselves start again."""
    start, said, ids = len(machine.text), ["", ""], []
    for name, own, other in (("one", 0, 1), ("two", 1, 0)):
        ids.append(machine.created(name, kernel="payload", ramdisk=None, cmdline=f"fuzz_all with={number + other} seed={seed + own} count={CALLS} keep=1", memory=16, vcpus=2).id)
    for i, name in enumerate(("one", "two")):
        if name in machine.list():
            try:
                machine.console(ids[i])
                said[i] = machine.expect(SAID + rf"|domain {ids[i]} \({name}\).*", 120).group(0)
            except insula.Failure:
                # it has made itself wait for ever, or ended meanwhile
                print(f"guest fuzz: seed {seed + i}: silent", flush=True)
        said[i] = said[i] if said[i].startswith("FUZZ") else ""
    for name in ("one", "two"):
        machine.destroy(name)
    check_log(machine.text[start:], seed)
    return report(seed, said), ids[1] + 1


@scenario(60)
def guest_fuzz():
    """Domains that the monitor makes, beside one that watches its memory: to the KiB and the slot, what they had is there again."""
    watch = insula.domain("watch", kernel="payload", ramdisk=None, memory=16)
    with Insula("guest_fuzz", MACHINE, "-smp", "2", options=watch, modules=((PAYLOAD, "name=payload watch"),), limit=1200 + 3 * SECONDS) as machine:
        machine.expect("WATCH 0 changed 0")
        warm = machine.created("warm", kernel="payload", ramdisk=None, cmdline="halt", memory=16, vcpus=2)
        machine.destroy("warm")
        number, spoke, before = warm.id + 1, 0, None
        for seed in seeds():
            lived, number = monitor_round(machine, number, seed)
            spoke += lived
            after = machine.info()
            # the first round's page between the two domains stays for the next
            insula.check(before is None or after == before, f"seed {seed}: {before} became {after}")
            before = after
        insula.check(spoke > 0, "no domain lived to say what it has done")
        start = len(machine.text)
        machine.create("after", kernel="payload", ramdisk=None, cmdline="memory", memory=16)
        machine.wait_gone("after")
        insula.check("(after) powered off" in machine.text[start:], "a domain is not made and ended as before")
        machine.console(machine.list()["watch"].id)
        machine.expect(r"WATCH [1-9]\d* changed \d+\n")
        seen = re.findall(r"WATCH (\d+) changed (\d+)", machine.text)
        insula.check(all(changed == "0" for _, changed in seen), f"the watching domain says {seen[-5:]!r}")
