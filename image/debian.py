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


def candidates(packages: list[str]) -> dict[str, str]:
    """The versions that apt would take. What its lists do not know is not there."""
    found = re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (\S+)", run("apt-cache", "policy", *packages), re.M)
    return {name: version for name, version in found if version != "(none)"}


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


def download(packages: list[str]) -> dict[str, pathlib.Path]:
    """Unpacks the current versions of packages below deb/ in the cache."""
    names = {package: real_name(package) for package in packages}
    versions = candidates(list(names.values()))
    unknown = [name for name in names.values() if name not in versions]
    if unknown:
        raise LookupError(" ".join(unknown))
    targets = {package: cache() / "deb" / f"{name}_{versions[name].replace(':', '%3a')}" for package, name in names.items()}
    wanted = [names[package] for package, target in targets.items() if not target.is_dir()]
    if not wanted:
        return targets
    base = cache() / "deb"
    base.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=base, prefix=".get-"))
    try:
        os.chmod(work, 0o755)
        run("apt-get", "download", "-q", *wanted, cwd=work)
        for archive in work.glob("*.deb"):
            name = archive.name.rsplit("_", 1)[0]  # with the version; the rest is the architecture
            run("dpkg-deb", "-x", str(archive), str(work / name))
            os.chmod(work / name, 0o755)
            try:
                os.rename(work / name, base / name)
            except OSError:
                if not (base / name).is_dir():  # else another build was faster
                    raise
    finally:
        shutil.rmtree(work)
    return targets


def folders(packages: list[str]) -> list[pathlib.Path]:
    """Where packages are unpacked; those that are not yet there are downloaded together."""
    links = {package: cache() / "deb" / package for package in packages}
    missing = [package for package, link in links.items() if not link.is_dir()]
    for attempt in (1, 2) if missing else ():
        try:
            targets = download(missing)
            break
        except (subprocess.CalledProcessError, LookupError) as error:
            if attempt == 2:
                raise SystemExit(f"debian.py: cannot get {' '.join(missing)}: {getattr(error, 'stderr', error)}") from error
            update_lists()
    for package in missing:
        if targets[package] != links[package]:
            temporary = links[package].with_name(f".link-{package}-{os.getpid()}")
            temporary.symlink_to(targets[package].name)
            os.replace(temporary, links[package])
    return [links[package].resolve() for package in packages]


def folder(package: str) -> pathlib.Path:
    return folders([package])[0]


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
