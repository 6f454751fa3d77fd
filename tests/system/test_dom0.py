"""The admin VM: domain 0 with Debian's own Xen tools."""
import base64
import os
import re
import time

import insula
from harness import OUT, Failure, Machine
from scenarios import Again, scenario

ADMIN_KERNEL = (OUT / "image" / "vmlinux-dom0", "name=vmlinux console=hvc0 quiet")
ADMIN_ROOT = (OUT / "image" / "admin.initrd", "name=initrd")
READY = "INSULA-ADMIN: ready"
FUZZ_SEED = int(os.environ.get("FUZZ_SEED", "1"))
CHANNELS = 1023  # max_event_channels
RESERVED = 2  # of the store and the console
ENOSPC = 28
OXENSTORED = "insula.xenstored=oxenstored"  # Debian's default; the scenarios use the one or the other


ON_XEN = os.environ.get("INSULA_HYPERVISOR") == "xen"  # the scenarios run on real Xen, which shows that it is Xen's behaviour that they test
XEN = OUT / "bench" / "xen"

# QEMU 7.2 may deliver an interrupt that Xen injects twice: domain 0 takes it at the first instruction of its own handler, and dies. About once in a hundred runs it
# has died in an interrupt without a trace of that: what it was is told, and the run made again.
INTERRUPTED_TWICE = r"RIP: 0010:asm_sysvec_xen_hvm_callback\+0x0/|Kernel panic - not syncing: Fatal exception in interrupt"


class Admin(insula.Insula):
    """A machine whose console is domain 0's: Insula's, or real Xen's. words: for domain 0's kernel."""

    def __init__(self, name: str, machine: str = "deterministic", *arguments: str, options: str = "dom0_mem=512M", words: str = "",
                 limit: float = 600, on_xen: bool = ON_XEN, root=ADMIN_ROOT):
        kernel = (ADMIN_KERNEL[0], f"{ADMIN_KERNEL[1]} {words}".strip())
        self.on_xen = on_xen
        if on_xen:
            memory = re.search(r"dom0_mem=(\d+M)", options).group(1)
            Machine.__init__(self, f"xen-{name}", "xen", *arguments, kernel=XEN, limit=limit,
                             append=f"{insula.OPTIONS} dom0=pvh dom0_max_vcpus=1 {options.replace(memory, f'{memory},max:{memory}')}",
                             modules=((kernel[0], kernel[1].split(" ", 1)[1]), (root[0],)))
        else:
            super().__init__(name, machine, *arguments, options=options, modules=(kernel, root), limit=limit)
        self.count = 0

    def send(self, text: str) -> None:
        """Xen keeps few characters that its serial port has received: there, some at a time, each lot when the one before was echoed."""
        lot = 32 if self.on_xen else max(len(text), 1)
        for start in range(0, len(text), lot):
            part, before, end = text[start:start + lot], len(self.text), time.monotonic() + 5
            super().send(part)
            while self.on_xen and len(self.text) < before + len(part) and time.monotonic() < end and self.pump(0.1):
                pass

    def login(self) -> None:
        self.expect(READY, 240)
        self.expect(insula.LOGIN, 60)
        self.send("root\r")
        self.expect(insula.SHELL, 60)
        self.shell("stty columns 4000")  # no line of it is folded

    def expect(self, pattern, wall=120, never=insula.PANIC, virtual=None):
        try:
            return super().expect(pattern, wall, never, virtual)
        except Failure as failure:
            if not self.on_xen:
                raise
            where = re.findall(r"RIP: .*", self.text)
            why = f"{failure} on Xen; {where}"
            raise (Again if re.search(INTERRUPTED_TWICE, self.text) else Failure)(why) from failure

    def shell(self, command: str, wall: float = 60, status: int | None = 0) -> str:
        """What a command prints in domain 0's shell; its exit status must be this."""
        self.count += 1
        mark = f"MARK{self.count}"
        self.send(f"{command}; echo {mark[:4]}'{mark[4:]}' $?\r")
        match = self.expect(rf"^{mark} (\d+)(?:\n|domain_manager: )", wall)  # Insula's log comes when it likes
        start = self.text.rfind(f"$?\n", 0, match.start()) + 3
        if status is not None and int(match.group(1)) != status:
            raise Failure(f"{command}: exit status {match.group(1)}: {self.text[start:match.start()][-300:]!r}")
        return self.text[start:match.start()]


