"""A domain saved on real Xen 4.17 and restored on Insula, and the other way."""
import base64
import gzip
import hashlib
import lzma
import pathlib
import sys
import tempfile

import insula
import saved_guest
from harness import ROOT
from scenarios import scenario
from test_dom0 import ADMIN_ROOT, Admin, end_all

sys.path.insert(0, str(ROOT / "image"))
from cpio_archive import Archive  # noqa: E402

PACK = "/bin/xz --format=xz --delta=dist=8 --lzma2=preset=0"  # most of a small domain's stream are ascending page numbers


def stream(machine: Admin) -> bytes:
    """Saves the payload's domain: the stream."""
    machine.shell(f"xl save saved /run/saved 2>/run/said && {PACK} < /run/saved > /run/saved.xz", 120)
    data = lzma.decompress(base64.b64decode(machine.shell("base64 /run/saved.xz", 120)))
    insula.check(hashlib.sha256(data).hexdigest() == machine.shell("sha256sum < /run/saved").split()[0], f"the stream of {len(data)} bytes has not come over")
    return data


def root_with(folder: str, data: bytes):
    """The admin VM's root file system with a stream in it."""
    archive, path = Archive(), pathlib.Path(folder) / "initrd"
    archive.file("saved", data)
    path.write_bytes(ADMIN_ROOT[0].read_bytes() + gzip.compress(archive.newc()))
    return path, ADMIN_ROOT[1]


def small_guest_goes_on(saved_on_xen: bool) -> None:
    """A domain of two vCPUs begins on one of them, is saved there, and restored on the other, where it can be saved again."""
    with tempfile.TemporaryDirectory() as folder:
        with Admin("save-from" if saved_on_xen else "save-here", on_xen=saved_on_xen) as machine:
            machine.login()
            saved_guest.prepare(machine, avx=False)
            saved_guest.create(machine, 5)
            data, rows = stream(machine), saved_guest.rows(machine, avx=False)
            saved_guest.follows(rows)
        with Admin("save-between" if saved_on_xen else "save-to", on_xen=not saved_on_xen, root=root_with(folder, data)) as machine:
            machine.login()
            machine.shell("xl restore /saved 2>/run/said", 120)
            saved_guest.wait_tick(machine, rows[-1][0] + 6)
            after, now = saved_guest.rows(machine, avx=False), int(machine.shell("date +%s"))
            # the last lines before it was saved may have stayed in the console's ring, or have been said there
            saved_guest.follows([row for row in rows if row[0] < after[0][0]] + after)
            insula.check(abs(now - after[-1][1]) <= 3, f"its wall clock says {after[-1][1]}, domain 0's {now}")
            machine.shell("xl save saved /dev/null 2>/run/said", 60)
            end_all(machine)


@scenario(weight=150)
def save_on_xen_restores_on_insula():
    small_guest_goes_on(saved_on_xen=True)


@scenario(weight=150)
def save_on_insula_restores_on_xen():
    """Its vCPUs have not set XCR0, and domain 0 there uses AVX: under QEMU it dies if the stream has an XSAVE record that makes Xen change XCR0 behind its back."""
    small_guest_goes_on(saved_on_xen=False)
