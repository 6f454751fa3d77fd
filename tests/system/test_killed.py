"""Guests destroyed in the middle of what they do: domain 0's back ends, hot plug scripts and balloon go on, and nothing of the dead is left."""
import insula
from scenarios import scenario
from test_dom0 import Admin, scripted, wait_log

# Both disks and both directions of the interface are in use all the time.
BUSY_SCRIPT = """
until [ -b /dev/xvda ] && [ -b /dev/xvdb ] && [ -e /sys/class/net/eth0 ]; do usleep 50000; done
echo "KILL read $(sha256sum < /dev/xvda | cut -c1-64)"
ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up
(while :; do echo 3 > /proc/sys/vm/drop_caches; cat /dev/xvda >/dev/null; done) &
(while :; do dd if=/dev/zero of=/dev/xvdb bs=65536 conv=fsync 2>/dev/null; done) &
(while :; do nc 10.0.0.1 5000 < /dev/zero; sleep 1; done) &
mkfifo /run/never; exec 9<>/run/never
(while :; do nc 10.0.0.1 5001 <&9 >/dev/null; sleep 1; done) &
while :; do sleep 1; echo "KILL busy"; done
"""
# What is going on in domain 0 when the guest dies, beside its guest's work.
MEANWHILE = (
    "",
    "xl block-attach busy /run/c.img,raw,xvdc,w >/run/said 2>&1 & usleep 300000",
    "xl network-attach busy bridge=xenbr0 >/run/said 2>&1 & usleep 200000",
    "xl mem-set busy 90; usleep 100000",
)


# What is counted in domain 0, and by how much it grows before the guest dies: bytes both ways, blocks read and written.
COUNTED = (("cat /sys/class/net/vif{0}.0/statistics/rx_bytes", 1000000), ("cat /sys/class/net/vif{0}.0/statistics/tx_bytes", 1000000),
           ("cat /sys/block/loop*/stat | awk '{{n += $3}} END {{print n}}'", 1000), ("cat /sys/block/loop*/stat | awk '{{n += $7}} END {{print n}}'", 1000))


def busy(machine: Admin, number: int) -> None:
    """Its disks and its interface move something."""
    wait_log(machine, "busy", "KILL busy")
    for what, least in COUNTED:
        what = what.format(number)
        machine.shell(f"a=$({what}); until [ $({what}) -gt $((a + {least})) ]; do usleep 100000; done", 300)


def nothing_left(machine: Admin, free: int) -> None:
    machine.shell("while xl list | grep -q null; do usleep 50000; done", 120)
    machine.shell("until [ -z \"$(ls /sys/class/net/xenbr0/brif)$(ls -d /sys/class/net/vif* 2>/dev/null)$(losetup -a)\" ]; do usleep 200000; done", 200)
    insula.check(len(machine.shell("xl list").splitlines()) == 2, "a domain is still there")
    left = int(machine.shell("xl info free_memory"))
    insula.check(left >= free - 3, f"free memory was {free} MiB, is {left}")


@scenario(weight=150, on_xen=True)
def killed_in_the_middle():
    """A guest that reads, writes, sends and receives all the time is destroyed: so, in the middle of a disk's and of an interface's hot plug, while it gives memory, and while it boots."""
    with Admin("killed") as machine:
        machine.login()
        machine.shell("brctl addbr xenbr0 && ip addr add 10.0.0.1/24 dev xenbr0 && ip link set xenbr0 up")
        machine.shell("head -c 4194304 /dev/urandom > /run/a.img; for n in b c; do dd if=/dev/zero of=/run/$n.img bs=65536 count=64 2>/dev/null; done", 120)
        first = machine.shell("sha256sum < /run/a.img", 120).split()[0]
        machine.shell("mkfifo /run/never; (exec 9<>/run/never; while :; do nc -l -p 5000 <&9 >/dev/null; done) 2>/dev/null & (while :; do nc -l -p 5001 </dev/zero; done) 2>/dev/null & true")
        scripted(machine, "busy", BUSY_SCRIPT, more='disk=["/run/a.img,raw,xvda,r", "/run/b.img,raw,xvdb,w"]; vif=["bridge=xenbr0"]')
        free = None
        for number, meanwhile in enumerate(MEANWHILE, 1):
            machine.shell("rm -f /var/log/xen/guest-busy.log; xl create /run/busy.cfg", 240)
            insula.check(wait_log(machine, "busy", "KILL read") == first, "the guest reads something else from its disk")
            busy(machine, number)
            machine.shell(f"{{ {meanwhile or ':'}; }}; xl destroy busy; killall nc", 120, status=None)
            if free is None:  # what the first one's end leaves
                machine.shell("while xl list | grep -q null; do usleep 50000; done", 120)
                free = int(machine.shell("xl info free_memory"))
            nothing_left(machine, free)
        for moment in (200000, 500000, 900000):
            machine.shell(f"xl create -q /run/busy.cfg && usleep {moment}; xl destroy busy", 240)
            nothing_left(machine, free)
        machine.shell("! dmesg | grep 'BUG: \\|Oops\\|WARNING: CPU'")
        insula.check(machine.shell("sha256sum < /run/a.img", 120).split()[0] == first, "the disk that is only read has changed")
