"""Debian's own checkers of a Xen machine (xen-utils-4.17), unmodified, in the admin VM."""
import re

import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, guest, scripted, wait_log

BUSY_SCRIPT = """
echo "CHECK started"; i=0
while :; do i=$((i+1)); echo "CHECK tick $i"; sleep 1; done
"""


def own_tests(machine: Admin) -> None:
    """Programs that say themselves whether all is well. What they make they take away."""
    for program, end, least in (("test-cpu-policy", "Done: all ok", 8), ("test-paging-mempool", "Test set continuation", 4), ("test-resource", "  Test grant table", 5),
                                ("test-xenstore", None, 10)):
        said = machine.shell(program, 120)
        insula.check("Fail" not in said and (end is None or said.rstrip().endswith(end)) and len(said.splitlines()) >= least, f"{program} says {said!r}")
    insula.check("bytes (1024kB, 1MB)" in machine.shell("test-paging-mempool"), "the pool of a new domain is not Xen's 1 MiB")
    insula.check(re.search(r"^Test x86 PVH\n  Created d\d+\n", machine.shell("test-resource"), re.M) is not None, "test-resource tried nothing")
    insula.check(len(machine.shell("xl list").splitlines()) == 2, "a test's domain is still there")


def policies(machine: Admin) -> None:
    sets = dict(re.findall(r"^(Raw|Host|HVM Default|HVM Max) +([0-9a-f:]+)$", machine.shell("xen-cpuid | grep -E '^(Raw|Host|HVM Default|HVM Max) '"), re.M))
    insula.check(set(sets) == {"Raw", "Host", "HVM Default", "HVM Max"} and all(len(words.split(":")) == 19 for words in sets.values()), f"xen-cpuid: {sets!r}")
    text = machine.shell("xen-cpuid -p 2>/dev/null | grep -E 'maximum|policy|^  0000000[01]'")
    insula.check("Xen reports there are maximum" in text and text.count("00000000:ffffffff -> ") >= 4 and "HVM Max policy: " in text, f"xen-cpuid -p: {text!r}")


def channels(machine: Admin) -> None:
    own, other = machine.shell("lsevtchn"), machine.shell("lsevtchn $(xl domid busy)")
    insula.check("Virtual IRQ " in own and re.search(r"Interdomain \(Connected\) - Remote Domain 1, Port 1\n", own) is not None, f"lsevtchn: {own!r}")
    ports = re.findall(r"^ +(\d+): VCPU 0: Interdomain \(Connected\) - Remote Domain 0, Port \d+$", other, re.M)
    insula.check(ports[:2] == ["1", "2"], f"lsevtchn of the guest: {other!r}")
    machine.shell("lsevtchn 77", status=1)


def context(machine: Admin, name: str) -> tuple[list[int], str]:
    """The types of the records that xen-hvmctx prints, and what it says of a CPU. Only so much at once: the console drops what its reader has not taken."""
    text = machine.shell(f"xen-hvmctx $(xl domid {name}) > /run/ctx && grep -E '^Entry| (CPU:|rdi|r14|rip|cr0|cr3) ' /run/ctx")
    types = [int(kind) for kind in re.findall(r"^Entry \d+: type (\d+) ", text, re.M)]
    insula.check(types == sorted(types[:-1]) + [0] and types[0] == 1, f"the records are of types {types!r}")
    return types, text


def registers(machine: Admin) -> dict[str, int]:
    types, text = context(machine, "busy")
    # 16, the XSAVE area, is there if the CPU has XSAVE
    insula.check([kind for kind in types if kind != 16] == [1, 2, 5, 6, 7, 8, 9, 14, 18, 19, 0], f"the records are of types {types!r}")
    found = re.findall(r"\b(r\w+|cr\d) 0x([0-9a-f]{16})", text)
    insula.check(len(found) == 12, f"the registers are {found!r}")
    return {name: int(value, 16) for name, value in found}


