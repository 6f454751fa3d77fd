#!/usr/bin/env python3
"""lvm.py OUT: Debian's LVM for the admin VM, unpacked above its root file system (build.py) where it is wanted: the program, its libraries, the device mapper's module."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import xen_tools  # noqa: E402
from cpio_archive import Archive  # noqa: E402

LIBRARIES = ["libdevmapper1.02.1", "libdevmapper-event1.02.1", "libaio1", "libbsd0", "libcap2", "libedit2", "libgcrypt20", "libgpg-error0", "liblz4-1",
             "libmd0", "libpcre2-8-0", "libselinux1", "libsystemd0", "libudev1"]
# There is no udev, nor a daemon of LVM's, in the admin VM: LVM makes the device nodes itself.
CONFIGURATION = """
activation { udev_sync=0 udev_rules=0 monitoring=0 }
devices { obtain_device_list_from_udev=0 external_device_info_source="none" use_devicesfile=0 }
global { event_activation=0 }
backup { backup=0 archive=0 }
"""


def main(target: str) -> None:
    archive = Archive()
    xen_tools.add_programs(archive, {"lvm2": ["lvm"]}, {}, LIBRARIES)
    archive.file("etc/lvm/lvm.conf", CONFIGURATION.lstrip())
    archive.copy(xen_tools.module("linux-image-amd64", "dm-mod"), "lib/modules/dm-mod.ko")
    archive.write(target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: lvm.py OUT")
    main(sys.argv[1])
