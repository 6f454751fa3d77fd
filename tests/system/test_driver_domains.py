"""Ordinary domains that serve disks and network to others: Debian's `xl devd` and hot plug scripts in them (image/driver)."""
import pathlib
import sys

import insula
from harness import LOGS, ROOT
from scenarios import scenario
from test_dom0 import ADMIN_KERNEL, ADMIN_ROOT, Admin, end_all

sys.path.insert(0, str(ROOT / "image"))
from cpio_archive import Archive  # noqa: E402

READY = "INSULA-DRIVER: ready"

NET = "ip addr add 10.0.0.1/24 dev xenbr0"
STORAGE = """
dd if=/dev/zero of=/srv/empty.img bs=1024 count=8192 2>/dev/null; dd if=/dev/zero of=/srv/full.img bs=1024 count=4096 2>/dev/null
mke2fs -F /srv/full.img >/dev/null; mount -o loop /srv/full.img /tmp; head -c 2000000 /dev/urandom > /tmp/file
echo "STORAGE file $(sha256sum < /tmp/file)"; umount /tmp
"""
ONE = """
ip addr add 10.0.0.3/24 dev eth0; ip link set eth0 up
head -c 2000000 /dev/urandom > /tmp/data; echo "ONE sends $(sha256sum < /tmp/data)"
while :; do nc -l -p 5000 < /tmp/data; done &
until [ -b /dev/xvdb ]; do usleep 50000; done
mkdir /mnt; mount -t ext4 -o ro /dev/xvdb /mnt && echo "ONE file $(sha256sum < /mnt/file)"; umount /mnt
before=$(sha256sum < /dev/xvdb); dd if=/dev/urandom of=/dev/xvdb bs=4096 count=16 conv=fsync 2>/dev/null; status=$?
echo 3 > /proc/sys/vm/drop_caches
[ "$before" = "$(sha256sum < /dev/xvdb)" ] && echo "ONE write $status $(cat /sys/block/xvdb/ro)"
while [ -b /dev/xvdb ]; do usleep 50000; done
echo "ONE disk gone"
until [ -e /sys/class/net/eth1 ]; do echo "ONE tick"; sleep 1; done
ip link set eth0 down; ip addr flush dev eth0; ip addr add 10.0.0.3/24 dev eth1; ip link set eth1 up
until [ "$(ping -c 3 -s 1400 10.0.0.1 2>/dev/null | grep -c ttl=)" = 3 ]; do :; done
echo "ONE again ok"
while :; do sleep 1; done
"""
TWO = """
mke2fs /dev/xvda >/dev/null; mkdir /mnt; mount -t ext4 /dev/xvda /mnt; head -c 1000000 /dev/urandom > /mnt/file; before=$(sha256sum < /mnt/file); umount /mnt
echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/xvda /mnt; [ "$before" = "$(sha256sum < /mnt/file)" ] && echo "TWO disk ok"; umount /mnt
until [ -e /sys/class/net/eth0 ]; do usleep 50000; done
ip addr add 10.0.0.4/24 dev eth0; ip link set eth0 up
until [ "$(ping -c 3 -s 1400 10.0.0.3 2>/dev/null | grep -c ttl=)" = 3 ]; do :; done
echo "TWO ping ok"
nc 10.0.0.3 5000 > /tmp/data; echo "TWO got $(sha256sum < /tmp/data)"
(while :; do dd if=/dev/urandom of=/dev/xvda bs=65536 count=16 conv=fsync 2>/dev/null; echo "TWO wrote"; done) &
(while :; do ping -c 1 -s 1400 10.0.0.3 >/dev/null && echo "TWO pinged"; done) &
while :; do echo "TWO tick"; sleep 1; done
"""
# In domain 0: what a guest's console said last after these words; and a wait until it has said them twice more.
SAID = """#!/bin/sh
log=/var/log/xen/guest-$1.log
until grep -q "$2" $log; do usleep 200000; done
grep "$2" $log | tail -n 1 | tr -d '\\r'
"""
MORE = """#!/bin/sh
log=/var/log/xen/guest-$1.log
from=$(grep -c "$2" $log)
until [ $(grep -c "$2" $log) -ge $((from + 2)) ]; do usleep 200000; done
"""


