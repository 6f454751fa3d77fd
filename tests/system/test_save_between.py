"""A domain saved on real Xen 4.17 and restored on Insula, and the other way."""
import os
import pathlib
import re
import sys
import tempfile

import held_memory
import insula
import saved_guest
from harness import OUT, ROOT
from scenarios import scenario
from test_dom0 import ADMIN_ROOT, Admin, end_all, wait_log

sys.path.insert(0, str(ROOT / "image"))
from cpio_archive import Archive  # noqa: E402

OPTIONS = "dom0_mem=640M"
LATER = ("-rtc", "base=2026-01-01T01:00:00,clock=vm")  # the other machine's clock is an hour ahead

# It counts, says the time, looks at a file in its memory, and at what is a warning in the kernel's log.
SCRIPT = """
mount -t tmpfs none /tmp && head -c 3000000 /dev/urandom > /tmp/file; sum=$(sha256sum < /tmp/file); i=0
while :; do i=$((i+1)); echo "SAVE tick $i $(date +%s) $(cut -d' ' -f1 /proc/uptime) $([ "$(sha256sum < /tmp/file)" = "$sum" ] && echo same) $(dmesg -r | grep -c '^<[0-4]>')"; sleep 1; done
"""
LINUX = """name="linux"
type="pvh"
memory=96
vcpus=1
kernel="/guest/vmlinuz"
ramdisk="/run/linux.initrd"
extra="console=hvc0 quiet insula.test=script {words}"
"""


def machine(name: str, folder: str, files: dict[str, bytes], on_xen: bool, profile: str = "deterministic", later: bool = False, words: str = "") -> Admin:
    """With these files in domain 0."""
    archive, path = Archive(), pathlib.Path(folder) / name
    archive.copy(held_memory.PROGRAM, "bin/held")
    for where, content in files.items():
        archive.file(where, content)
    root = ADMIN_ROOT[0].read_bytes()
    path.write_bytes(root + bytes(-len(root) % 4) + archive.newc())  # Linux wants the next one at such an address
    return Admin(f"{name}-{'xen' if on_xen else 'insula'}", profile, *held_memory.MACHINE, *(LATER if later else ()), options=OPTIONS, on_xen=on_xen, words=words, root=(path, ADMIN_ROOT[1]))


def saved(there: Admin, name: str) -> bytes:
    """The stream."""
    return held_memory.take(there, f"xl save {name} /proc/self/fd/1 2>/run/said", 300)


def small_guest_goes_on(on_xen: bool) -> None:
    """A domain of two vCPUs begins on one of them, is saved there, and restored on the other, where it can be saved again."""
    with tempfile.TemporaryDirectory() as folder:
        with machine("save-from", folder, {}, on_xen) as there:
            there.login()
            saved_guest.prepare(there, avx=False)
            saved_guest.create(there, 5)
            stream, rows = saved(there, "saved"), saved_guest.rows(there, avx=False)
            saved_guest.follows(rows)
        with machine("save-to", folder, {"saved": stream}, not on_xen, later=True) as there:
            there.login()
            there.shell("xl restore /saved 2>/run/said", 120)
            saved_guest.wait_tick(there, rows[-1][0] + 6)
            after, now = saved_guest.rows(there, avx=False), int(there.shell("date +%s"))
            # the last lines before it was saved may have stayed in the console's ring, or have been said there
            saved_guest.follows([row for row in rows if row[0] < after[0][0]] + after)
            insula.check(abs(now - after[-1][1]) <= 3, f"its wall clock says {after[-1][1]}, domain 0's {now}")
            there.shell("xl save saved /dev/null 2>/run/said", 240)
            end_all(there)


@scenario(weight=100)
def save_on_xen_restores_on_insula():
    small_guest_goes_on(on_xen=True)


@scenario(weight=100)
def save_on_insula_restores_on_xen():
    """Its vCPUs have not set XCR0, and domain 0 there uses AVX: under QEMU it dies if the stream has an XSAVE record that makes Xen change XCR0 behind its back."""
    small_guest_goes_on(on_xen=False)


def linux_said(there: Admin) -> list[tuple[int, int, float, str, int]]:
    text = there.shell("tr -d '\\r' < /var/log/xen/guest-linux.log | grep '^SAVE tick'")
    rows = re.findall(r"^SAVE tick (\d+) (\d+) ([\d.]+) (\w*) (\d+)$", text, re.M)
    return [(int(tick), int(wall), float(uptime), same, int(warnings)) for tick, wall, uptime, same, warnings in rows]


def linux_goes_on(on_xen: bool) -> None:
    """Debian's kernel on both, on CPUs with the same features. QEMU does not tell Xen that a guest sets XCR0: a guest there must do without, and a domain 0 beside one that does."""
    script = Archive()
    script.file("script", SCRIPT)
    files = {"run/linux.cfg": LINUX.format(words="noxsave" if on_xen else "").encode(), "run/linux.initrd": script.newc() + (OUT / "image" / "initrd").read_bytes()}
    with tempfile.TemporaryDirectory() as folder:
        with machine("linux-from", folder, files, on_xen, "xen") as there:
            there.login()
            there.shell("xl create /run/linux.cfg", 180)
            wait_log(there, "linux", "SAVE tick 2")
            stream, before = saved(there, "linux"), linux_said(there)
        with machine("linux-to", folder, {"saved": stream}, not on_xen, "xen", later=True, words="" if on_xen else "noxsave") as there:
            there.login()
            there.shell("xl restore /saved 2>/run/said", 180)
            wait_log(there, "linux", f"SAVE tick {before[-1][0] + 5}")
            after, now = linux_said(there), int(there.shell("date +%s"))
            rows = [row for row in before if row[0] < after[0][0]] + after
            insula.check([row[0] for row in rows] == list(range(1, len(rows) + 1)), f"it has counted {rows!r}")
            insula.check(all(row[3] == "same" and row[4] == rows[0][4] for row in rows), f"its file, or its kernel's log: {rows!r}")
            insula.check(all(0 < b[2] - a[2] and abs(b[1] - a[1] - (b[2] - a[2])) < 2 for a, b in zip(rows, rows[1:])), f"its clocks: {rows!r}")
            insula.check(abs(now - rows[-1][1]) <= 3, f"its clock says {rows[-1][1]}, domain 0's {now}")
            end_all(there, "linux")


@scenario(weight=140)
def save_linux_on_insula_restores_on_xen():
    linux_goes_on(on_xen=False)


if os.environ.get("STREAMS_LONG"):  # real Xen, emulated, takes its time for a save
    @scenario(weight=240)
    def save_linux_on_xen_restores_on_insula():
        linux_goes_on(on_xen=True)
