"""Debian's PVH GRUB boots a disk image: it runs in 32-bit mode and makes its hypercalls by the 32-bit ABI; Linux, which it starts, goes on with what it leaves behind."""
import base64
import re

import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, guest, wait_log

GRUB = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
CONFIGURATION = """
set timeout=0
menuentry "Debian" {
linux /boot/vmlinuz console=hvc0 insula.test=script
initrd /boot/initrd
}
"""
SCRIPT = """
until [ -b /dev/xvda1 ]; do usleep 50000; done
echo "GRUB disk $(sha256sum < /dev/xvda)"
mount -t ext4 /dev/xvda1 /tmp && echo "GRUB note $(cat /tmp/boot/note)"
echo "written by the guest" > /tmp/boot/answer && umount /tmp
echo "GRUB kernel $(dmesg | grep -c 'Booting paravirtualized kernel on Xen PVH')"
echo "GRUB warnings $(dmesg -r | grep -c '^<[0-3]>')"
dmesg -r | grep '^<[0-3]>'
echo "GRUB end ok"
"""


def put(machine: Admin, path: str, text: str) -> None:
    machine.shell(f"echo {base64.b64encode(text.encode()).decode()} | base64 -d > {path}")


def make_disk(machine: Admin, disk: str) -> None:
    """An image with one partition, in which are a kernel, its ramdisk and GRUB's configuration."""
    machine.shell("mkdir -p /run/tree/boot/grub && cd /run/tree/boot && cp /guest/vmlinuz .")
    put(machine, "/run/tree/boot/grub/grub.cfg", CONFIGURATION)
    put(machine, "/run/tree/boot/note", "left by the admin VM\n")
    put(machine, "/run/script", SCRIPT)
    machine.shell("cd /run && (zcat /guest/initrd; echo script | cpio -o -H newc) | gzip -1 > tree/boot/initrd; cd /")
    machine.shell(f"truncate -s 32M {disk} && printf 'n\\np\\n1\\n2048\\n\\nw\\n' | fdisk -u {disk} > /dev/null 2>&1; /bin/mke2fs -q -t ext4 -d /run/tree -E offset=1048576 {disk} 31M", 120)


def compare_abis(machine: Admin) -> None:
    """A guest's own kernel asks by both ABIs for what has two layouts (tests/guests/compat.c)."""
    guest(machine, "compat", "/guest/payload", 16, "compat", more="max_event_channels=2000")
    machine.shell("xl create /run/compat.cfg", 120)
    machine.shell("until grep -q 'COMPAT tried' /var/log/xen/guest-compat.log; do usleep 100000; done", 120)
    said = machine.shell("grep COMPAT /var/log/xen/guest-compat.log | tr -d '\\r'")
    found = re.fullmatch(r"COMPAT tried (\d+) wrong 0\n", said)
    insula.check(found is not None and int(found.group(1)) > 400, f"the guest says {said!r}")
    machine.shell("while xl list compat; do usleep 100000; done >/dev/null 2>&1", 60)


@scenario(weight=150, on_xen=True)
def pvhgrub_boots_a_disk_image():
    with Admin("pvhgrub") as machine:
        machine.login()
        compare_abis(machine)
        make_disk(machine, "/run/disk.img")
        before = machine.shell("sha256sum < /run/disk.img").split()[0]
        guest(machine, "grub", GRUB, 128, "", more='disk=["/run/disk.img,raw,xvda,w"]')
        machine.shell("xl create /run/grub.cfg", 180)
        wait_log(machine, "grub", "Reading (xen/xvda,msdos1)/boot/grub/grub.cfg", 300)
        insula.check(wait_log(machine, "grub", "GRUB disk", 400).split()[0] == before, "the guest reads something else from its disk")
        insula.check(wait_log(machine, "grub", "GRUB note") == "left by the admin VM", "a file is not there")
        insula.check(wait_log(machine, "grub", "GRUB kernel") == "1", "Linux does not take itself for a PVH guest")
        wait_log(machine, "grub", "GRUB end ok")
        machine.shell("while xl list grub; do usleep 200000; done >/dev/null 2>&1", 120)
        insula.check(machine.shell("grep -a -c 'written by the guest' /run/disk.img").strip() == "1", "what the guest wrote is not in the image")
        end_all(machine)
