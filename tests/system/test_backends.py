"""What blkback and netback serve beyond files and one bridge: LVM volumes and disks of 4 KiB sectors, interfaces through a chain of driver VMs."""
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


@scenario(weight=120, on_xen=True)
def dom0_disks_of_volumes_and_large_sectors():
    """A striped LVM volume, and a disk of 4 KiB sectors: a guest makes and uses file systems on them, and writes single sectors of 512 bytes; what it has in the end is what is there. Its flushes
    arrive. A volume that it has to read only cannot be written. When they are plugged out, nothing holds them."""
    with Disks("disks") as machine:
        machine.login()
        volumes_and_large_sectors(machine)


# net <- firewall <- app: each is a router to the next, and the interface of the next comes and goes.
NET = """
ip addr add 10.0.0.1/24 dev xenbr0; ip route add 10.0.1.0/24 via 10.0.0.2
head -c 3000000 /dev/urandom > /srv/data; echo "NET sends $(sha256sum < /srv/data)"
mkfifo /srv/open
(while :; do nc -l -p 5000 < /srv/data; done) &
(exec 3<> /srv/open; while :; do nc -l -p 5001 <&3 > /srv/got; echo "NET got $(sha256sum < /srv/got)"; done) &
"""
FIREWALL = """
ip addr add 10.0.1.1/24 dev xenbr0; echo 1 > /proc/sys/net/ipv4/ip_forward
(while :; do until [ -e /sys/class/net/eth0 ]; do usleep 50000; done
ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up; echo "FIREWALL has eth0"
while [ -e /sys/class/net/eth0 ]; do usleep 50000; done; echo "FIREWALL lost eth0"; done) &
"""
APP = """
mkfifo /tmp/open; exec 3<> /tmp/open
use() {
until [ -e /sys/class/net/$1 ]; do usleep 50000; done
ip addr add 10.0.1.2/24 dev $1; ip link set $1 up; ip route add default via 10.0.1.1
}
# one router between: 64 - 1
reach() { until [ "$(ping -c 3 -s 1400 10.0.0.1 2>/dev/null | grep -c ttl=63)" = 3 ]; do :; done; echo "APP reaches $1"; }
lost() { while ping -c 1 -w 1 10.0.0.1 >/dev/null 2>&1; do usleep 100000; done; echo "APP lost $1"; }
move() { nc 10.0.0.1 5000 <&3 > /tmp/data; echo "APP got$1 $(sha256sum < /tmp/data)"; head -c 3000000 /dev/urandom > /tmp/up; echo "APP sends$1 $(sha256sum < /tmp/up)"; nc 10.0.0.1 5001 < /tmp/up >/dev/null; }
use eth0; reach first; move 1
while [ -e /sys/class/net/eth0 ]; do usleep 50000; done; echo "APP unplugged"
use eth0; reach second
lost firewall
reach third
lost everything; echo "APP sees $(cat /sys/class/net/eth0/operstate)"
until [ -e /sys/class/net/eth1 ]; do echo "APP tick"; sleep 1; done
ip link set eth0 down; ip addr flush dev eth0; use eth1; reach fourth; move 2
while :; do echo "APP tick"; sleep 1; done
"""
UPLINK = 'vif=["backend=net,bridge=xenbr0,mac=00:16:3e:00:01:02"]'
VIF = "backend=firewall bridge=xenbr0"


class Chain(Prepared):
    def prepare(self) -> None:
        self.driver("net", NET)
        self.driver("firewall", FIREWALL, UPLINK)
        self.user("app", APP, 'vif=["backend=firewall,bridge=xenbr0,mac=00:16:3e:00:01:03"]')

    def moved(self, time: int) -> None:
        """Both ways through both."""
        insula.check(self.said("app", f"APP got{time}") == self.said("net", "NET sends"), "the app got something else than net sent")
        sent = self.said("app", f"APP sends{time}")
        self.shell(f"until grep -q 'NET got {sent.split()[0]}' /var/log/xen/guest-net.log; do usleep 200000; done", 120)

    def gone(self) -> None:
        self.shell("while xl list | grep -q null; do usleep 200000; done", 120)


def through_the_chain(machine: Chain) -> None:
    machine.shell("sh /run/join")
    free = int(machine.shell("xl info free_memory"))
    for name in ("net", "firewall"):
        machine.shell(f"xl create /run/{name}.cfg", 240)
        machine.said(name, "INSULA-DRIVER: ready")
    machine.said("firewall", "FIREWALL has")
    machine.shell("xl create /run/app.cfg", 240)
    machine.said("app", "APP reaches first")
    machine.moved(1)
    machine.shell("xl network-detach app 0", 60)
    machine.said("app", "APP unplugged")
    machine.shell(f"xl network-attach app {VIF} mac=00:16:3e:00:01:04", 60)
    machine.said("app", "APP reaches second")
    machine.shell("xl network-detach firewall 0", 60)
    machine.said("firewall", "FIREWALL lost")
    machine.said("app", "APP lost firewall")
    machine.shell("xl network-attach firewall backend=net bridge=xenbr0 mac=00:16:3e:00:01:05", 60)
    machine.said("app", "APP reaches third")
    machine.shell("xl destroy firewall", 120)
    machine.gone()
    insula.check(machine.names() == ["net", "app"], f"left are {machine.names()}")
    insula.check(machine.said("app", "APP sees") == "up", "the interface's state is another")
    machine.shell("more-of app 'APP tick'", 120)
    machine.shell("rm /var/log/xen/guest-firewall.log; xl create /run/firewall.cfg", 240)
    machine.said("firewall", "INSULA-DRIVER: ready")
    machine.shell(f"xl network-attach app {VIF} mac=00:16:3e:00:01:06", 60)
    machine.said("app", "APP reaches fourth")
    machine.moved(2)
    end_all(machine, "app", "firewall", "net")
    left = int(machine.shell("xl info free_memory"))
    insula.check(left >= free - 9, f"free memory was {free} MiB, is {left}")


@scenario(weight=200, on_xen=True)
def driver_domains_in_a_chain():
    """An app's packets go through a firewall VM, whose interface a net VM serves: pings and TCP both ways. The app's interface is plugged out and in, then the firewall's own; then the firewall is
    destroyed and made again: the app's interface stays, and is silent; the next one that it gets works."""
    with Chain("chain") as machine:
        machine.login()
        through_the_chain(machine)
