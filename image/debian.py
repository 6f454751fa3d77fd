#!/usr/bin/env python3
"""Debian packages as files: downloaded and unpacked into a cache folder, never installed.

`debian.py PACKAGE...` prints the folder where the package (or, for a meta package, the one it stands for) is unpacked;
`debian.py --vmlinux PACKAGE` the unpacked ELF kernel of a kernel package, `--vmlinuz PACKAGE` the kernel as it is in there; `debian.py --xen` the unpacked Xen.
Used by the image, the tests' guests and the benchmark's peer. apt checks the signatures and sums. What is in
the cache is used as it is, without the network; remove the cache's link to get a newer version.
"""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing

import extract_vmlinux

META = {  # meta package -> what its dependency is called
    "linux-image-cloud-amd64": r"linux-image-[0-9].*-cloud-amd64",
    "linux-image-amd64": r"linux-image-[0-9].*[0-9]-amd64",
}


def cache() -> pathlib.Path:
    base = os.environ.get("INSULA_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "insula")
    path = pathlib.Path(base)
    path.mkdir(parents=True, exist_ok=True)
    return path


def run(*words: str, **options) -> str:
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options).stdout


def candidate(package: str) -> str:
    """The version that apt would take, or "" when its lists do not know the package."""
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", package))
    return "" if not found or found.group(1) == "(none)" else found.group(1)


def real_name(package: str) -> str:
    if package not in META:
        return package
    for line in run("apt-cache", "depends", package).splitlines():
        found = re.fullmatch(r"\s*Depends: (\S+)", line)
        if found and re.fullmatch(META[package], found.group(1)):
            return found.group(1)
    raise SystemExit(f"debian.py: {package} depends on no kernel package")


def update_lists() -> None:
    root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run(root + ["apt-get", "update", "-q"], check=True, stdout=sys.stderr)


def download(package: str) -> pathlib.Path:
    """Unpacks the current version of a package below deb/ in the cache."""
    name = real_name(package)
    target = cache() / "deb" / f"{name}_{candidate(name).replace(':', '%3a')}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=target.parent, prefix=".get-"))
    try:
        os.chmod(work, 0o755)
        run("apt-get", "download", "-q", name, cwd=work)
        (archive,) = work.glob("*.deb")
        run("dpkg-deb", "-x", str(archive), str(work / "root"))
        os.chmod(work / "root", 0o755)
        try:
            os.rename(work / "root", target)
        except OSError:
            if not target.is_dir():  # else another build was faster
                raise
    finally:
        shutil.rmtree(work)
    return target


def folder(package: str) -> pathlib.Path:
    """Where a package is unpacked, downloaded when it is not yet there."""
    link = cache() / "deb" / package
    if link.is_dir():
        return link.resolve()
    for attempt in (1, 2):
        try:
            if not candidate(package):
                raise LookupError(package)
            target = download(package)
            break
        except (subprocess.CalledProcessError, LookupError) as error:
            if attempt == 2:
                raise SystemExit(f"debian.py: cannot get {package}: {getattr(error, 'stderr', error)}") from error
            update_lists()
    if target != link:
        temporary = link.with_name(f".link-{package}-{os.getpid()}")
        temporary.symlink_to(target.name)
        os.replace(temporary, link)
    return target


def derived(name: str, make: typing.Callable[[pathlib.Path], None]) -> pathlib.Path:
    """A file in the cache that is made once from what was downloaded. The name must contain the version."""
    target = cache() / "derived" / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{name}.{os.getpid()}")
        make(temporary)
        os.replace(temporary, target)
    return target


def vmlinuz(package: str) -> pathlib.Path:
    (image,) = (folder(package) / "boot").glob("vmlinuz-*")
    return image


def vmlinux(package: str) -> pathlib.Path:
    root, image = folder(package), vmlinuz(package)
    return derived(f"vmlinux-{root.name}", lambda out: extract_vmlinux.main(str(image), str(out)))


def xen() -> pathlib.Path:
    root = folder("xen-hypervisor-4.17-amd64")
    (image,) = (root / "boot").glob("xen-*.gz")
    return derived(root.name, lambda out: out.write_bytes(gzip.decompress(image.read_bytes())))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--vmlinux"]:
        print(vmlinux(sys.argv[2]))
    elif sys.argv[1:2] == ["--vmlinuz"]:
        print(vmlinuz(sys.argv[2]))
    elif sys.argv[1:] == ["--xen"]:
        print(xen())
    else:
        for argument in sys.argv[1:]:
            print(folder(argument))