def states(machine: Admin) -> None:
    """xen-hvmctx and xenctx of a running and of a paused domain, which goes on as if nothing had been."""
    r = registers(machine)
    insula.check(r["cr0"] & 0x80000001 == 0x80000001 and r["cr3"] and r["cr4"] & 0x20 and r["rip"], f"it has {r!r}")
    tick = int(wait_log(machine, "busy", "CHECK tick"))
    machine.shell("for i in $(seq 10); do xen-hvmctx 1 >/dev/null || exit 1; done")
    machine.shell(f"until [ $(grep 'CHECK tick' /var/log/xen/guest-busy.log | tail -n 1 | awk '{{print $3}}' | tr -d '\\r') -gt {tick + 2} ]; do usleep 200000; done", 120)
    machine.shell("xl pause busy; usleep 500000")
    tick, first, second = wait_log(machine, "busy", "CHECK tick"), registers(machine), registers(machine)
    insula.check(first == second, f"a paused domain's registers were {first!r}, are {second!r}")
    text = machine.shell("xenctx -a 1 > /run/ctx && grep -E '^(rip|rsp|rax|r13|cr)|Call Trace' /run/ctx && grep -c '<ffffffff8' /run/ctx")
    shown = {name: int(value, 16) for name, value in re.findall(r"\b(r\w+|cr\d): ([0-9a-f]{16})", text)}
    insula.check(all(shown[name] == first[name] for name in ("rip", "rsp", "rax", "r15", "cr0", "cr3", "cr4")), f"xenctx: {text!r}")
    insula.check("Call Trace:" in text and int(text.split()[-1]) >= 3, f"xenctx finds no trace of calls: {text[-300:]!r}")
    machine.shell("sleep 3")
    insula.check(wait_log(machine, "busy", "CHECK tick") == tick, "it runs while it is paused")
    machine.shell("xl unpause busy")
    machine.shell(f"until [ $(grep 'CHECK tick' /var/log/xen/guest-busy.log | tail -n 1 | awk '{{print $3}}' | tr -d '\\r') -gt {tick} ]; do usleep 200000; done", 120)
    for refused in ("xen-hvmctx 0", "xen-hvmctx 77", "xenctx 77"):
        insula.check(machine.shell(f"{refused} >/dev/null 2>&1; echo status $?").strip() != "status 0", f"{refused} is not refused")


@scenario(weight=120, on_xen=True)
def dom0_debian_checkers():
    with Admin("dom0-checkers") as machine:
        machine.login()
        scripted(machine, "busy", BUSY_SCRIPT)
        machine.shell("xl create /run/busy.cfg", 180)
        wait_log(machine, "busy", "CHECK started")
        channels(machine)
        states(machine)
        # where its kernel is sent, there is nothing: it dies of it, and is looked at once more
        machine.shell("xen-hvmcrash 1")
        machine.shell("until xl list busy | awk 'NR == 2 {print $5}' | grep -q c; do usleep 200000; done", 60)
        insula.check(registers(machine)["cr3"] != 0, "a crashed domain has no state")
        end_all(machine, "busy")
        own_tests(machine)
        policies(machine)
        free = int(machine.shell("xl info free_memory"))
        guest(machine, "tiny", "/guest/payload", 16, "halt")
        machine.shell("sed -i s/vcpus=1/vcpus=2/ /run/tiny.cfg; xl create /run/tiny.cfg", 120)
        wait_log(machine, "tiny", "PAYLOAD start")
        types, _ = context(machine, "tiny")
        # one of its two CPUs waits to be started: it has a local APIC, and no state
        insula.check([types.count(kind) for kind in (2, 5, 6, 14, 19)] == [1, 2, 2, 2, 2], f"the records are of types {types!r}")
        end_all(machine, "tiny")
        insula.check(int(machine.shell("xl info free_memory")) >= free - 1, "memory is gone")
