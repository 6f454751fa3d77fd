"""A domain with two vCPUs, a disk and a network interface, saved and restored, or moved while it runs."""
import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, scripted

# Each vCPU counts by itself; once a second all is looked at that a restored guest must still have.
DEVICES_SCRIPT = """
mount -t tmpfs none /tmp && head -c 3000000 /dev/urandom > /tmp/file; sum=$(sha256sum < /tmp/file)
until [ -b /dev/xvda ] && [ -e /sys/class/net/eth0 ]; do usleep 50000; done
ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up
for cpu in 0 1; do taskset $((cpu + 1)) sh -c 'n=0; while :; do n=$((n+1)); echo $n > /tmp/new'$cpu'; mv /tmp/new'$cpu' /tmp/cpu'$cpu'; usleep 100000; done' & done
until [ -e /tmp/cpu0 ] && [ -e /tmp/cpu1 ]; do usleep 50000; done
until ping -c 1 -W 1 10.0.0.1 >/dev/null; do :; done; n=0
while :; do
n=$((n+1)); echo "block $n" | dd of=/dev/xvda bs=512 seek=$n conv=sync,fsync 2>/dev/null; echo 3 > /proc/sys/vm/drop_caches
disk=$(dd if=/dev/xvda bs=512 skip=1 count=$n 2>/dev/null | tr -d '\\000' | grep -c "^block "); until ping -c 1 -W 1 -s 1000 10.0.0.1 >/dev/null; do :; done
echo "DEVICES tick $n $(date +%s) $(cut -d' ' -f1 /proc/uptime) $(cat /tmp/cpu0) $(cat /tmp/cpu1) $([ "$(sha256sum < /tmp/file)" = "$sum" ] && echo same) $disk $(dmesg -r | grep -c '^<[0-4]>')"
sleep 1
done
"""


def ticks(machine: Admin, name: str) -> list[list[str]]:
    return [line.split()[2:] for line in machine.shell(f"grep 'DEVICES tick' /var/log/xen/guest-{name}.log | tr -d '\\r'").splitlines()]


def wait_tick(machine: Admin, name: str, number: int) -> None:
    machine.shell(f"until grep -q 'DEVICES tick {number} ' /var/log/xen/guest-{name}.log; do usleep 200000; done", 300)


def all_right(rows: list[list[str]], now: int) -> None:
    """It counts without a gap, its clock is right, both vCPUs run, its file is as it was, every block that it wrote is there, pings are answered, and its log has no new warning."""
    insula.check([int(row[0]) for row in rows] == list(range(1, len(rows) + 1)), f"it has counted {rows!r}")
    insula.check(all(row[5] == "same" and row[6] == row[0] for row in rows), f"its file or disk: {rows!r}")
    for column in (1, 2, 3, 4):
        values = [float(row[column]) for row in rows]
        insula.check(all(a < b for a, b in zip(values, values[1:])), f"column {column}: {rows!r}")
    insula.check(abs(now - int(rows[-1][1])) <= 5, f"its clock says {rows[-1][1]}, domain 0's {now}")
    insula.check(len({row[7] for row in rows}) == 1, f"its log has warnings: {rows!r}")


def goes_on(machine: Admin, name: str, number: int) -> None:
    wait_tick(machine, name, number)
    all_right(ticks(machine, name), int(machine.shell("date +%s")))


def bridge(machine: Admin) -> None:
    machine.shell("brctl addbr xenbr0 && echo 0 > /sys/class/net/xenbr0/bridge/forward_delay && ip addr add 10.0.0.1/24 dev xenbr0 && ip link set xenbr0 up")


def prepare(machine: Admin, words: str = "") -> None:
    """words: for its kernel."""
    bridge(machine)
    machine.shell("dd if=/dev/zero of=/run/disk.img bs=65536 count=16 2>/dev/null")
    scripted(machine, "dev", DEVICES_SCRIPT, more='disk=["/run/disk.img,raw,xvda,w"]')
    machine.shell("sed -i 's/vcpus=1/vcpus=2/; s/memory=128/memory=96/' /run/dev.cfg; echo 'vif=[\"bridge=xenbr0,mac=00:16:3e:00:00:02\"]' >> /run/dev.cfg")
    if words:
        machine.shell(f"sed -i 's/^extra=\"/&{words} /' /run/dev.cfg")


def gives_memory(machine: Admin, name: str) -> None:
    """What a restored domain gives back, all of whose memory came by single pages, is free."""
    free = int(machine.shell("xl info free_memory"))
    machine.shell(f"xl mem-set {name} 80 && until [ $(xl list {name} | awk 'NR == 2 {{print $3}}') -le 80 ]; do usleep 200000; done", 120)
    got = int(machine.shell("xl info free_memory")) - free
    insula.check(14 <= got <= 16, f"of 16 MiB that it gave back {got} are free")


@scenario(weight=100, on_xen=True)
def save_and_restore_with_devices():
    with Admin("save-devices", limit=900) as machine:
        machine.login()
        prepare(machine)
        machine.shell("xl create /run/dev.cfg", 180)
        wait_tick(machine, "dev", 2)
        last = len(ticks(machine, "dev"))
        machine.shell("xl save dev /run/dev.save 2>/run/said", 300)
        insula.check(len(machine.shell("xl list").splitlines()) == 2, "a domain that has been saved is still there")
        machine.shell("sleep 5; xl restore /run/dev.save 2>/run/said", 300)
        goes_on(machine, "dev", last + 4)
        gives_memory(machine, "dev")
        end_all(machine, "dev")


@scenario(weight=90, on_xen=True)
def live_migration():
    """From the machine to itself: another domain is made of the one that runs, and has its name."""
    log = "/var/log/xen/guest-dev"
    with Admin("live-migration", limit=900) as machine:
        machine.login()
        prepare(machine)
        machine.shell("xl create /run/dev.cfg", 180)
        wait_tick(machine, "dev", 2)
        machine.shell("xl migrate -s '' dev 'xl migrate-receive' 2>/run/said", 300)
        insula.check(machine.shell("xl domid dev").strip() == "2" and len(machine.shell("xl list").splitlines()) == 3, "the domain that was moved is still there")
        last = len(ticks(machine, "dev"))
        wait_tick(machine, "dev--incoming", last + 4)
        # its console is another file: it says there what it was about to say
        machine.shell(f"cat {log}--incoming.log >> {log}.log")
        all_right(ticks(machine, "dev"), int(machine.shell("date +%s")))
        end_all(machine, "dev")
