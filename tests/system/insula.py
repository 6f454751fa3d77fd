"""Insula on an emulated machine, as its user sees it: boots it, and drives its monitor. The one place that knows the
monitor's words and the look of its answers."""
import re
import subprocess
import sys
from typing import NamedTuple

from bochs import Bochs
from harness import OUT, ROOT, Emulator, Failure, Machine

KERNEL = OUT / "image" / "insula"
KERNEL_ALONE = OUT / "kernel-release" / "insula-kernel"
ISO = OUT / "image" / "insula.iso"
PAYLOAD = OUT / "tests" / "payload"
BAD_MODULES = OUT / "tests" / "bad"
OPTIONS = "console=com1 com1=115200,8n1"
VMLINUX = (OUT / "image" / "vmlinux", "name=vmlinux console=hvc0 quiet")
INITRD = (OUT / "image" / "initrd", "name=initrd")
TEST_PAYLOAD = (PAYLOAD, "name=payload")

SWITCH = "\x01\x01\x01"
PROMPT = r"^insula> "
MOVE = "(insula) keyboard to "
SERVER_LINE = r"^(root|console|domain_manager|monitor|vmm\S*): .*$"  # a server's message may come between any two lines
REFUSAL = r"^(?:\w+: )?(?:.*\brefused: .*|error: .*)$"
BANNER = r"Insula \d+\.\d+\S*"
INIT = r"INSULA-GUEST: init [\d.]+"
LOGIN = r"login: "
SHELL = r"[#$] (?:\x1b\[6n)?\Z"  # the prompt of busybox's shell, which asks where the cursor is
PANIC = r"(?i)\bpanic\b.*|assertion.*failed.*|^domain \d+ \(debian\) crashed"  # of Insula, or the first domain's end
REPORT = re.compile(r"INSULA-GUEST: (\w+) work=(\d+) mono=([\d.]+) real=([\d.]+) cpu=([\d.]+) tsc=(\d+)")


class Row(NamedTuple):
    """One line of the monitor's `list`."""
    id: int
    name: str
    state: str
    vcpus: int
    memory_mib: int
    overhead_kib: int
    cpu_seconds: float
    cpus: str  # on which its vCPUs run


class Report(NamedTuple):
    """What a working guest says once a second."""
    work: int
    mono: float
    real: float
    cpu: float
    tsc: int


def domain(name: str, kernel: str = "vmlinux", ramdisk: str | None = "initrd", memory: int = 256, vcpus: int = 1) -> str:
    """The option that makes a domain start by itself."""
    words = [name, f"kernel={kernel}", f"memory={memory}", f"vcpus={vcpus}"]
    if ramdisk:
        words.insert(2, f"ramdisk={ramdisk}")
    return "domain=" + ",".join(words)


def make_iso(path, options: str, *arguments) -> None:
    """The image as make iso makes it, with other options."""
    subprocess.run([sys.executable, ROOT / "image" / "mkiso.py", path, "--kernel", OUT / "image" / "insula.gz", "--options", options,
                    "--module", f"{VMLINUX[0]}={VMLINUX[1]}", "--module", f"{INITRD[0]}={INITRD[1]}", *arguments], check=True)