@scenario(weight=60, on_xen=True)
def dom0_xl_info_and_list():
    with Admin("dom0-info") as machine:
        machine.login()
        info = machine.shell("xl info")
        for line in (r"^xen_version +: 4\.17", r"^xen_scheduler +: credit2", r"^nr_cpus +: 1$", r"^total_memory +: (\d+)$", r"^virt_caps +: .*\bhvm .*\bhap gnttab-v1"):
            insula.check(re.search(line, info, re.M) is not None, f"xl info has no line {line}: {info[:600]!r}")
        rows = machine.shell("xl list").splitlines()
        insula.check(len(rows) == 2 and re.match(r"Domain-0 +0 +51[12] +1 +r----- ", rows[1]) is not None, f"xl list: {rows!r}")
        insula.check(machine.shell("xenstore-read domid 2>/dev/null || xenstore read domid").strip() == "0", "xenstore's domid is not 0")
        # more than any buffer on its way holds: nothing of it is lost
        text = machine.shell("seq 100000 108000", 300)
        insula.check(text.split() == [str(n) for n in range(100000, 108001)], f"of 8,001 lines {len(text.split())} came")
        insula.check(re.search(r"^Domain-0 .* all$", machine.shell("xl list -n"), re.M) is not None, "domain 0 is on no node")
        log = "(XEN) Xen version 4.17" if ON_XEN else "domain_manager: domain 0: "
        insula.check(log in machine.shell("xl dmesg"), f"xl dmesg has no line {log!r}")
        # more than the log keeps: xenconsoled has each line of it, and what was cleared is not shown again
        machine.shell("for i in $(seq 40); do xl debug-keys hhh; done", 300)
        machine.shell("until [ $(grep -c \"'h' pressed\" /var/log/xen/hypervisor.log) = 120 ]; do usleep 100000; done", 120)
        shown = [machine.shell(f"xl dmesg {clear} | grep -c \"'h' pressed\"", status=None).strip() for clear in ("", "-c", "")]
        insula.check(int(shown[0]) > 2 and shown[1:] == [shown[0], "0"], f"xl dmesg, with -c and after it, shows the key {shown!r} times")


def guest(machine: Admin, name: str, kernel: str, memory: int, extra: str, ramdisk: str = "", more: str = "") -> None:
    """An xl configuration in domain 0."""
    lines = [f'name="{name}"', 'type="pvh"', f"memory={memory}", "vcpus=1", f'kernel="{kernel}"', f'extra="{extra}"', 'on_crash="preserve"']
    if more:
        lines.append(more)
    if ramdisk:
        lines.append(f'ramdisk="{ramdisk}"')
    machine.shell(f"printf '%s\\n' {' '.join(repr(line) for line in lines)} > /run/{name}.cfg")


def create_again(machine: Admin, number: int) -> None:
    """The domain of tiny.cfg, of which none is there, with this number; then it is destroyed."""
    machine.shell("rm -f /var/log/xen/guest-tiny.log; xl create /run/tiny.cfg", 120)
    rows = [row.split() for row in machine.shell("xl list").splitlines()]
    insula.check(len(rows) == 3 and rows[2][:3] == ["tiny", str(number), "64"], f"xl list: {rows!r}")
    wait_log(machine, "tiny", "PAYLOAD start")
    end_all(machine, "tiny")


def end_all(machine: Admin, *names: str) -> None:
    """Destroys these, which are all that there are, and waits until nothing is left of them: xenstored and xenconsoled have let go."""
    for name in names:
        machine.shell(f"xl destroy {name}", 60)
    machine.shell("while xl list | grep -q null; do usleep 50000; done", 60)
    rows = machine.shell("xl list").splitlines()
    insula.check(len(rows) == 2, f"a domain is still there: {rows!r}")