class Prepared(Admin):
    """Domain 0 with more files in its root: each domain's configuration and root file system, so that few commands need be typed."""
    archives: list[pathlib.Path] = []  # and what these have, for what is in both before domain 0's root

    def __init__(self, name: str):
        self.files, self.joins, self.added = Archive(), [], []
        self.files.file("bin/said", SAID.lstrip(), 0o755)
        self.files.file("bin/more-of", MORE.lstrip(), 0o755)
        super().__init__(name, "deterministic", limit=1800)  # libxl waits for a backend by the clock
        self.root = LOGS / f"{name}.initrd"

    def domain(self, name: str, base: str, path: str, script: str, extra: str, more: str, files: dict[str, pathlib.Path]) -> None:
        """Debian's kernel, in whose root file system, that of base, the script is added, and files where they are wanted."""
        root = Archive()
        root.file(path, script.strip() + "\n")
        for where, source in files.items():
            root.copy(source, where)
        self.files.file(f"run/{name}.part", root.newc())
        self.files.file(f"run/{name}.cfg", f'name="{name}"\ntype="pvh"\nmemory=128\nvcpus=1\nkernel="/guest/vmlinuz"\nramdisk="/run/{name}.initrd"\n'
                        f'extra="console=hvc0 quiet insula.name={name} {extra}"\n{more}\n')
        # libxl unpacks what begins as a gzip file does, and wants one member
        self.joins.append(f"cat /run/{name}.part /guest/{base} > /run/{name}.initrd\n")

    def driver(self, name: str, script: str, more: str = "", files: dict[str, pathlib.Path] = {}) -> None:
        self.domain(name, "driver", "etc/rc.local", script, "insula.bridge=xenbr0", f"driver_domain=1\n{more}", files)

    def user(self, name: str, script: str, more: str = "") -> None:
        self.domain(name, "initrd", "script", script, "insula.test=script", more, {})

    def __enter__(self) -> "Prepared":
        LOGS.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.files.file("run/join", "".join(self.joins))
        self.files.write(self.root)
        self.root.write_bytes(b"".join(path.read_bytes() for path in [*self.archives, ADMIN_ROOT[0], *self.added, self.root]))
        at = self.command_line.index("-initrd") + 1
        self.command_line[at] = self.command_line[at].replace(str(ADMIN_ROOT[0]), str(self.root))
        return super().__enter__()

    def said(self, name: str, words: str, wall: float = 240) -> str:
        answer = self.shell(f"said {name} '{words}'", wall)
        return next(line.split(words, 1)[1].strip() for line in answer.splitlines() if words in line)

    def names(self) -> list[str]:
        return [row.split()[0] for row in self.shell("xl list").splitlines()[2:]]


class Drivers(Prepared):
    def prepare(self) -> None:
        self.driver("net", NET)
        self.driver("storage", STORAGE)
        self.user("one", ONE, 'vif=["backend=net,bridge=xenbr0,mac=00:16:3e:00:00:03"]')
        self.user("two", TWO, 'disk=["backend=storage,format=raw,vdev=xvda,access=rw,target=/srv/empty.img"]')


def used(machine: Drivers) -> None:
    """All of it works."""
    machine.shell("xl create /run/one.cfg && xl create /run/two.cfg", 240)
    machine.said("two", "TWO disk ok")
    machine.shell("xl network-attach two backend=net bridge=xenbr0 mac=00:16:3e:00:00:04", 60)
    machine.said("two", "TWO ping ok")
    insula.check(machine.said("two", "TWO got") == machine.said("one", "ONE sends"), "what arrived is not what was sent")
    machine.shell("xl block-attach one backend=storage,format=raw,vdev=xvdb,access=ro,target=/srv/full.img", 60)
    insula.check(machine.said("one", "ONE file") == machine.said("storage", "STORAGE file"), "the disk has another file")
    refused = machine.said("one", "ONE write")
    insula.check(refused == "1 1", f"written to a disk that is read only: {refused!r}")
    machine.shell("xl block-detach one xvdb", 60)
    machine.said("one", "ONE disk gone")


def destroyed(machine: Drivers) -> None:
    """The driver VMs are, while they are used. Who used them goes on."""
    for words in ("wrote", "pinged"):
        machine.shell(f"more-of two 'TWO {words}'", 240)
    machine.shell("xl destroy storage; xl destroy net", 240)
    machine.shell("while xl list | grep -q null; do usleep 200000; done", 120)
    insula.check(machine.names() == ["one", "two"], f"left are {machine.names()}")
    machine.shell("more-of one 'ONE tick'; more-of two 'TWO tick'", 240)
    machine.shell("rm /var/log/xen/guest-net.log; xl create /run/net.cfg", 180)
    machine.said("net", READY)
    machine.shell("xl network-attach one backend=net bridge=xenbr0 mac=00:16:3e:00:00:05", 60)
    machine.said("one", "ONE again ok")
    machine.shell("xl destroy one; while xl list | grep -q null; do usleep 200000; done", 120)
    insula.check(machine.names() == ["two", "net"], f"left are {machine.names()}")


@scenario(weight=240)
def driver_domains():
    """Two VMs ping each other through a net VM, and move data; a storage VM serves them disks, one read only; interfaces and disks are plugged in
    and out. Then the driver VMs are destroyed while they are used: who used them goes on, and works with a new one, which
    lets go of it when it is destroyed."""
    with Drivers("driver-domains") as machine:
        machine.login()
        machine.shell("sh /run/join")
        free = int(machine.shell("xl info free_memory"))
        machine.shell("xl create /run/net.cfg && xl create /run/storage.cfg", 240)
        for name in ("net", "storage"):
            machine.said(name, READY)
        used(machine)
        destroyed(machine)
        end_all(machine, "two", "net")
        left = int(machine.shell("xl info free_memory"))
        insula.check(left >= free - 9, f"free memory was {free} MiB, is {left}")
