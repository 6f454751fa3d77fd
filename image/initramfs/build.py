#!/usr/bin/env python3
"""build.py OUT GUEST_WORK: the guests' root file system, an initramfs of busybox and our init."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import debian  # noqa: E402
from cpio_archive import Archive  # noqa: E402


def base() -> Archive:
    """What every root file system of ours has: busybox, device nodes, accounts."""
    archive = Archive()
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "etc", "bin", "sbin"):
        archive.directory(name)
    archive.device("dev/console", 5, 1)
    archive.device("dev/null", 1, 3, 0o666)
    archive.copy(debian.folder("busybox-static") / "bin" / "busybox", "bin/busybox")
    archive.link("bin/sh", "busybox")
    archive.file("etc/passwd", "root::0:0:root:/root:/bin/sh\n")
    archive.file("etc/group", "root:x:0:\ntty:x:5:\n")
    return archive


def add_poweroff(archive: Archive) -> None:
    """What the kernel runs when it is asked for that (xl shutdown, xl reboot)."""
    for name in ("poweroff", "reboot"):
        archive.file(f"sbin/{name}", f"#!/bin/sh\nexec /bin/busybox {name} -f\n", 0o755)


MODULES = ["xen-blkfront", "xen-netfront"]  # of the guests' kernel, in the order in which init loads them


def add_modules(archive: Archive) -> None:
    (folder,) = (debian.folder("linux-image-cloud-amd64") / "lib" / "modules").iterdir()
    for name in MODULES:
        (path,) = folder.rglob(f"{name}.ko")
        archive.copy(path, f"lib/modules/{folder.name}/{name}.ko")
    archive.file(f"lib/modules/{folder.name}/order", "".join(f"{name}.ko\n" for name in MODULES))


def main(target: str, work: str) -> None:
    archive = base()
    archive.copy(HERE / "init", "init")
    archive.file("bin/guest_work", pathlib.Path(work).read_bytes(), 0o755)
    archive.file("etc/hostname", "guest\n")
    archive.file("etc/profile", "PS1='\\h:\\w\\$ '\n")
    add_modules(archive)
    add_poweroff(archive)
    archive.write(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: build.py OUT GUEST_WORK")
    main(*sys.argv[1:])
