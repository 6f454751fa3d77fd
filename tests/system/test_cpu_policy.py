"""CPU policies: what an xl configuration hides of the CPU, and what a saved domain had of it, is what the guest finds."""
import base64
import re

import insula
from harness import OUT
from scenarios import scenario
from test_dom0 import ON_XEN, Admin, end_all, scripted, wait_log

SCRIPT = """
echo "POLICY flags $(grep -m 1 '^flags' /proc/cpuinfo | cut -d: -f2)"; n=0
while :; do n=$((n+1)); echo "POLICY tick $n$(/leaves)"; sleep 1; done
"""
HIDDEN = {"sse4_2": (1, "ecx", 20), "rdrand": (1, "ecx", 30), "avx2": (7, "ebx", 5)}
XEND = "0x1:ecx=" + "".join("0" if bit in (20, 30) else "x" for bit in range(31, -1, -1))
REGISTERS = ("eax", "ebx", "ecx", "edx")

Leaves = dict[int, dict[str, int]]


def prepare(machine: Admin) -> None:
    """Debian's kernel with the program that tells the leaves; two configurations of it."""
    scripted(machine, "one", SCRIPT)
    program = base64.b64encode((OUT / "tests" / "leaves").read_bytes()).decode()
    for start in range(0, len(program), 500):
        machine.shell(f"echo {program[start:start + 500]} >> /run/leaves")
    machine.shell("cd /run/one && base64 -d < /run/leaves > leaves && chmod 755 leaves && "
                  "(zcat /guest/initrd; printf 'script\\nleaves\\n' | cpio -o -H newc) | gzip -1 > /run/one.initrd; cd /")
    machine.shell("sed -i s/memory=128/memory=96/ /run/one.cfg; sed s/one/two/ /run/one.cfg | sed s,/run/two,/run/one, > /run/two.cfg")
    machine.shell(f"echo 'cpuid=\"host,{','.join(f'{name}=0' for name in HIDDEN)}\"' >> /run/one.cfg; echo 'cpuid=[\"{XEND}\"]' >> /run/two.cfg")


def leaves(machine: Admin, name: str, tick: int) -> Leaves:
    text = wait_log(machine, name, f"POLICY tick {tick} ")
    return {int(number, 16): dict(zip(REGISTERS, (int(word, 16) for word in words.split(",")))) for number, words in re.findall(r"([0-9a-f]{8}):([0-9a-f,]{35})", text)}


def bit(found: Leaves, name: str) -> int:
    leaf, register, number = HIDDEN[name]
    return found[leaf][register] >> number & 1


def hidden(machine: Admin) -> Leaves:
    machine.shell("xl create /run/one.cfg", 180)
    flags = wait_log(machine, "one", "POLICY flags").split()
    insula.check(not set(HIDDEN) & set(flags) and {"sse4_1", "ssse3", "nx", "xsave", "avx", "hypervisor"} <= set(flags), f"the guest's kernel has {flags!r}")
    found = leaves(machine, "one", 1)
    insula.check(len(found) == 10 and not any(bit(found, name) for name in HIDDEN), f"CPUID says {found!r}")
    insula.check(found[1]["ecx"] >> 27 & 1 and found[1]["ebx"] >> 24 == 0, f"leaf 1 says {found[1]!r}")
    return found


# libxc's record of the TSC (type 8, 24 bytes, mode 0), near the stream's end; then its rate in kHz.
TSC_RECORD = "080000001800000000000000"
FIND = f"$(($(stat -c %s /run/one.save) - 65536 + ($(tail -c 65536 /run/one.save | od -An -v -tx1 | tr -d ' \\n' | awk '{{print index($0, \"{TSC_RECORD}\")}}') - 1) / 2 + {len(TSC_RECORD) // 2}))"


def rate(machine: Admin, khz: int | None = None) -> int:
    """What the saved domain's TSC runs at, or is now said to."""
    if khz is not None:
        digits = "".join(f"\\x{byte:02x}" for byte in khz.to_bytes(4, "little"))
        machine.shell(f"printf '{digits}' | dd of=/run/one.save bs=1 seek={FIND} conv=notrunc 2>/dev/null")
    return int(machine.shell(f"dd if=/run/one.save bs=1 skip={FIND} count=4 2>/dev/null | od -An -tu4"))


def other_rate(machine: Admin) -> None:
    """A TSC that was half as fast again would have to be emulated."""
    khz = rate(machine)
    insula.check(abs(khz - float(machine.shell("xl info cpu_mhz")) * 1000) < khz // 1000, f"the stream says {khz} kHz")
    rate(machine, khz * 3 // 2)
    machine.shell("xl restore /run/one.save 2>/run/said", 300, status=1)
    insula.check("Operation not supported" in machine.shell("cat /run/said"), "why it was refused is not said")
    insula.check(len(machine.shell("xl list").splitlines()) == 2, "a domain is left")
    insula.check(rate(machine, khz + khz // 1000) == khz + khz // 1000, "the stream is not as it is to be")


def restored(machine: Admin, before: Leaves) -> None:
    """The stream has the policy: nobody looks at cpuid= again."""
    machine.shell("xl save one /run/one.save 2>/run/said", 300)
    last = len(machine.shell("grep 'POLICY tick' /var/log/xen/guest-one.log").splitlines())
    if not ON_XEN:
        other_rate(machine)
    machine.shell("xl restore /run/one.save 2>/run/said", 300)
    after = leaves(machine, "one", last + 3)
    insula.check(after == before, f"before {before!r}, after {after!r}")


def refused(machine: Admin) -> None:
    """More leaves than there are."""
    machine.shell("sed 's/cpuid=.*/cpuid=\"host,maxleaf=0x20\"/' /run/one.cfg > /run/more.cfg")
    said = machine.shell("xl create /run/more.cfg 2>&1; echo status $?", 180)
    insula.check("Invalid argument" in said and "status 0" not in said, f"xl create says {said!r}")
    insula.check(len(machine.shell("xl list").splitlines()) == 2, "a domain is left")


@scenario(weight=110, on_xen=True)
def dom0_cpu_policy():
    with Admin("dom0-cpu-policy", limit=900) as machine:
        machine.login()
        prepare(machine)
        refused(machine)
        before = hidden(machine)
        restored(machine, before)
        end_all(machine, "one")
        machine.shell("xl create /run/two.cfg", 180)
        found = leaves(machine, "two", 1)
        insula.check([bit(found, name) for name in HIDDEN] == [0, 0, 1], f"CPUID says {found!r}")
        end_all(machine, "two")