def watchdog_runs_out(machine: Admin) -> None:
    guest(machine, "dog", "/guest/payload", 16, "watchdog for=3", more='on_watchdog="preserve"')
    machine.shell("xl create /run/dog.cfg", 120)
    machine.shell("until grep -q 'reason code 4' /var/log/xen/xl-dog.log; do usleep 100000; done", 120)
    said = machine.shell("grep -c 'WATCH set 1' /var/log/xen/guest-dog.log; grep -c refused /var/log/xen/guest-dog.log", status=None).split()
    row = machine.shell("xl list dog").splitlines()[1]
    insula.check(said == ["3", "0"], f"the watchdog was set and refused {said!r} times")
    insula.check(re.search(r" -[b-]-sw- ", row) is not None, f"xl list: {row!r}")
    end_all(machine, "dog")


def triple_fault_reboots(machine: Admin) -> None:
    """As HVM_PARAM_TRIPLE_FAULT_REASON has it, unless a toolstack sets it."""
    guest(machine, "three", "/guest/payload", 16, "triple_fault", more='on_reboot="preserve"')
    machine.shell("xl create /run/three.cfg", 120)
    machine.shell("until grep -q 'reason code' /var/log/xen/xl-three.log; do usleep 100000; done", 120)
    said = machine.shell("grep 'reason code' /var/log/xen/xl-three.log")
    insula.check("Domain 4 has shut down, reason code 1 " in said, f"xl says {said!r}")
    end_all(machine, "three")


@scenario(weight=80, on_xen=True)
def dom0_xl_creates_a_domain():
    with Admin("dom0-create") as machine:
        machine.login()
        guest(machine, "tiny", "/guest/payload", 64, "halt")
        free = int(machine.shell("xl info free_memory"))
        machine.shell("xl create /run/tiny.cfg", 120)
        rows = [row.split() for row in machine.shell("xl list").splitlines()]
        insula.check(len(rows) == 3 and rows[2][0] == "tiny" and rows[2][2] == "64", f"xl list: {rows!r}")
        end_all(machine, "tiny")
        left = int(machine.shell("xl info free_memory"))
        insula.check(left >= free - 1, f"free memory was {free} MiB, is {left}")
        create_again(machine, 2)
        watchdog_runs_out(machine)
        triple_fault_reboots(machine)


@scenario(weight=120, on_xen=True)
def dom0_xl_boots_debian():
    """Debian's kernel from xl to its first process and to its end; its console comes through xenconsoled."""
    with Admin("dom0-debian") as machine:
        machine.login()
        guest(machine, "debian", "/guest/vmlinuz", 128, "console=hvc0 insula.test=poweroff", ramdisk="/guest/initrd")
        machine.shell("xl create /run/debian.cfg", 180)
        machine.shell("until grep -q INSULA-GUEST /var/log/xen/guest-debian.log; do sleep 1; done", 240)
        machine.shell("while xl list debian; do sleep 1; done >/dev/null 2>&1", 120)
        rows = machine.shell("xl list").splitlines()
        insula.check(len(rows) == 2, f"the domain is still there: {rows!r}")


def scripted(machine: Admin, name: str, script: str, more: str = "") -> None:
    """Debian's kernel in a domain whose first process runs this script and ends; its console is in /var/log/xen."""
    for line in script.strip().splitlines():
        machine.shell(f"echo {base64.b64encode((line + chr(10)).encode()).decode()} | base64 -d >> /run/{name}.script")
    machine.shell(f"mkdir -p /run/{name} && mv /run/{name}.script /run/{name}/script && cd /run/{name} && "
                  f"(zcat /guest/initrd; echo script | cpio -o -H newc) | gzip -1 > /run/{name}.initrd; cd /")
    guest(machine, name, "/guest/vmlinuz", 128, "console=hvc0 quiet insula.test=script", ramdisk=f"/run/{name}.initrd", more=more)


def wait_log(machine: Admin, name: str, words: str, wall: float = 240) -> str:
    """What a guest's console said after these words, on their line."""
    log = f"/var/log/xen/guest-{name}.log"
    machine.shell(f"until grep -q '{words}' {log}; do usleep 200000; done", wall)
    return machine.shell(f"grep '{words}' {log} | tail -n 1 | tr -d '\\r'").strip().split(words, 1)[1].strip()


