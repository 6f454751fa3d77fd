"""Block and network frontends that lie, at Debian's backends."""
import re

import insula
from scenarios import scenario
from test_dom0 import end_all
from test_driver_domains import Prepared

# In domain 0: connects the frontends of a payload (tests/guests/liar.c), in the store, as it says.
CONNECT = """#!/bin/sh
log=/var/log/xen/guest-$1.log
until grep -q 'LIAR waits' $log; do usleep 100000; done
xenstore-write $(grep 'LIAR node' $log | tr -d '\\r' | awk -v at=/local/domain/$(xl domid $1)/device '{print at "/" $3, $4}')
"""
WORKER = """
until [ -b /dev/xvda ] && [ -e /sys/class/net/eth0 ]; do usleep 50000; done
ip addr add 10.0.0.9/24 dev eth0; ip link set eth0 up
while :; do
head -c 200000 /dev/urandom > /tmp/new; dd if=/tmp/new of=/dev/xvda bs=4096 conv=fsync 2>/dev/null; echo 3 > /proc/sys/vm/drop_caches
head -c 200000 /dev/xvda | cmp - /tmp/new && ping -c 1 -s 1400 10.0.0.1 >/dev/null && echo "WORKER worked"
done
"""
DISKS_OF_LIAR, VIFS_OF_LIAR = ("w", "r", "w"), 6
TROUBLE = r"Oops|BUG:|WARNING:|Call Trace|general protection|nable to handle"


class Liar(Prepared):
    def prepare(self) -> None:
        self.files.file("bin/connect", CONNECT, 0o755)
        self.user("worker", WORKER, 'disk=["/run/worker.img,raw,xvda,w"]\nvif=["bridge=xenbr0"]')
        disks = ", ".join(f'"/run/liar{n}.img,raw,xvd{"abc"[n]},{mode}"' for n, mode in enumerate(DISKS_OF_LIAR))
        vifs = ", ".join(['"bridge=xenbr0"'] * VIFS_OF_LIAR)
        self.files.file("run/liar.cfg", f'name="liar"\ntype="pvh"\nmemory=16\nkernel="/guest/payload"\nextra="liar"\ndisk=[{disks}]\nvif=[{vifs}]\n')

    def worked(self) -> int:
        return int(self.shell("grep -c 'WORKER worked' /var/log/xen/guest-worker.log"))

    def held(self) -> list[str]:
        """Loop devices, ports of the bridge, and backends that domain 0 has."""
        return self.shell("losetup -a; ls /sys/class/net/xenbr0/brif /sys/bus/xen-backend/devices").split()

    def trouble(self) -> str:
        """What domain 0's kernel has to say of itself: some at boot."""
        return self.shell(f"dmesg | grep -E '{TROUBLE}'", status=None)


def lies(machine: Liar) -> None:
    machine.shell("sh /run/join; brctl addbr xenbr0 && ip addr add 10.0.0.1/24 dev xenbr0 && ip link set xenbr0 up", 240)
    machine.shell("for n in 0 1 2; do head -c 1048576 /dev/zero | tr '\\0' y > /run/liar$n.img; done; truncate -s 1M /run/worker.img; sha256sum /run/liar1.img > /run/sum", 240)
    machine.shell("xl create /run/worker.cfg && said worker 'WORKER worked'", 300)
    held = machine.held()
    machine.shell("xl create /run/liar.cfg", 240)
    worked, before = machine.worked(), machine.trouble()
    machine.shell("connect liar", 240)
    tried = machine.said("liar", "LIAR tried")
    worked = machine.worked() - worked
    said = machine.shell("grep LIAR /var/log/xen/guest-liar.log | grep -v node | tr -d '\\r'")
    insula.check(re.fullmatch(r"\d+ wrong 0", tried) is not None and int(tried.split()[0]) > 150, f"it says {said[-1500:]!r}")
    insula.check(worked > 1, f"another guest worked {worked} times meanwhile")
    insula.check(machine.trouble() == before, f"in domain 0's log: {machine.trouble()!r}")
    shut = [int(word) for word in machine.shell("dmesg | grep -c 'bogus ring requests'; dmesg | grep -c 'fatal error; disabling device'").split()]
    insula.check(shut[0] >= 2 and shut[1] == VIFS_OF_LIAR, f"rings shut down: {shut}")
    machine.shell("sha256sum -c /run/sum")
    machine.shell("more-of worker 'WORKER worked'", 120)
    machine.shell("xl destroy liar; while xl list | grep -q null; do usleep 200000; done", 120)
    insula.check(machine.held() == held, f"domain 0 held {held}, holds {machine.held()}")
    machine.shell("more-of worker 'WORKER worked'", 120)
    end_all(machine, "worker")


@scenario(weight=120)
def dom0_frontends_that_lie():
    """Rings of disks and interfaces with operations, lengths, sectors, grants and indices that lie (tests/guests/liar.c), at Debian's backends in domain 0: each is refused, or its ring is shut down.
    Another guest's disk and interface work meanwhile and after."""
    with Liar("liar") as machine:
        machine.login()
        lies(machine)