class Monitor(Emulator):
    """Insula's user on whichever emulator: what is said to its monitor."""
    marks = 0  # words sent to the monitor to find its prompt by
    marked = -1  # how often the keyboard had moved when the last was sent

    def expect(self, pattern, wall=120, never=PANIC, virtual=None):
        return super().expect(pattern, wall, never, virtual)

    def keyboard(self) -> tuple[bool, int]:
        """Whether the keyboard is the monitor's, and how often it has moved: it moves by itself too, when a domain ends."""
        size = -1
        while size != len(self.text):
            size = len(self.text)
            self.pump(0)
        at = self.text.rfind(MOVE)
        return at >= 0 and self.text.startswith(MOVE + "the monitor", at), self.text.count(MOVE)

    def monitor(self) -> None:
        """Moves the keyboard to the monitor. What it said before is shown again then, so a word of our own marks the end."""
        here, moves = self.keyboard()
        if not here:
            self.send(SWITCH)
            self.expect(r"keyboard to the monitor", 30)
            moves += 1
        if moves != self.marked:
            self.marks += 1
            self.send(f"\x15mark{self.marks}\r")
            self.expect(rf'"mark{self.marks}"', 30)
            self.expect(PROMPT, 30)
            self.marked = moves

    def command(self, text: str, wall: float = 60, servers: bool = False) -> str:
        """The monitor's answer to a command; with the lines of other servers between, if wanted."""
        self.monitor()
        start = self.seen
        self.send(text + "\r")
        self.expect(PROMPT, wall)
        answer = self.text[start:self.seen].split("\n", 1)
        answer = re.sub(PROMPT, "", answer[1] if len(answer) > 1 else "", flags=re.M)
        return "\n".join(line for line in answer.splitlines() if line and (servers or not re.match(SERVER_LINE, line)))

    def leave(self) -> None:
        """Moves the keyboard back to the domain that had it last."""
        if self.keyboard()[0]:
            self.send(SWITCH)
            self.expect(r"keyboard to domain", 30)

    def console(self, number: int) -> None:
        """Shows a domain's console, with the last of what it said before, and moves the keyboard there."""
        self.monitor()
        self.send(f"console {number}\r")
        self.expect(r"keyboard to domain", 30)

    def list(self) -> dict[str, Row]:
        rows = {}
        for line in self.command("list").splitlines():
            # a server's message may come before the line's end
            match = re.match(r"\s*(\d+) (\S+)\s+([a-z]+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+\.\d+)\s+([\d,-]+)", line)
            if match:
                number, name, state, vcpus, memory, overhead, seconds, cpus = match.groups()
                rows[name] = Row(int(number), name, state, int(vcpus), int(memory), int(overhead), float(seconds), cpus)
        return rows

    def info(self) -> dict[str, int]:
        """The numbers of `info` by their names: memory in KiB, and how many slots, accounts and tasks root has in use."""
        text = self.command("info")
        found = {name: int(value) for name, value in re.findall(r"\b(total|used|free|kernel|servers) (\d+) KiB", text)}
        found.update((name, int(value)) for value, name in re.findall(r"\b(\d+) (slots|accounts|tasks)\b", text))
        if not {"total", "used", "free", "slots"} <= set(found):
            raise Failure(f"info does not tell memory and slots: {text[:200]!r}")
        return found

    def create(self, name: str, kernel: str = "vmlinux", ramdisk: str | None = "initrd", cmdline: str = "", memory: int = 64,
               vcpus: int = 1, wall: float = 60) -> str:
        words = f"create {name} kernel={kernel}"
        if ramdisk:
            words += f" ramdisk={ramdisk}"
        if cmdline:
            words += f' cmdline="{cmdline}"'
        return self.command(f"{words} memory={memory} vcpus={vcpus}", wall)

    def created(self, name: str, **words) -> Row:
        answer = self.create(name, **words)
        rows = self.list()
        if name not in rows:
            raise Failure(f"create {name}: {answer[:200]!r}")
        return rows[name]

    def refused(self, name: str, wall: float = 60, **words) -> str:
        """A create that must be refused with one plain line: by the monitor at once, or when its vmm has looked at the kernel."""
        self.monitor()
        start = self.seen
        self.create(name, **words)
        self.wait_gone(name, wall)
        lines = [match.group(0) for match in re.finditer(REFUSAL, self.text[start:], re.M)]
        if len(lines) != 1:
            raise Failure(f"create {name} {words}: not one plain line, but {lines or self.text[start:][:300]!r}")
        return lines[0]

    def destroy(self, name: str, wall: float = 60) -> None:
        row = self.list().get(name)
        if row is not None:
            self.command(f"destroy {row.id}", wall)
        self.wait_gone(name, wall)

    def wait_gone(self, name: str, wall: float = 60) -> None:
        """Until a domain has ended by itself, or its destruction is complete."""
        for _ in range(int(wall * 2)):
            if name not in self.list():
                return
            self.pump(0.5)
        raise Failure(f"{name} is still there after {wall:g} s")

    def report(self, wall: float = 60) -> Report:
        """The next report of the guest whose console is shown."""
        match = REPORT.search(self.expect(REPORT.pattern + r"\n", wall).group(0))
        return Report(int(match.group(2)), *(float(match.group(i)) for i in (3, 4, 5)), int(match.group(6)))

    def fresh_report(self, wall: float = 60) -> tuple[Report, float]:
        """A report that came just now, and not from the console's memory: those come in one go, live ones a second apart.
        With it, the machine's time at that moment."""
        before = self.virtual_time()
        while True:
            report = self.report(wall)
            now = self.virtual_time()
            if now - before > 0.4:
                return report, now
            before = now


class Insula(Monitor, Machine):
    image = KERNEL

    def __init__(self, name: str, machine: str = "parallel", *arguments: str, options: str = "", modules=(VMLINUX, INITRD),
                 cdrom=None, limit: float = 600):
        if cdrom:
            super().__init__(name, machine, *arguments, cdrom=cdrom, limit=limit)
        else:
            super().__init__(name, machine, *arguments, kernel=self.image, append=f"{OPTIONS} {options}".strip(),
                             modules=modules, limit=limit)


class InsulaInBochs(Monitor, Bochs):
    pass


def check(condition: bool, why: str) -> None:
    if not condition:
        raise Failure(why)
