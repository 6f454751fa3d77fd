"""Page tables split between kernel and programs (xpti=): both ways they must do, and split they must really lack the kernel."""
import re
import subprocess

from harness import OUT, Failure, Machine
from insula import INIT, KERNEL_ALONE, OPTIONS, Insula, check, domain
from scenarios import scenario
from test_bochs import conformance_cases, roottask_in_bochs
from test_roottask import TASKS, roottask

ENTRY_DONE, ENTRY_BAD = r"entry: all passed", r"FAIL .*|entry: \d+ failed|panic:.*"
SPLIT, WHOLE = r"^Features: .*\bsplit-tables\b", r"^Features: (?!.*split-tables)"

INTEL_SPLIT = r"^Features: .*\bsplit-tables pcid invpcid\b.*\bx2apic\b"
INTEL_WHOLE = r"^Features: (?!.*split-tables).*\bpcid invpcid\b"

CPU_AREAS, CPU_STRIDE = 0xffffff0000000000, 0x400000
STACKS, STACK_STRIDE, STACK_COUNT = 0x60000, 0x2000, 4
KERNEL_HALF = 0xffff800000000000


roottask("entry_split", TASKS / "entry", ENTRY_DONE, ENTRY_BAD, f"{OPTIONS} xpti=yes", SPLIT, "deterministic")
roottask("entry_whole", TASKS / "entry", ENTRY_DONE, ENTRY_BAD, f"{OPTIONS} xpti=no", WHOLE, "deterministic")

# An Intel CPU that does not say that it is not affected: split without being asked, with PCIDs; and whole, as it can be told.
roottask_in_bochs("entry", "vmx", TASKS / "entry", ENTRY_DONE, ENTRY_BAD, "bochs", INTEL_SPLIT)
conformance_cases("conformance", "vmx", "", INTEL_SPLIT, 2200)
conformance_cases("conformance_whole", "vmx", "xpti=0", INTEL_WHOLE, 2200)


def symbols() -> dict[str, int]:
    text = subprocess.run(["nm", OUT / "kernel-release" / "insula.elf"], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for value, _, name in (line.split() for line in text.splitlines())}


def allowed(address: int, names: dict[str, int]) -> bool:
    if names["kernel_entry_start"] <= address < names["kernel_entry_end"] or address == names["descriptors_idt"]:
        return True
    offset = (address - CPU_AREAS) % CPU_STRIDE
    stacks = [STACKS + i * STACK_STRIDE for i in range(STACK_COUNT)]
    return CPU_AREAS <= address < CPU_AREAS + (1 << 38) and (offset == 0 or offset in stacks)


def kernel_pages(machine: Machine) -> dict[int, str]:
    """Addresses in the kernel's half that the tables now loaded translate, with their flags, as QEMU walks them."""
    found = re.findall(r"^([0-9a-f]{16}): [0-9a-f]{16} (\S+)", machine.qmp.monitor("info tlb").replace("\r", ""), re.M)
    return {int(address, 16): flags for address, flags in found if int(address, 16) >= KERNEL_HALF}


def user_mode_pages(options: str) -> list[dict[int, str]]:
    """The machine is stopped at many moments while the root task runs; what is mapped when that is in user mode."""
    with Machine(f"split_user_tables_{options}", "parallel", kernel=KERNEL_ALONE, append=f"{OPTIONS} {options}",
                 modules=((TASKS / "entry", ""),), limit=300) as machine:
        machine.expect(r"^ok ", never=ENTRY_BAD)
        seen = []
        for _ in range(400):
            machine.qmp.call("stop")
            if "CPL=3" in machine.qmp.monitor("info registers"):
                seen.append(kernel_pages(machine))
            machine.qmp.call("cont")
            machine.pump(0.005)
            if len(seen) == 3:
                return seen
        raise Failure(f"the root task was seen {len(seen)} times in user mode")


@scenario(20)
def split_user_tables():
    """What the tables that a program runs with map of the kernel: with the split the entry path's pages and no other, none for the program."""
    names = symbols()
    for pages in user_mode_pages("xpti=1"):
        bad = [f"{a:#x}" for a in pages if not allowed(a, names)]
        check(not bad, f"mapped while a program runs: {bad[:8]}")
        check(names["kernel_entry_start"] in pages and CPU_AREAS in pages, "the entry path is not there")
        check(not any("U" in flags for flags in pages.values()), "a program may use a page of the kernel")
        check("W" not in pages[names["descriptors_idt"]], "the IDT can be written")
    for pages in user_mode_pages("xpti=0"):
        check(names["kernel_data_start"] in pages, "without the split the kernel is not seen: the test looks at the wrong thing")


@scenario(40)
def split_boots_debian():
    """A domain's exits come back into the kernel's tables, and its vmm runs in its own."""
    with Insula("split_boots_debian", options=f"xpti=1 {domain('debian', memory=128)}") as insula:
        insula.expect(SPLIT)
        insula.expect(INIT, 200)
        insula.expect("login: ", 120)
