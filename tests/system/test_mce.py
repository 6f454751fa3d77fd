"""Machine checks and NMIs, injected into the emulated machine while two threads work: what can be survived is, and each error is one line."""
import re

from harness import OUT, Failure, Machine
from insula import KERNEL_ALONE, OPTIONS, check
from scenarios import scenario

TASK = OUT / "tests" / "mce_task"
INTEL = "Skylake-Server"  # its banks say what can be recovered; those of QEMU's EPYC do not

# IA32_MCi_STATUS: valid, error reporting on, address and misc valid; uncorrected; signalled, action required; context corrupt
VALID, UC, EN, MISCV, ADDRV, PCC, S, AR = (1 << bit for bit in (63, 61, 60, 59, 58, 57, 56, 55))
NOTED = VALID | EN | MISCV | ADDRV
RIPV, EIPV, MCIP = 1, 2, 4
CACHE = 0x134


class Mce(Machine):
    def __init__(self, name: str, cpu: str | None, options: str = ""):
        super().__init__(name, "parallel", *(("-cpu", cpu) if cpu else ()), kernel=KERNEL_ALONE, append=f"{OPTIONS} {options}",
                         modules=((TASK, ""),), limit=120)

    def __enter__(self) -> "Mce":
        super().__enter__()
        self.expect(r"^mce: start\n")  # the whole line, so that what comes next begins one
        return self

    def inject(self, bank: int, status: int, mcg_status: int, address: int = 0x1234000) -> None:
        self.qmp.monitor(f"mce 0 {bank} {status:#x} {mcg_status:#x} {address:#x} 0x86")

    def inject_in_user_mode(self, *arguments: int) -> None:
        """The machine is stopped at a moment when a thread runs."""
        for _ in range(400):
            self.qmp.call("stop")
            if "CPL=3" in self.qmp.monitor("info registers"):
                self.inject(*arguments)
                self.qmp.call("cont")
                return
            self.qmp.call("cont")
            self.pump(0.01)
        raise Failure("no thread is ever seen in user mode")


@scenario(10)
def mce_survived():
    """A corrected error that waited in its bank, and one that needs no action: told, and all goes on. With split tables and without."""
    for options in ("xpti=1", "xpti=0"):
        with Mce(f"mce_survived_{options}", INTEL, options) as machine:
            machine.inject(1, NOTED | CACHE, 0)
            machine.inject(2, NOTED | UC | S | CACHE, RIPV | EIPV | MCIP, 0x5678000)
            machine.expect(r"^Machine check on CPU 0: corrected error, cache, bank 1, status 9c00000000000134, address 1234000, misc 86", 30,
                           never="panic:.*")
            machine.expect(r"^Machine check on CPU 0 in .*: uncorrected \(unused\) error, cache, bank 2, status bd00000000000134, address 5678000",
                           30, never="panic:.*")
            # the banks are free again, and the next one comes through
            machine.inject(2, NOTED | UC | S | CACHE, RIPV | MCIP, 0x9abc000)
            machine.expect(r"bank 2, status bd00000000000134, address 9abc000", 30, never="panic:.*|mce: thread.*")


@scenario(10)
def mce_ends_a_thread():
    """Data that a thread was about to use are lost: it gets exception 18, the other thread and the kernel go on."""
    with Mce("mce_ends_a_thread", INTEL) as machine:
        machine.inject_in_user_mode(1, NOTED | UC | S | AR | CACHE, RIPV | EIPV | MCIP)
        machine.expect(r"mce: thread [12]: fault 3, number 18$", 30, never="panic:.*")
        machine.expect(r"mce: the other works on$", 30, never="panic:.*")
        check("in a thread: uncorrected (in use) error" in machine.text, "the error is not told")


def stops(name: str, cpu: str | None, *arguments: int) -> None:
    with Mce(name, cpu) as machine:
        machine.inject(*arguments)
        machine.expect(r"^Machine check on CPU 0 in .*: fatal error, .*, bank 3, status [0-9a-f]+, address 5678000", 30)
        machine.expect(r"^Insula: panic: machine check \(vector 18, error code 0\) in (a thread|the kernel)$", 30)
        machine.expect(r"^backtrace: ", 30)


@scenario(10)
def mce_fatal():
    """The CPU's context is corrupt: lines and a dump, then nothing more. So too what an older AMD CPU cannot correct."""
    stops("mce_fatal_intel", INTEL, 3, NOTED | UC | PCC | CACHE, RIPV | MCIP, 0x5678000)
    stops("mce_fatal_amd", None, 3, NOTED | UC | CACHE, RIPV | MCIP, 0x5678000)


@scenario(15)
def nmi_told():
    """NMIs are counted, and told in one line a second however many come; nothing else changes."""
    for options in ("xpti=1", "xpti=0"):
        with Mce(f"nmi_told_{options}", None, options) as machine:
            for _ in range(50):
                machine.qmp.call("inject-nmi")
            machine.expect(r"NMI on CPU 0: unknown reason, \d+ new, \d+ so far$", 30, never="panic:.*")
            machine.pump(2)
            before = len(re.findall(r"NMI on CPU", machine.text, re.M))
            machine.qmp.call("inject-nmi")
            machine.expect(r"NMI on CPU 0: unknown reason, \d+ new, (\d+) so far$", 30, never="panic:.*|mce: thread.*")
            check(before <= 3, f"{before} lines for one burst")
