#!/usr/bin/env python3
"""build.py OUT: the root file system of a driver VM, in memory.

Debian's `xl` for its devd, the hot plug scripts and what they call, out of their packages; back and front ends of the guests' kernel; busybox; our init.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "initramfs")]

import build as guest_root  # noqa: E402  (image/initramfs/build.py)
import xen_tools  # noqa: E402

PROGRAMS = xen_tools.SCRIPT_PROGRAMS | {"xen-utils-4.17": ["xl"]}
# In the order in which init loads them.
MODULES = ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "loop", "xen-blkback", "llc", "stp", "bridge", "xen-netback", "xen-netfront", "xen-blkfront", "brd"]


def main(target: str) -> None:
    archive = guest_root.base()
    archive.copy(HERE / "init", "init")
    archive.file("etc/hostname", "driver\n")
    archive.file("etc/profile", "PS1='\\h:\\w\\$ '\nexport LD_LIBRARY_PATH=/lib\n")
    xen_tools.add_programs(archive, PROGRAMS, {})
    xen_tools.add_modules(archive, "linux-image-cloud-amd64", MODULES)
    xen_tools.add_scripts(archive)
    guest_root.add_poweroff(archive)
    archive.write(target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build.py OUT")
    main(sys.argv[1])
