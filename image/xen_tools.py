"""Debian's Xen tools for a root file system in memory: programs out of their packages with the libraries they need, hot plug scripts, kernel modules."""
import pathlib
import re
import subprocess

import debian
from cpio_archive import Archive

LIBRARIES = ["libc6", "libxencall1", "libxenevtchn1", "libxenforeignmemory1", "libxengnttab1", "libxenmisc4.17", "libxenstore4",
             "libxentoollog1", "libxentoolcore1", "libxendevicemodel1", "libxenhypfs1", "libyajl2", "libuuid1", "zlib1g",
             "liblzma5", "libzstd1", "libgcc-s1", "libtinfo6", "libncurses6", "libsmartcols1", "libext2fs2", "libcom-err2", "libblkid1"]
SCRIPTS = ["block", "vif-bridge", "vif-route"]  # and what they include
SCRIPT_PROGRAMS = {  # what they call that busybox has not, or not so
    "bash": ["bash"],
    "util-linux": ["flock"],
    "mount": ["losetup"],
    "xenstore-utils": ["xenstore", "xenstore-exists", "xenstore-list", "xenstore-ls", "xenstore-read", "xenstore-rm", "xenstore-write"],
}


def needed(program: pathlib.Path) -> list[str]:
    """The libraries that an ELF program names; a script names none."""
    if program.read_bytes()[:4] != b"\x7fELF":
        return []
    text = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def libraries(packages: list[str] = LIBRARIES) -> dict[str, pathlib.Path]:
    found = {}
    for folder in debian.folders(packages):
        for path in folder.rglob("*.so*"):
            if path.is_file():
                found.setdefault(path.name, path.resolve())
    return found


def add_programs(archive: Archive, programs: dict[str, list[str]], files: dict[str, pathlib.Path], packages: list[str] = []) -> None:
    """Programs by their package into /bin, files where they are wanted, and the libraries of both, from LIBRARIES and these packages."""
    available, wanted, done = libraries(LIBRARIES + packages), [], set()
    archive.copy(available["libgcc_s.so.1"], "lib/libgcc_s.so.1")  # libc opens it when a thread is cancelled
    for name, program in files.items():
        archive.copy(program, name)
        wanted.append(program)
    for package, names in programs.items():
        for name in names:
            (program,) = [p for p in debian.folder(package).rglob(name)
                          if p.is_file() and p.parent.name in ("bin", "sbin")]
            archive.copy(program.resolve(), f"bin/{name}")
            wanted.append(program.resolve())
    archive.directory("lib64")
    archive.copy(available["ld-linux-x86-64.so.2"], "lib64/ld-linux-x86-64.so.2")
    while wanted:
        for name in needed(wanted.pop()):
            if name in done:
                continue
            done.add(name)
            archive.copy(available[name], f"lib/{name}")
            wanted.append(available[name])


def module(package: str, name: str) -> pathlib.Path:
    (path,) = (debian.folder(package) / "lib" / "modules").rglob(f"{name}.ko")
    return path


def add_modules(archive: Archive, package: str, names: list[str]) -> None:
    """Modules of a kernel package, in the order in which init loads them."""
    for name in names:
        archive.copy(module(package, name), f"lib/modules/{name}.ko")
    archive.file("lib/modules/order", "".join(f"{name}\n" for name in names))


def add_scripts(archive: Archive) -> None:
    """Debian's hot plug scripts, and an empty xl.conf."""
    source = debian.folder("xen-utils-common") / "etc" / "xen" / "scripts"
    for script in [source / name for name in SCRIPTS] + sorted(source.glob("*.sh")):
        archive.copy(script, f"etc/xen/scripts/{script.name}")
    archive.file("etc/xen/xl.conf", "")
