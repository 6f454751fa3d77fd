"""libvirt's Xen driver in the admin VM: Debian's libvirtd and virsh (image/libvirt), unmodified."""
import re

import insula
from harness import OUT
from scenarios import scenario
from test_driver_domains import Prepared

MIB = 1024  # virsh shows KiB
DEBIAN = """<domain type="xen">
<name>debian</name><uuid>11111111-2222-3333-4444-555555555555</uuid><memory unit="MiB">160</memory><currentMemory unit="MiB">128</currentMemory><vcpu>2</vcpu>
<os><type arch="x86_64" machine="xenpvh">xenpvh</type><kernel>/guest/vmlinuz</kernel><initrd>/run/debian.initrd</initrd>
<cmdline>console=hvc0 quiet insula.test=script</cmdline></os>
</domain>
"""
TINY = """<domain type="xen">
<name>{name}</name><memory unit="MiB">{memory}</memory>
<os><type>xenpvh</type><kernel>{kernel}</kernel><cmdline>halt</cmdline></os>
</domain>
"""
SCRIPT = """
while :; do echo "GUEST tick"; sleep 1; done
"""


class Libvirt(Prepared):
    archives = [OUT / "image" / "libvirt.cpio"]

    def prepare(self) -> None:
        self.user("debian", SCRIPT)
        self.files.file("run/debian.xml", DEBIAN)
        for name, memory, kernel in (("tiny", 16, "/guest/payload"), ("large", 1 << 20, "/guest/payload"), ("bad", 16, "/run/bad.xml")):
            self.files.file(f"run/{name}.xml", TINY.format(name=name, memory=memory, kernel=kernel))

    def daemon(self) -> None:
        """Starts libvirtd, and waits until it answers."""
        self.shell("libvirtd -d; until virsh -c xen:///system version >/run/version; do usleep 200000; done 2>/run/wait", 120)

    def virsh(self, words: str, status: int = 0) -> str:
        """What it says to commands that ; divides. The hypervisor's own log is on the same console."""
        return re.sub(r"domain_manager: .*\n", "", self.shell(f"virsh -c xen:///system '{words}' 2>&1", 180, status))

    def fields(self, words: str) -> dict[str, str]:
        return {name: value for name, value in re.findall(r"^([\w() ]+):\s+(.*\S)\s*$", self.virsh(words), re.M)}

    def wait(self, command: str, words: str) -> None:
        """Until what virsh says to the command has these words."""
        self.shell(f"until virsh -c xen:///system '{command}' | grep -q '{words}'; do usleep 300000; done", 240)

    def used(self, mib: int) -> None:
        """Until this much memory is used, or at most 1 MiB more or less."""
        over = f"virsh -c xen:///system dominfo debian | awk '/^Used/ {{print $3 - {mib * MIB}}}'"
        self.shell(f'until over=$({over}); [ "$over" -le {MIB} ] && [ "$over" -ge -{MIB} ]; do usleep 300000; done', 240)

    def states(self) -> dict[str, str]:
        """Of all domains but domain 0."""
        rows = re.findall(r"^ (\d+|-) +(\S+) +(\S.*?) *$", self.virsh("list --all"), re.M)
        insula.check(("0", "Domain-0", "running") in rows, f"domain 0 is not in virsh list: {rows!r}")
        return {name: state for _, name, state in rows if name != "Domain-0"}


def asked(machine: Libvirt) -> None:
    """What libvirt tells of the hypervisor and the machine."""
    version = machine.shell("cat /run/version")
    insula.check("Using API: Xen 9.0.0" in version and re.search(r"Running hypervisor: Xen 4\.17\.\d", version) is not None, f"virsh version: {version!r}")
    info = machine.fields("nodeinfo")
    total = int(machine.shell("xl info total_memory"))
    insula.check(info.get("CPU model") == "x86_64" and info.get("CPU(s)") == "1" and abs(int(info["Memory size"].split()[0]) - total * MIB) < MIB, f"virsh nodeinfo: {info!r}")
    insula.check(int(machine.shell("xl info hw_caps").split(":")[0], 16) >> 11 & 1, "hw_caps do not name SEP")
    capabilities = machine.virsh("capabilities")
    model = re.search(r"<arch>x86_64</arch>.*?<model>(\w+)</model>.*?</cpu>", capabilities, re.S)
    insula.check(model is not None and model.group(1) not in ("486", "pentium"), f"virsh capabilities: {capabilities!r}")
    insula.check("<os_type>xenpvh</os_type>" in capabilities and "<os_type>hvm</os_type>" in capabilities, f"virsh capabilities: {capabilities!r}")