DISK_SCRIPT = """
until [ -b /dev/xvda ]; do usleep 50000; done
echo "DISK first $(sha256sum < /dev/xvda)"
yes insula | head -c 1228800 | dd of=/dev/xvda bs=4096 seek=200 conv=fsync 2>/dev/null
echo "DISK written $(cat /sys/block/xvda/size)"
until [ -b /dev/xvdb ]; do usleep 50000; done
mke2fs /dev/xvdb >/dev/null && mount -t ext4 /dev/xvdb /tmp && sha256sum /init > /tmp/sum && cp /init /tmp/file && umount /tmp && echo "DISK made ok"
while [ -b /dev/xvdb ]; do usleep 50000; done
until [ -b /dev/xvdc ]; do usleep 50000; done
mount -t ext4 -o ro /dev/xvdc /tmp && echo "DISK mounted $(sha256sum < /tmp/file | cut -c1-64) $(cut -c1-64 /tmp/sum)"
echo "DISK readonly $(cat /sys/block/xvdc/ro)"
umount /tmp
while [ -b /dev/xvdc ]; do usleep 50000; done
echo "DISK end ok"
"""


@scenario(weight=150, on_xen=True)
def dom0_xl_block_devices():
    """Debian's blkback in domain 0 and blkfront in a guest: a disk given at the start, one plugged in, written, taken out, and given again to be read only."""
    with Admin("dom0-block", words=OXENSTORED) as machine:
        machine.login()
        machine.shell("dd if=/dev/urandom of=/run/a.img bs=65536 count=64 2>/dev/null; dd if=/dev/zero of=/run/b.img bs=65536 count=32 2>/dev/null")
        before = machine.shell("sha256sum < /run/a.img").split()[0]
        scripted(machine, "disk", DISK_SCRIPT, more='disk=["/run/a.img,raw,xvda,w"]')
        machine.shell("xl create /run/disk.cfg", 180)
        insula.check(wait_log(machine, "disk", "DISK first").split()[0] == before, "the guest reads something else from its disk")
        insula.check(wait_log(machine, "disk", "DISK written") == "8192", "the disk has another size")
        machine.shell("dd if=/run/a.img bs=4096 skip=200 count=300 2>/dev/null > /run/there; yes insula | head -c 1228800 | cmp - /run/there")
        machine.shell("xl block-attach disk /run/b.img,raw,xvdb,w", 60)
        wait_log(machine, "disk", "DISK made ok")
        rows = [row.split() for row in machine.shell("xl block-list disk").splitlines()[1:]]
        insula.check([row[0] for row in rows] == ["51712", "51728"] and all(row[3] == "4" for row in rows), f"xl block-list: {rows!r}")
        machine.shell("xl block-detach disk xvdb", 60)
        machine.shell("xl block-attach disk /run/b.img,raw,xvdc,r", 60)
        sums = wait_log(machine, "disk", "DISK mounted").split()
        insula.check(len(sums) == 2 and sums[0] == sums[1], f"the file's sum and what it was: {sums!r}")
        insula.check(wait_log(machine, "disk", "DISK readonly") == "1", "the disk can be written")
        machine.shell("xl block-detach disk xvdc", 60)
        wait_log(machine, "disk", "DISK end ok")
        machine.shell("while xl list disk; do usleep 200000; done >/dev/null 2>&1", 120)
        machine.shell("while xl list | grep -q null; do usleep 50000; done", 60)
        insula.check(machine.shell("losetup -a") == "", "a loop device is still there")


def fuzz(machine: Admin, number: int) -> None:
    """Two domains, the next that are made, do at random what they can do to each other (tests/guests/pair.c). They end, and nothing of them is left."""
    free = int(machine.shell("xl info free_memory"))
    for name, own, other in (("one", 0, 1), ("two", 1, 0)):
        guest(machine, name, "/guest/payload", 16, f"fuzz with={number + other} seed={FUZZ_SEED + own}")
    machine.shell("xl create /run/one.cfg && xl create /run/two.cfg", 180)
    for name in ("one", "two"):
        wait_log(machine, name, "PAIR fuzzed", 300)
    rows = [row.split() for row in machine.shell("xl list").splitlines()[2:]]
    insula.check(len(rows) == 2 and all(12 <= int(row[2]) <= 16 for row in rows), f"xl list: {rows!r}")
    end_all(machine, "one", "two")
    left = int(machine.shell("xl info free_memory"))
    insula.check(left >= free - 1, f"free memory was {free} MiB, is {left}")


