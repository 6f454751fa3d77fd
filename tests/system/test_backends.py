"""What Debian's backends serve beyond files and one bridge: LVM volumes and disks of 4 KiB sectors."""
import re

import insula
from harness import OUT
from scenarios import scenario
from test_dom0 import end_all
from test_driver_domains import Prepared

# In domain 0: a volume striped over a loop device and a RAM disk, another of it to be read only, and a disk with sectors of 4 KiB that has a file system.
MAKE_DISKS = """
set -e
insmod /lib/modules/dm-mod.ko
truncate -s 20M /run/pv.img; /bin/losetup /dev/loop0 /run/pv.img
lvm vgcreate -q insula /dev/loop0 /dev/ram0
lvm lvcreate -q -y -n disk -i 2 -I 64 -L 16M insula
lvm lvcreate -q -y -n fixed -L 4M insula
head -c 16777216 /dev/urandom > /dev/insula/disk; head -c 4194304 /dev/urandom > /dev/insula/fixed
mkdir /run/tree; head -c 1000000 /dev/urandom > /run/tree/file
truncate -s 16M /run/large.img; /bin/mke2fs -q -t ext4 -b 4096 -d /run/tree /run/large.img
/bin/losetup --sector-size 4096 /dev/loop1 /run/large.img
"""
# In domain 0: sums of what is on them, past what of it is in its page cache.
SUMS = """#!/bin/sh
sync; echo 3 > /proc/sys/vm/drop_caches
for disk in "$@"; do echo "$disk $(sha256sum < $disk)"; done
"""
DISKS = """
look() {
until [ -b /dev/$1 ]; do usleep 50000; done
q=/sys/block/$1/queue
echo "DISKS $1 is $(cat /sys/block/$1/size) $(cat $q/logical_block_size) $(cat /sys/block/$1/ro) $(cat $q/write_cache)"
echo "DISKS $1 has $(sha256sum < /dev/$1)"
}
sum() { sync; echo 3 > /proc/sys/vm/drop_caches; echo "DISKS $1 $2 $(sha256sum < /dev/$1)"; }
look xvda; look xvdb
for disk in xvda xvdb; do
mkdir /mnt 2>/dev/null; [ $disk = xvda ] && mke2fs /dev/xvda >/dev/null
mount -t ext4 /dev/$disk /mnt && [ $disk = xvdb ] && echo "DISKS file $(sha256sum < /mnt/file)"
for n in 1 2 3; do head -c 2000000 /dev/urandom | dd of=/mnt/new.$n bs=65536 conv=fsync 2>/dev/null; done
cat /mnt/new.* | sha256sum > /tmp/sum; umount /mnt; echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/$disk /mnt
[ "$(cat /mnt/new.* | sha256sum)" = "$(cat /tmp/sum)" ] && echo "DISKS $disk kept ok"; umount /mnt
yes "$disk" | head -c 512 | dd of=/dev/$disk bs=512 seek=20001 conv=fsync 2>/dev/null
sum $disk holds
done
look xvdc
dd if=/dev/urandom of=/dev/xvdc bs=4096 count=16 conv=fsync 2>/dev/null; echo "DISKS xvdc written $?"
sum xvdc holds
while [ -b /dev/xvda ] || [ -b /dev/xvdb ] || [ -b /dev/xvdc ]; do usleep 50000; done
echo "DISKS end ok"
"""


class Disks(Prepared):
    def prepare(self) -> None:
        self.added.append(OUT / "image" / "lvm.initrd")
        self.files.file("run/make-disks", MAKE_DISKS)
        self.files.file("bin/sums", SUMS, 0o755)
        self.user("disks", DISKS, 'disk=["format=raw,vdev=xvda,access=rw,target=/dev/insula/disk", "format=raw,vdev=xvdb,access=rw,target=/dev/loop1"]')

    def sums(self, *disks: str) -> list[str]:
        return [line.split()[1] for line in self.shell(f"sums {' '.join(disks)}").splitlines()]

    def flushes(self) -> list[int]:
        """How many blkback was asked for, of each disk; and how many the loop devices below have had (Linux's iostats)."""
        said = self.shell("for n in 51712 51728; do cat /sys/bus/xen-backend/devices/vbd-$(xl domid disks)-$n/statistics/f_req; done; awk '{print $16}' /sys/block/loop0/stat /sys/block/loop1/stat")
        return [int(word) for word in said.split()]


def volumes_and_large_sectors(machine: Disks) -> None:
    machine.shell("sh /run/join; sh /run/make-disks", 120)
    fixed, disk, large = machine.sums("/dev/insula/fixed", "/dev/insula/disk", "/dev/loop1")
    machine.shell("xl create /run/disks.cfg", 180)
    insula.check(machine.said("disks", "DISKS xvda is") == "32768 512 0 write back", "the volume is another")
    insula.check(machine.said("disks", "DISKS xvda has").split()[0] == disk, "the volume reads as something else")
    insula.check(machine.said("disks", "DISKS xvdb is") == "32768 4096 0 write back", "the disk of large sectors is another")
    insula.check(machine.said("disks", "DISKS xvdb has").split()[0] == large, "the disk of large sectors reads as something else")
    asked = machine.said("disks", "DISKS file").split()[0]
    insula.check(machine.shell("sha256sum < /run/tree/file").split()[0] == asked, "the file is another")
    holds = [machine.said("disks", f"DISKS {name} holds").split()[0] for name in ("xvda", "xvdb")]
    insula.check(holds == machine.sums("/dev/insula/disk", "/dev/loop1") and holds != [disk, large], "what the guest wrote is not what is there")
    text = machine.shell("cat /var/log/xen/guest-disks.log")
    insula.check(len(re.findall(r"^DISKS xvd[ab] kept ok", text, re.M)) == 2, "files changed")
    flushes = machine.flushes()
    insula.check(min(flushes) >= 4 and flushes[2] >= flushes[0] and flushes[3] >= flushes[1], f"flushes: {flushes}")
    machine.shell("xl block-attach disks format=raw,vdev=xvdc,access=ro,target=/dev/insula/fixed", 60)
    insula.check(machine.said("disks", "DISKS xvdc is").startswith("8192 512 1"), "the volume can be written")
    insula.check(machine.said("disks", "DISKS xvdc written") == "1", "it was written")
    insula.check(machine.said("disks", "DISKS xvdc holds").split()[0] == fixed == machine.sums("/dev/insula/fixed")[0], "it holds something else")
    machine.shell("for disk in xvda xvdb xvdc; do xl block-detach disks $disk; done", 120)
    machine.said("disks", "DISKS end ok")
    machine.shell("while xl list disks; do usleep 200000; done >/dev/null 2>&1", 120)
    end_all(machine)
    machine.shell("lvm vgremove -q -y insula && /bin/losetup -D && [ -z \"$(losetup -a)\" ]", 60)


@scenario(weight=120)
def dom0_disks_of_volumes_and_large_sectors():
    """A striped LVM volume, and a disk of 4 KiB sectors: a guest makes and uses file systems on them, and writes single sectors of 512 bytes; what it has in the end is what is there. Its flushes
    arrive. A volume that it has to read only cannot be written. When they are plugged out, nothing holds them."""
    with Disks("disks") as machine:
        machine.login()
        volumes_and_large_sectors(machine)
