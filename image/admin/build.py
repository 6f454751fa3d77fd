#!/usr/bin/env python3
"""build.py OUT [--program F]... [--file PATH=F]...: the admin VM's root file system, in memory.

Debian's Xen 4.17 tools and the libraries they need, taken out of their packages; busybox; our init. The same image is domain 0 on Insula
and on Xen. --program puts a program into /bin, --file any file where it is wanted.
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "initramfs")]

import build as guest_root  # noqa: E402  (image/initramfs/build.py)
import debian  # noqa: E402
from cpio_archive import Archive  # noqa: E402

PROGRAMS = {
    "xen-utils-4.17": ["xl", "xenstored", "xenconsoled", "xen-init-dom0", "xentop", "lsevtchn", "test-cpu-policy",
                       "test-paging-mempool", "test-resource", "test-tsx", "test-xenstore", "xen-cpuid", "xen-hvmcrash", "xen-hvmctx", "xenctx"],
    "xenstore-utils": ["xenstore", "xenstore-exists", "xenstore-list", "xenstore-ls", "xenstore-read", "xenstore-rm", "xenstore-write"],
    "bash": ["bash"],  # of the hot plug scripts, as the next two
    "util-linux": ["flock"],
    "mount": ["losetup"],
}
XENCONSOLE = "usr/lib/xen-4.17/bin/xenconsole"
LIBRARIES = ["libc6", "libxencall1", "libxenevtchn1", "libxenforeignmemory1", "libxengnttab1", "libxenmisc4.17", "libxenstore4",
             "libxentoollog1", "libxentoolcore1", "libxendevicemodel1", "libxenhypfs1", "libyajl2", "libuuid1", "zlib1g",
             "liblzma5", "libzstd1", "libgcc-s1", "libtinfo6", "libncurses6", "libsmartcols1"]
# In the order in which init loads them.
MODULES = ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "loop", "xen-blkback", "llc", "stp", "bridge", "xen-netback", "brd"]
SCRIPTS = ["block", "vif-bridge", "vif-route"]  # and what they include


def needed(program: pathlib.Path) -> list[str]:
    """The libraries that an ELF program names; a script names none."""
    if program.read_bytes()[:4] != b"\x7fELF":
        return []
    text = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def libraries() -> dict[str, pathlib.Path]:
    found = {}
    for package in LIBRARIES:
        for path in debian.folder(package).rglob("*.so*"):
            if path.is_file():
                found.setdefault(path.name, path.resolve())
    return found


def add_programs(archive: Archive, extra: list[pathlib.Path]) -> None:
    available, wanted, done = libraries(), list(extra), set()
    archive.copy(available["libgcc_s.so.1"], "lib/libgcc_s.so.1")  # libc opens it when a thread is cancelled
    for program in extra:
        archive.copy(program, f"bin/{program.name}")
    for package, names in PROGRAMS.items():
        for name in names:
            (program,) = [p for p in debian.folder(package).rglob(name)
                          if p.is_file() and p.parent.name in ("bin", "sbin")]
            archive.copy(program.resolve(), f"bin/{name}")
            wanted.append(program.resolve())
    console = debian.folder("xen-utils-4.17") / XENCONSOLE  # xl looks for it there
    archive.copy(console, XENCONSOLE)
    wanted.append(console)
    archive.directory("lib64")
    archive.copy(available["ld-linux-x86-64.so.2"], "lib64/ld-linux-x86-64.so.2")
    while wanted:
        for name in needed(wanted.pop()):
            if name in done:
                continue
            done.add(name)
            archive.copy(available[name], f"lib/{name}")
            wanted.append(available[name])


def add_scripts(archive: Archive) -> None:
    """Debian's hot plug scripts."""
    source = debian.folder("xen-utils-common") / "etc" / "xen" / "scripts"
    for script in [source / name for name in SCRIPTS] + sorted(source.glob("*.sh")):
        archive.copy(script, f"etc/xen/scripts/{script.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--program", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--file", action="append", default=[])
    options = parser.parse_args()
    archive = guest_root.base()
    archive.copy(HERE / "init", "init")
    archive.file("etc/hostname", "admin\n")
    archive.file("etc/profile", "PS1='\\h:\\w\\$ '\nexport LD_LIBRARY_PATH=/lib\n")
    add_programs(archive, options.program)
    modules = debian.folder("linux-image-amd64") / "lib" / "modules"
    for name in MODULES:
        (path,) = modules.rglob(f"{name}.ko")
        archive.copy(path, f"lib/modules/{name}.ko")
    archive.file("lib/modules/order", "".join(f"{name}\n" for name in MODULES))
    add_scripts(archive)
    archive.file("etc/xen/xl.conf", "")
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