def event_flood(machine: Admin, number: int) -> None:
    """Every port that max_event_channels allows is bound to the other domain, and pending at once; one more is refused (tests/guests/flood.c)."""
    for name, mode, other in (("flooded", "flooded", number + 1), ("flood", "event_flood", number)):
        guest(machine, name, "/guest/payload", 16, f"{mode} with={other}", more=f"max_event_channels={CHANNELS}")
        machine.shell(f"echo 'on_poweroff=\"preserve\"' >> /run/{name}.cfg")
    machine.shell("xl create /run/flooded.cfg", 120)
    made = wait_log(machine, "flooded", "FLOOD made")
    insula.check(made == f"{CHANNELS - RESERVED} error {ENOSPC}", f"ports that could be made: {made}")
    machine.shell("xl create /run/flood.cfg", 120)
    bound = wait_log(machine, "flood", "FLOOD bound")
    insula.check(bound == f"{CHANNELS - RESERVED} last {CHANNELS} sent {2 * (CHANNELS - RESERVED)}", f"the sender says {bound!r}")
    taken = wait_log(machine, "flooded", "FLOOD taken").split()
    insula.check(int(taken[0]) == CHANNELS - RESERVED and taken[3:] == ["upcall", "1"], f"the receiver says {taken!r}")
    end_all(machine, "flooded", "flood")


@scenario(weight=100, on_xen=True)
def dom0_two_domains_share():
    """Grants and event channels between two ordinary domains (tests/guests/pair.c), refusals among them; the granter, ended, stays in state d while its page is mapped.
    All event channels that a domain may have, pending. Then two that do anything."""
    with Admin("dom0-pair") as machine:
        machine.login()
        guest(machine, "granter", "/guest/payload", 16, "granter with=2")
        guest(machine, "user", "/guest/payload", 16, "user with=1" + (" taken=0 handles=254" if ON_XEN else ""), more="max_maptrack_frames=1")
        machine.shell("xl create /run/granter.cfg", 120)
        wait_log(machine, "granter", "PAIR ready")
        machine.shell("xl create /run/user.cfg", 120)
        machine.shell("until grep -q 'PAIR tried' /var/log/xen/guest-user.log; do usleep 100000; done", 120)
        said = machine.shell("grep -h PAIR /var/log/xen/guest-user.log /var/log/xen/guest-granter.log | tr -d '\\r'")
        found = re.search(r"^PAIR tried (\d+) wrong 0$", said, re.M)
        insula.check(found is not None and int(found.group(1)) > 700, f"the user says {said!r}")
        insula.check(re.search(r"^PAIR granted (\d+) wrong 0$", said, re.M) is not None, f"the granter says {said!r}")
        machine.shell("until xl list | grep -q null; do usleep 100000; done", 60)
        rows = [row.split() for row in machine.shell("sleep 1; xl list").splitlines()]
        insula.check([row[1] for row in rows[1:]] == ["0", "1", "2"] and "d" in rows[2][4], f"xl list: {rows!r}")
        end_all(machine, "user")
        event_flood(machine, 3)
        if not ON_XEN:  # where a domain that maps at a place already taken is crashed
            fuzz(machine, 5)


