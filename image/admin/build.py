#!/usr/bin/env python3
"""build.py OUT [--program F]... [--file PATH=F]...: the admin VM's root file system, in memory.

Debian's Xen 4.17 tools and the libraries they need, taken out of their packages; busybox; our init. The same image is domain 0 on Insula
and on Xen. --program puts a program into /bin, --file any file where it is wanted; --disks adds what makes a disk image, and GRUB, from which a
PVH domain boots it.
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "initramfs")]

import build as guest_root  # noqa: E402  (image/initramfs/build.py)
import debian  # noqa: E402
import xen_tools  # noqa: E402

PROGRAMS = xen_tools.SCRIPT_PROGRAMS | {
    "xen-utils-4.17": ["xl", "oxenstored", "xenstored", "xenconsoled", "xen-init-dom0", "xentop", "lsevtchn", "test-cpu-policy",
                       "test-paging-mempool", "test-resource", "test-tsx", "test-xenstore", "xen-cpuid", "xen-hvmcrash", "xen-hvmctx", "xenctx"],
}
LIBEXEC = ["usr/lib/xen-4.17/bin/libxl-save-helper", "usr/lib/xen-4.17/bin/xenconsole"]  # xl looks for them there
DISK_PROGRAMS = {"e2fsprogs": ["mke2fs"]}
GRUB = "usr/lib/grub-xen/grub-i386-xen_pvh.bin"
# In the order in which init loads them.
MODULES = ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "loop", "xen-blkback", "llc", "stp", "bridge", "xen-netback", "brd"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--program", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--disks", action="store_true")
    options = parser.parse_args()
    archive = guest_root.base()
    archive.copy(HERE / "init", "init")
    archive.file("etc/hostname", "admin\n")
    archive.file("etc/profile", "PS1='\\h:\\w\\$ '\nexport LD_LIBRARY_PATH=/lib\n")
    files = {f"bin/{program.name}": program for program in options.program}
    for name in LIBEXEC:
        files[name] = debian.folder("xen-utils-4.17") / name
    xen_tools.add_programs(archive, PROGRAMS | (DISK_PROGRAMS if options.disks else {}), files)
    if options.disks:
        archive.copy(debian.folder("e2fsprogs") / "etc" / "mke2fs.conf", "etc/mke2fs.conf")
        archive.copy(debian.folder("grub-xen-host") / GRUB, GRUB)
    archive.copy(debian.folder("xen-utils-common") / "etc" / "xen" / "oxenstored.conf", "etc/xen/oxenstored.conf")
    xen_tools.add_modules(archive, "linux-image-amd64", MODULES)
    xen_tools.add_scripts(archive)
    for example in sorted((HERE / "examples").glob("*.cfg")):
        archive.copy(example, f"etc/xen/{example.name}")
    for name in ("guest",):
        archive.directory(name)
    for word in options.file:
        name, source = word.split("=", 1)
        archive.copy(pathlib.Path(source).resolve(), name.lstrip("/"))
    archive.write(options.out)


if __name__ == "__main__":
    main()