def lived(machine: Libvirt) -> None:
    """A Debian guest from its definition to the end."""
    machine.virsh("define /run/debian.xml; start debian")
    number = machine.shell("xl domid debian").strip()
    info = machine.fields("dominfo debian")
    expected = {"Id": number, "Name": "debian", "UUID": "11111111-2222-3333-4444-555555555555", "OS Type": "xenpvh", "State": "running", "CPU(s)": "2",
                "Max memory": f"{160 * MIB} KiB", "Persistent": "yes"}
    insula.check(expected.items() <= info.items(), f"virsh dominfo: {info!r}")
    insula.check(abs(int(info["Used memory"].split()[0]) - 128 * MIB) <= MIB, f"virsh dominfo: {info!r}")
    machine.said("debian", "GUEST tick")
    vcpus = machine.virsh("domid debian; vcpuinfo debian")
    insula.check(vcpus.split()[0] == number and re.findall(r"^VCPU: +(\d)$", vcpus, re.M) == ["0", "1"], f"virsh vcpuinfo: {vcpus!r}")
    machine.virsh("suspend debian")
    insula.check(machine.states() == {"debian": "paused"}, f"after suspend: {machine.states()!r}")
    row = machine.shell("xl list debian").splitlines()[-1]
    insula.check(re.search(r" -[-b]p--- ", row) is not None, f"xl list: {row!r}")
    count = "grep -c tick /var/log/xen/guest-debian.log"
    first, second = machine.shell(count), machine.shell(f"sleep 2; {count}")
    insula.check(first == second, "it runs while it is suspended")
    machine.virsh("resume debian")
    machine.shell("more-of debian tick", 120)
    for mib in (112, 144):
        machine.virsh(f"setmem debian {mib}M --live")
        machine.used(mib)


@scenario(100)
def dom0_libvirt():
    """version, define, start, dominfo, suspend, resume, setmem, shutdown, create, destroy, undefine; what cannot be started; the daemon ended and started again."""
    with Libvirt("libvirt") as machine:
        machine.login()
        machine.shell("sh /run/join", 120)
        machine.daemon()
        asked(machine)
        lived(machine)
        # the daemon finds again what it had started
        machine.shell("kill -9 $(cat /run/libvirtd.pid)")
        machine.daemon()
        insula.check(machine.states() == {"debian": "running"}, f"after libvirtd's end: {machine.states()!r}")
        machine.virsh("shutdown debian")
        machine.wait("domstate debian", "shut off")
        insula.check(machine.states() == {"debian": "shut off"}, f"after the shutdown: {machine.states()!r}")
        # from here on: room for what is noted of pages that domain 0 maps stays with it once it was needed
        machine.shell("while xl list | grep -q null; do usleep 50000; done; [ $(xl list | wc -l) = 2 ]", 60)
        free = int(machine.shell("xl info free_memory"))
        machine.virsh("undefine debian; create /run/tiny.xml")
        insula.check(machine.states() == {"tiny": "running"}, f"after create: {machine.states()!r}")
        machine.said("tiny", "PAYLOAD start")
        machine.virsh("destroy tiny")
        for name in ("large", "bad"):
            said = machine.virsh(f"create /run/{name}.xml", 1)
            insula.check(f"libxenlight failed to create new domain '{name}'" in said, f"virsh create {name}: {said!r}")
        insula.check(machine.states() == {}, f"left are {machine.states()!r}")
        machine.shell("while xl list | grep -q null; do usleep 50000; done; [ $(xl list | wc -l) = 2 ]", 60)
        left = int(machine.shell("xl info free_memory"))
        insula.check(left >= free - 1, f"free memory was {free} MiB, is {left}")
