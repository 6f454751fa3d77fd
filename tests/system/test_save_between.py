"""A domain saved on real Xen 4.17 and restored on Insula, and the other way."""
import os
import pathlib
import sys
import tempfile

import held_memory
import insula
import saved_guest
import test_save_restore as devices
from harness import ROOT
from scenarios import scenario
from test_dom0 import ADMIN_ROOT, Admin, end_all

sys.path.insert(0, str(ROOT / "image"))
from cpio_archive import Archive  # noqa: E402

OPTIONS = "dom0_mem=640M"
LATER = ("-rtc", "base=2026-01-01T01:00:00,clock=vm")  # the other machine's clock is an hour ahead


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


def linux_goes_on(on_xen: bool) -> None:
    """Debian's kernel with two vCPUs, a disk and a network interface on both, on CPUs with the same features. QEMU does not tell Xen that a guest sets XCR0: a guest there must do without, and a
    domain 0 beside one that does."""
    with tempfile.TemporaryDirectory() as folder:
        with machine("linux-from", folder, {}, on_xen, "xen") as there:
            there.login()
            devices.prepare(there, "noxsave" if on_xen else "")
            there.shell("xl create /run/dev.cfg", 180)
            devices.wait_tick(there, "dev", 2)
            stream, before = saved(there, "dev"), devices.ticks(there, "dev")
            disk = held_memory.take(there, "cat /run/disk.img")
        with machine("linux-to", folder, {"saved": stream, "run/disk.img": disk}, not on_xen, "xen", later=True, words="" if on_xen else "noxsave") as there:
            there.login()
            devices.bridge(there)
            there.shell("xl restore /saved 2>/run/said", 300)
            devices.wait_tick(there, "dev", int(before[-1][0]) + 5)
            after, now = devices.ticks(there, "dev"), int(there.shell("date +%s"))
            devices.all_right([row for row in before if int(row[0]) < int(after[0][0])] + after, now)
            end_all(there, "dev")


@scenario(weight=160)
def save_linux_on_insula_restores_on_xen():
    linux_goes_on(on_xen=False)


if os.environ.get("STREAMS_LONG"):  # real Xen, emulated, takes its time for a save
    @scenario(weight=240)
    def save_linux_on_xen_restores_on_insula():
        linux_goes_on(on_xen=True)
