"""The admin VM: domain 0 with Debian's own Xen tools."""
import re

import insula
from harness import OUT, Failure
from scenarios import scenario

ADMIN_KERNEL = (OUT / "image" / "vmlinux-dom0", "name=vmlinux console=hvc0 quiet")
ADMIN_ROOT = (OUT / "image" / "admin.initrd", "name=initrd")
READY = "INSULA-ADMIN: ready"


class Admin(insula.Insula):
    """A machine whose console is domain 0's."""

    def __init__(self, name: str, machine: str = "parallel", *arguments: str, options: str = "dom0_mem=1024M", limit: float = 600):
        super().__init__(name, machine, *arguments, options=options, modules=(ADMIN_KERNEL, ADMIN_ROOT), limit=limit)
        self.count = 0

    def login(self) -> None:
        self.expect(READY, 240)
        self.expect(insula.LOGIN, 60)
        self.send("root\r")
        self.expect(insula.SHELL, 60)

    def shell(self, command: str, wall: float = 60, status: int | None = 0) -> str:
        """What a command prints in domain 0's shell; its exit status must be this."""
        self.count += 1
        mark = f"MARK{self.count}"
        self.send(f"{command}; echo {mark[:4]}'{mark[4:]}' $?\r")
        match = self.expect(rf"^{mark} (\d+)\n", wall)
        start = self.text.rfind(f"$?\n", 0, match.start()) + 3
        if status is not None and int(match.group(1)) != status:
            raise Failure(f"{command}: exit status {match.group(1)}: {self.text[start:match.start()][-300:]!r}")
        return self.text[start:match.start()]


@scenario(weight=60)
def dom0_xl_info_and_list():
    with Admin("dom0-info") as machine:
        machine.login()
        info = machine.shell("xl info")
        for line in (r"^xen_version +: 4\.17", r"^xen_scheduler +: credit2", r"^nr_cpus +: 1$", r"^total_memory +: (\d+)$", r"^virt_caps +: hvm hap gnttab-v1"):
            insula.check(re.search(line, info, re.M) is not None, f"xl info has no line {line}: {info[:600]!r}")
        rows = machine.shell("xl list").splitlines()
        insula.check(len(rows) == 2 and re.match(r"Domain-0 +0 +1024 +1 +r----- ", rows[1]) is not None, f"xl list: {rows!r}")
        insula.check(machine.shell("xenstore-read domid 2>/dev/null || xenstore read domid").strip() == "0", "xenstore's domid is not 0")
        insula.check("domain_manager: domain 0: " in machine.shell("xl dmesg"), "xl dmesg has not Insula's log")


def guest(machine: Admin, name: str, kernel: str, memory: int, extra: str, ramdisk: str = "") -> None:
    """An xl configuration in domain 0."""
    lines = [f'name="{name}"', 'type="pvh"', f"memory={memory}", "vcpus=1", f'kernel="{kernel}"', f'extra="{extra}"', 'on_crash="preserve"']
    if ramdisk:
        lines.append(f'ramdisk="{ramdisk}"')
    machine.shell(f"printf '%s\\n' {' '.join(repr(line) for line in lines)} > /run/{name}.cfg")


@scenario(weight=80)
def dom0_xl_creates_a_domain():
    with Admin("dom0-create") as machine:
        machine.login()
        guest(machine, "tiny", "/guest/payload", 64, "halt")
        free = int(machine.shell("xl info free_memory"))
        machine.shell("xl create /run/tiny.cfg", 120)
        rows = [row.split() for row in machine.shell("xl list").splitlines()]
        insula.check(len(rows) == 3 and rows[2][0] == "tiny" and rows[2][2] == "64", f"xl list: {rows!r}")
        machine.shell("xl destroy tiny", 60)
        machine.shell("while xl list | grep -q null; do usleep 50000; done", 60)  # until xenstored and xenconsoled have let go
        rows = machine.shell("xl list").splitlines()
        insula.check(len(rows) == 2, f"the domain is still there: {rows!r}")
        left = int(machine.shell("xl info free_memory"))
        insula.check(left >= free - 1, f"free memory was {free} MiB, is {left}")


@scenario(weight=120)
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
