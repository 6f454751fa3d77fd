"""What QEMU cannot emulate: VT-x; and SVM with NRIP-save. In Bochs (docs/emulators.md says what runs where, and why)."""
import pathlib
import re
import subprocess
import sys
import tempfile

from bochs import Bochs
from harness import OUT, ROOT
from insula import BANNER, INIT, KERNEL_ALONE, OPTIONS, TEST_PAYLOAD, InsulaInBochs, check, domain, make_iso
from scenarios import scenario
from test_roottask import CONFORMANCE, TASKS, conformance_verdict

LEFT_OUT = r"^vcpu: left out: (.*) \((.*)\)$"


@scenario(150)
def vmx_boots_debian():
    """The image that boots on SVM, on VT-x: Debian comes up as a PVH domain, one logs in, the machine powers off."""
    with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
        iso = pathlib.Path(folder) / "boot.iso"
        make_iso(iso, f"{OPTIONS} {domain('debian', memory=128)}")
        with InsulaInBochs("vmx_boots_debian", "vmx", iso, limit=900) as insula:
            insula.expect(BANNER, 120)
            insula.expect(r"^Virtualization: VT-x$")
            insula.expect(INIT, 400)
            insula.expect("login: ", 200)
            insula.send("root\n")
            insula.expect(r"[#$] (?:\x1b\[6n)?\Z", 200)
            insula.send("echo sum $((40 + 2)); grep -c -w hypervisor /proc/cpuinfo\n")
            insula.expect(r"^sum 42\n1\n", 200)
            row = insula.list()["debian"]
            check(row.memory_mib == 128, f"list shows {row.memory_mib} MiB")
            insula.send("poweroff\r")
            insula.wait_end(120)


def handover(vendor: str):
    """Two vCPUs on one CPU wait for each other: who spins gives its turn away. Without exits from PAUSE loops each would wait for the rest of a turn, 190,000 ticks (1.9 ms)."""
    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
            iso = pathlib.Path(folder) / "boot.iso"
            make_iso(iso, f"{OPTIONS} {domain('two', kernel='payload', ramdisk=None, memory=32, vcpus=2)}", "--module", f"{TEST_PAYLOAD[0]}={TEST_PAYLOAD[1]} handover rounds=200")
            with InsulaInBochs(run.__name__, vendor, iso, limit=300) as insula:
                insula.expect(BANNER, 120)
                ticks = int(insula.expect(r"^HANDOVER ticks (\d+)", 120).group(1))
                check(ticks < 30000, f"one waits {ticks} ticks for the other")
    run.__name__ = f"handover_{vendor}"
    scenario(25)(run)


handover("vmx")
handover("svm")


def roottask_in_bochs(name: str, machine: str, program, good: str, bad: str, options: str = "", first: str = "") -> None:
    """A root task with the kernel alone, as test_roottask.roottask."""
    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
            iso = pathlib.Path(folder) / "boot.iso"
            subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", iso, "--kernel", KERNEL_ALONE,
                            "--options", f"{OPTIONS} {options}", "--module", str(program)], check=True)
            with Bochs(run.__name__, machine, iso, limit=300) as bochs:
                bochs.expect(first, 120, never=bad)
                bochs.expect(good, 240, never=bad)
    run.__name__ = f"roottask_{name}_{machine.replace('-', '_')}"
    scenario(25)(run)


def vcpu_cases(machine: str, left_out: dict[str, str], at_least: int):
    """The kernel alone with the vCPU root task, told that this is Bochs. It says itself which cases it leaves out there,
    and that must be these."""
    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
            iso = pathlib.Path(folder) / "boot.iso"
            subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", iso, "--kernel", KERNEL_ALONE,
                            "--options", f"{OPTIONS} bochs", "--module", str(TASKS / "vcpu")], check=True)
            with Bochs(run.__name__, machine, iso, limit=300) as bochs:
                bochs.expect(r"^vcpu: start$", 120)
                count = int(bochs.expect(r"^vcpu: all (\d+) cases passed", 240, never=r"FAILED.*|panic:.*").group(1))
                found = dict(re.findall(LEFT_OUT, bochs.text, re.M))
                check(found == left_out, f"left out: {found}")
                check(count >= at_least, f"only {count} cases")
    run.__name__ = f"roottask_vcpu_{machine.replace('-', '_')}"
    scenario(25)(run)


SPIN = "Bochs never ends the turn of a guest that spins with IF clear"
OFF_SPIN = {"a timer's signal stops a guest that spins with interrupts off": SPIN, "a signal while an event waits hands it back": SPIN}
vcpu_cases("vmx", OFF_SPIN, 63)
vcpu_cases("vmx-avx512", OFF_SPIN, 63)
vcpu_cases("svm", OFF_SPIN | {
    "the guest's own single step": "Bochs delivers the step that is pending at an exit to the host",
    "#DB in the handler of #DB, by the trap flag": "Bochs delivers the step that is pending at an exit to the host",
    "triple fault": "Bochs gives up",
    "an injected event that ends in a triple fault": "Bochs gives up",
    "states that no CPU enters": "Bochs gives up at a triple fault",
    "all VMCS fields": "Bochs gives up at a triple fault",
}, 54)


def conformance_cases(name: str, machine: str, append: str, features: str, at_least: int) -> None:
    """The API case by case where QEMU differs: x2APIC, PCID, VT-x."""
    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
            iso = pathlib.Path(folder) / "boot.iso"
            subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", iso, "--kernel", KERNEL_ALONE,
                            "--options", f"{OPTIONS} {append}", "--module", str(CONFORMANCE)], check=True)
            with Bochs(run.__name__, machine, iso, limit=500) as bochs:
                bochs.expect(features, 120, never=r"panic:.*")
                conformance_verdict(bochs, "release", 1, at_least)
    run.__name__ = f"roottask_{name}_{machine.replace('-', '_')}"
    scenario(60)(run)


@scenario(60)
def smp_cases_vmx_2():
    """Two CPUs with VT-x, x2APIC, TSC deadline and PCIDs: what QEMU has not."""
    with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
        iso = pathlib.Path(folder) / "boot.iso"
        subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", iso, "--kernel", KERNEL_ALONE,
                        "--options", f"{OPTIONS} rounds=20 guest-if=1", "--module", str(OUT / "tests" / "smp_task")], check=True)
        with Bochs("smp_cases_vmx_2", "vmx-smp", iso, limit=500) as bochs:
            bochs.expect(r"^Interrupts: x2APIC, .*, 2 CPUs listed", 120)
            bochs.expect(r"^CPUs: 2 of 2 run", 60)
            bochs.expect(r"^smp: 2 CPUs, \d+ cases, 0 not ok", 400, never=r"not ok .*|panic:.*|no handler|no virtualization here.*")