NET_SCRIPT = """
until [ -e /sys/class/net/eth0 ]; do usleep 50000; done
ip addr add 10.0.0.{own}/24 dev eth0 && ip link set eth0 up
# busybox's ping waits for the last answer only twice as long as for the others
until [ "$(ping -c 3 -s 1400 10.0.0.1 2>/dev/null | grep -c ttl=)" = 3 ]; do :; done
echo "NET admin ok"
until [ "$(ping -c 3 -s 1400 10.0.0.{other} 2>/dev/null | grep -c ttl=)" = 3 ]; do :; done
echo "NET other ok"
"""
NET_SEND = """
head -c 2000000 /dev/urandom > /tmp/data
echo "NET sends $(sha256sum < /tmp/data)"
nc -l -p 5000 < /tmp/data
"""
NET_RECEIVE = """
until nc 10.0.0.{other} 5000 > /tmp/data && [ -s /tmp/data ]; do sleep 1; done
echo "NET got $(sha256sum < /tmp/data)"
"""
NET_END = """
while [ -e /sys/class/net/eth0 ]; do usleep 50000; done
echo "NET end ok"
"""


@scenario(weight=200, on_xen=True)
def dom0_xl_network():
    """Debian's netback and a bridge in domain 0, netfront in two guests: they reach domain 0 and each other; one has its interface from the start, the other plugged in and out."""
    with Admin("dom0-network", words=OXENSTORED) as machine:
        machine.login()
        machine.shell("brctl addbr xenbr0 && ip addr add 10.0.0.1/24 dev xenbr0 && ip link set xenbr0 up")
        scripted(machine, "one", NET_SCRIPT.format(own=2, other=3) + NET_SEND + NET_END, more='vif=["bridge=xenbr0,mac=00:16:3e:00:00:02"]')
        scripted(machine, "two", NET_SCRIPT.format(own=3, other=2) + NET_RECEIVE.format(other=2) + NET_END)
        machine.shell("xl create /run/one.cfg", 180)
        machine.shell("xl create /run/two.cfg", 180)
        machine.shell("xl network-attach two bridge=xenbr0 mac=00:16:3e:00:00:03", 60)
        for name in ("one", "two"):
            for whom in ("admin", "other"):
                wait_log(machine, name, f"NET {whom} ok")
        sent, got = wait_log(machine, "one", "NET sends"), wait_log(machine, "two", "NET got")
        insula.check(sent == got, f"sent {sent}, got {got}")
        rows = [row.split() for row in machine.shell("xl network-list two").splitlines()[1:]]
        insula.check(len(rows) == 1 and rows[0][2] == "00:16:3e:00:00:03" and rows[0][4] == "4", f"xl network-list: {rows!r}")
        for name in ("two", "one"):
            machine.shell(f"xl network-detach {name} 0", 60)
            wait_log(machine, name, "NET end ok")
            machine.shell(f"while xl list {name}; do usleep 200000; done >/dev/null 2>&1", 120)
        insula.check(machine.shell("ls /sys/class/net/xenbr0/brif") == "", "an interface is still at the bridge")


LIFE_SCRIPT = """
head -c 4000000 /dev/urandom > /tmp/file; echo "LIFE started $(cat /proc/sys/kernel/random/boot_id)"
low=0; i=0; first=0
while :; do
i=$((i+1)); now=$(awk '/^MemTotal/ {print $2}' /proc/meminfo); [ $first = 0 ] && first=$now
echo "LIFE tick $i"; echo "LIFE memory $now $(sha256sum < /tmp/file | cut -c1-16)"
if [ $now -lt $((first - 80000)) ]; then low=1; elif [ $low = 1 ] && [ $now -ge $((first - 1000)) ]; then
low=0; for n in $(seq 18); do cp /tmp/file /tmp/file.$n; done
for n in $(seq 18); do cmp /tmp/file /tmp/file.$n && rm /tmp/file.$n; done; [ "$(ls /tmp)" = file ] && echo "LIFE filled"
fi
sleep 1
done
"""


