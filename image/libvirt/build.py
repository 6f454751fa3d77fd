#!/usr/bin/env python3
"""build.py OUT: libvirt for the admin VM, an archive that comes before its root file system.

Debian's libvirtd with the Xen driver, virsh, the libraries and data they need, out of their packages, and the settings of libvirt-daemon-system as they are.
Only the CPU maps of 486 and pentium lose `vme`, which QEMU does not emulate: libvirt takes no host that is less than a 486.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import debian  # noqa: E402
import xen_tools  # noqa: E402
from cpio_archive import Archive  # noqa: E402

PROGRAMS = {"libvirt-daemon": ["libvirtd"], "libvirt-clients": ["virsh"]}
LIBRARIES = xen_tools.LIBRARIES + [
    "libvirt0", "libglib2.0-0", "libffi8", "libpcre2-8-0", "libmount1", "libselinux1", "libxml2", "libicu72", "libstdc++6", "libacl1", "libaudit1", "libcap-ng0",
    "libgnutls30", "libp11-kit0", "libidn2-0", "libunistring2", "libtasn1-6", "libnettle8", "libhogweed6", "libgmp10", "libnl-3-200", "libnuma1", "libapparmor1",
    "libssh2-1", "libssh-4", "libsasl2-2", "libtirpc3", "libcurl3-gnutls", "libnghttp2-14", "librtmp1", "libpsl5", "libldap-2.5-0", "libbrotli1", "libssl3",
    "libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0", "libkeyutils1", "libreadline8",
]
DRIVER = "usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_libxl.so"
CPU_MAP = "usr/share/libvirt/cpu_map"
SETTINGS = ["libvirtd.conf", "libxl.conf"]


def main(target: str) -> None:
    archive = Archive()
    xen_tools.add_programs(archive, PROGRAMS, {DRIVER: debian.folder("libvirt-daemon-driver-xen") / DRIVER}, LIBRARIES)
    for path in sorted((debian.folder("libvirt0") / CPU_MAP).glob("*.xml")):
        text = path.read_text()
        if path.stem in ("x86_486", "x86_pentium"):
            before, after = text.split("    <feature name='vme'/>\n")
            text = before + after
        archive.file(f"{CPU_MAP}/{path.name}", text)
    system = debian.folder("libvirt-daemon-system")
    archive.copy(system / "var", "var")
    for name in SETTINGS:
        archive.copy(system / "etc" / "libvirt" / name, f"etc/libvirt/{name}")
    archive.write(target, compress=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build.py OUT")
    main(sys.argv[1])
