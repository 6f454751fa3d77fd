"""CPUs that are not as they should be: one that does not start, one with another time. GRUB makes them so, before it boots the kernel."""
import pathlib
import subprocess
import sys
import tempfile

from bochs import Bochs
from broken_acpi import ABSENT_CPU
from harness import OUT, ROOT, Machine
from insula import KERNEL_ALONE, OPTIONS
from scenarios import scenario

TASK = OUT / "tests" / "smp_task"
ALL_WELL = r"^smp: 2 CPUs, \d+ cases, 0 not ok"
BAD = r"not ok .*|panic:.*|no handler"


def make_iso(folder: str, options: str, *arguments) -> pathlib.Path:
    iso = pathlib.Path(folder) / "boot.iso"
    subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", iso, "--kernel", KERNEL_ALONE, "--options", f"{OPTIONS} {options}",
                    "--module", str(TASK), *arguments], check=True)
    return iso


@scenario(60)
def smp_absent_cpu():
    """The MADT lists a CPU that is not there: a line says so, and the one behind it runs threads."""
    with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
        table = pathlib.Path(folder) / "madt.aml"
        table.write_bytes(ABSENT_CPU)
        iso = make_iso(folder, "boot-only=1", "--acpi", table)
        with Machine("smp_absent_cpu", "parallel", "-smp", "2", "-m", "512", cdrom=iso, limit=600) as machine:
            machine.expect(r"^CPU with APIC id 9 does not start: left out\n", 120, never=BAD)
            machine.expect(r"^CPUs: 2 of 3 run\n", 30, never=BAD)
            machine.expect(ALL_WELL, 400, never=BAD)


def other_time(name: str, tsc: int, line: str) -> None:
    """The first CPU's counter jumps to `tsc`: the other one is another time then. In QEMU a counter cannot be written."""
    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="insula-iso-") as folder:
            iso = make_iso(folder, "boot-only=1", "--grub", f"wrmsr 0x10 {tsc:#x}")
            with Bochs(run.__name__, "svm-smp", iso, limit=300) as bochs:
                bochs.expect(line, 200, never=BAD)
                bochs.expect(r"^CPUs: 2 of 2 run", 60, never=BAD)
                bochs.expect(ALL_WELL, 200, never=BAD)
    run.__name__ = f"smp_time_{name}"
    scenario(30)(run)


other_time("behind", 1 << 44, r"^CPU 1: its time-stamp counter was \d{14} ticks behind: set to the first CPU's\n")
other_time("ahead", 0, r"^CPU 1: its time-stamp counter was \d{7,} ticks ahead: set to the first CPU's\n")
