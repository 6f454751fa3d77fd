"""The domain whose payload says what a restored domain must still have (tests/guests/saved.c), in domain 0."""
import re

import insula
from test_dom0 import Admin, guest, wait_log

LINE = r"^SAVED tick (\d+) wall (\d+) tsc (\d+) cpu1 (\d+) wrong (\d+) (\d+) (?:avx|sse)$"


def prepare(machine: Admin, avx: bool) -> None:
    """avx: not on Xen. QEMU's SVM does not tell Xen that a guest writes XCR0, so Xen does not save what belongs to it."""
    guest(machine, "saved", "/guest/payload", 16, f"saved avx={int(avx)}")
    machine.shell("sed -i s/vcpus=1/vcpus=2/ /run/saved.cfg")


def create(machine: Admin, number: int) -> None:
    machine.shell("rm -f /var/log/xen/guest-saved.log; xl create /run/saved.cfg", 120)
    wait_tick(machine, number)


def wait_tick(machine: Admin, number: int) -> None:
    wait_log(machine, "saved", f"SAVED tick {number} ")


def rows(machine: Admin, avx: bool) -> list[tuple[int, ...]]:
    """What it has said, each line of it right."""
    text = machine.shell(f"tr -d '\\r' < /var/log/xen/guest-saved.log | grep '^SAVED tick .* {'avx' if avx else 'sse'}$'")
    found = [tuple(int(word) for word in row) for row in re.findall(LINE, text, re.M)]
    insula.check(len(found) == len(text.splitlines()) and all(row[4:] == (0, 0) for row in found), f"it says {text!r}")
    return found


def follows(said: list[tuple[int, ...]]) -> None:
    """It has counted without a gap, and its clock and both timers go on as if nothing had been; the time-stamp counter goes on while a save lasts, on Xen 11 s."""
    for a, b in zip(said, said[1:]):
        insula.check(b[0] == a[0] + 1 and a[2] < b[2] < a[2] + 60e9 and a[3] < b[3] < a[3] + 50, f"it says {said!r}")