def look_and_pause(machine: Admin, number: int) -> None:
    rows = [row.split() for row in machine.shell("xl vcpu-list worker").splitlines()]
    insula.check(rows[0][:4] == ["Name", "ID", "VCPU", "CPU"] and rows[1][:3] == ["worker", str(number), "0"] and float(rows[1][5]) > 0
                 and rows[1][6:] == ["all", "/", "all"], f"xl vcpu-list: {rows!r}")
    top = machine.shell("xentop -b -i 1")
    insula.check(re.search(r"^ *worker [-a-z]{6} +\d+ ", top, re.M) is not None, f"xentop does not show it: {top!r}")
    machine.shell("xl pause worker")
    insula.check("p" in machine.shell("xl list worker").splitlines()[1].split()[4], "it is not paused")
    machine.shell("usleep 500000")  # what it wrote before is on its way to the log
    tick = wait_log(machine, "worker", "LIFE tick")
    machine.shell("sleep 4")
    insula.check(wait_log(machine, "worker", "LIFE tick") == tick, "it runs while it is paused")
    machine.shell("xl unpause worker")
    machine.shell(f"until [ $(grep -c 'LIFE tick' /var/log/xen/guest-worker.log) -gt {tick} ]; do usleep 200000; done", 120)
    machine.shell("xl rename worker other")
    insula.check(machine.shell("xl domid other").strip() == str(number), "the new name is not known")
    machine.shell("xl rename other worker")


def mem_set(machine: Admin, name: str, log: str) -> None:
    """The guest gives memory back and gets it again, twice; what it keeps stays as it was, and what it gives is free for others meanwhile."""
    total, sum_before = wait_log(machine, name, log).split()
    free = int(machine.shell("xl info free_memory"))
    for times in (1, 2):
        machine.shell(f"xl mem-set {name} 160", 60)
        machine.shell(f"until [ $(xl list {name} | awk 'NR == 2 {{print $3}}') -le 160 ]; do usleep 500000; done", 300)
        machine.shell(f"until [ $(grep '{log}' /var/log/xen/guest-{name}.log | tail -n 1 | awk '{{print $3}}') -lt {int(total) - 90000} ]; do usleep 500000; done", 120)
        got = int(machine.shell("xl info free_memory")) - free
        insula.check(90 <= got <= 96, f"of 96 MiB that the guest gave back {got} are free")
        machine.shell(f"xl mem-set {name} 256", 60)
        machine.shell(f"until [ $(xl list {name} | awk 'NR == 2 {{print $3}}') -ge 256 ]; do usleep 500000; done", 300)
        machine.shell(f"until [ $(grep -c 'LIFE filled' /var/log/xen/guest-{name}.log) = {times} ]; do usleep 500000; done", 300)
        insula.check(wait_log(machine, name, log).split()[1] == sum_before, "a file changed")
        left = int(machine.shell("xl info free_memory"))
        # what is noted of split frames, some 64 KiB of each, stays
        insula.check(free - 9 <= left <= free, f"free memory was {free} MiB, is {left}")


def end_twice(machine: Admin, number: int, first: str) -> None:
    machine.shell("xl reboot worker")
    machine.shell("until [ $(grep -c 'LIFE started' /var/log/xen/guest-worker.log) = 2 ]; do usleep 200000; done", 400)
    insula.check(wait_log(machine, "worker", "LIFE started") != first, "it was not started anew")
    insula.check(machine.shell("xl domid worker").strip() == str(number + 1), "the new one has another number than the next")
    machine.shell("xl shutdown -w worker", 120)
    end_all(machine)


def lifecycle(machine: Admin, number: int) -> None:
    scripted(machine, "worker", LIFE_SCRIPT)
    free = int(machine.shell("xl info free_memory"))
    machine.shell("sed -i s/memory=128/memory=256/ /run/worker.cfg && xl create /run/worker.cfg", 180)
    first = wait_log(machine, "worker", "LIFE started")
    look_and_pause(machine, number)
    mem_set(machine, "worker", "LIFE memory")
    machine.shell("xl trigger worker power && xl trigger worker nmi 0")
    wait_log(machine, "worker", "Dazed and confused", 60)
    end_twice(machine, number, first)
    left = int(machine.shell("xl info free_memory"))
    # what domain 0 needed to map pages of a domain while it was built, it keeps for the next
    insula.check(left >= free - 5, f"free memory was {free} MiB, is {left}")


@scenario(weight=200, on_xen=True)
def dom0_xl_lifecycle():
    """What a user does with a running guest: look at it, pause it, rename it, send it an NMI, take memory from it and give it, reboot it, shut it down."""
    with Admin("dom0-life") as machine:
        machine.login()
        lifecycle(machine, 1)
