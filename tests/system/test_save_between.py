"""A domain saved on real Xen 4.17 and restored on Insula."""
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

CHUNK = 6000  # bytes at once: the console drops what its reader has not taken
PACK = "/bin/xz --format=xz --delta=dist=8 --lzma2=preset=0"  # most of a small domain's stream are ascending page numbers


def stream(machine: Admin) -> bytes:
    """Saves the payload's domain: the stream."""
    machine.shell(f"xl save saved /run/saved 2>/run/said && {PACK} < /run/saved > /run/saved.xz", 120)
    size = int(machine.shell("wc -c < /run/saved.xz"))
    data = lzma.decompress(b"".join(base64.b64decode(machine.shell(f"dd if=/run/saved.xz bs={CHUNK} skip={i} count=1 2>/dev/null | base64"))
                                    for i in range(-(-size // CHUNK))))
    insula.check(hashlib.sha256(data).hexdigest() == machine.shell("sha256sum < /run/saved").split()[0], f"the stream of {len(data)} bytes has not come over")
    return data


def root_with(folder: str, data: bytes):
    """The admin VM's root file system with a stream in it."""
    archive, path = Archive(), pathlib.Path(folder) / "initrd"
    archive.file("saved", data)
    path.write_bytes(ADMIN_ROOT[0].read_bytes() + gzip.compress(archive.newc()))
    return path, ADMIN_ROOT[1]


@scenario(weight=150)
def save_on_xen_restores_on_insula():
    """A domain of two vCPUs begins on real Xen, is saved, and restored on Insula."""
    with tempfile.TemporaryDirectory() as folder:
        with Admin("save-from", on_xen=True) as machine:
            machine.login()
            saved_guest.prepare(machine, avx=False)
            saved_guest.create(machine, 5)
            data, rows = stream(machine), saved_guest.rows(machine, avx=False)
            saved_guest.follows(rows)
        with Admin("save-between", root=root_with(folder, data)) as machine:
            machine.login()
            machine.shell("xl restore /saved 2>/run/said", 120)
            saved_guest.wait_tick(machine, rows[-1][0] + 6)
            after, now = saved_guest.rows(machine, avx=False), int(machine.shell("date +%s"))
            # the last lines before it was saved may have stayed in the console's ring, or have been said there
            saved_guest.follows([row for row in rows if row[0] < after[0][0]] + after)
            insula.check(abs(now - after[-1][1]) <= 3, f"its wall clock says {after[-1][1]}, domain 0's {now}")
            end_all(machine, "saved")
