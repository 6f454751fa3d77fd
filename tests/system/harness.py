"""Starts an emulated machine, talks to its serial port, and always ends it. Scenarios and the benchmark use this.

An Emulator is a context manager: inside it, expect() and send() are the conversation on the serial port. What it
printed is kept in the log folder. Raises Failure with one line that says why. A Machine is QEMU, with qmp as its control
channel; bochs.py has the other one.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from qmp import Qmp

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "machines"))
from profile_reader import module_argument, profile  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("INSULA_OUT", ROOT / "build" / "out")).resolve()
LOGS = OUT / "test-logs"
SLOWER = float(os.environ.get("INSULA_TEST_SLOWER", "1"))  # factor on all limits of wall time


class Failure(Exception):
    pass


class Emulator:
    """What QEMU and Bochs have in common: a process whose serial port is a connection to us. Who derives from it sets
    self.process and self.serial in __enter__, and calls opened()."""

    def __init__(self, name: str, limit: float):
        self.name, self.limit = name, limit * SLOWER
        self.text = ""  # everything the serial port said
        self.seen = 0  # how much of it expect() has consumed

    def opened(self) -> None:
        self.serial.setblocking(False)
        self.deadline = time.monotonic() + self.limit

    def make_folder(self) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="insula-test-")
        self.log = open(LOGS / f"{self.name}.serial", "wb")

    def kill(self) -> None:
        """Ends the process and what it started: they are a group of their own."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self) -> None:
        """Ends the process, by its own wish if it can be brought to it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def __exit__(self, kind, value, trace) -> None:
        self.end()
        self.pump(0)
        for name in ("serial", "control"):
            if hasattr(self, name):
                getattr(self, name).close()
        self.log.close()
        shutil.rmtree(self.folder)

    def virtual_time(self) -> float:
        """The machine's own time since power-on in seconds."""
        raise NotImplementedError

    def serial_open(self) -> bool:
        return hasattr(self, "serial") and self.serial.fileno() >= 0

    def pump(self, seconds: float) -> bool:
        """Reads what the serial port has to say within some time. False when it is closed."""
        if not self.serial_open():
            return False
        ready, _, _ = select.select([self.serial], [], [], seconds)
        if not ready:
            return True
        try:
            data = self.serial.recv(65536)
        except (BlockingIOError, ConnectionResetError):
            return self.process.poll() is None
        self.log.write(data)
        self.log.flush()
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        return bool(data)

    def last_line(self) -> str:
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines[-1].strip()[:160] if lines else "(nothing)"

    def expect(self, pattern: str, wall: float = 120, never: str | None = None, virtual: float | None = None) -> re.Match:
        """Waits until the serial port has said this since the last expect(). At most so many seconds of the host's
        clock, or of the machine's. What must never be said meanwhile fails at once."""
        end = min(time.monotonic() + wall * SLOWER, self.deadline)
        stop = self.virtual_time() + virtual if virtual is not None else None
        wanted, forbidden = re.compile(pattern, re.M), re.compile(never, re.M) if never else None
        while True:
            found = wanted.search(self.text, self.seen)
            bad = forbidden.search(self.text, self.seen) if forbidden else None
            if bad and (not found or bad.start() < found.start()):
                raise Failure(f"said {bad.group(0)!r}")
            if found:
                self.seen = found.end()
                return found
            if time.monotonic() > end:
                raise Failure(f"waited {wall:g} s for {pattern!r}; last line: {self.last_line()}")
            if not self.pump(0.2):
                if not wanted.search(self.text, self.seen):
                    raise Failure(f"the machine ended before {pattern!r}; last line: {self.last_line()}")
            if stop is not None and not wanted.search(self.text, self.seen) and self.virtual_time() > stop:
                raise Failure(f"{virtual:g} s passed in the machine without {pattern!r}; last line: {self.last_line()}")

    def quiet(self, pattern: str, wall: float) -> None:
        """The serial port must not say this for so long."""
        try:
            found = self.expect(pattern, wall)
        except Failure:
            return
        raise Failure(f"said {found.group(0)!r}")

    def send(self, text: str) -> None:
        self.serial.setblocking(True)
        self.serial.sendall(text.encode())
        self.serial.setblocking(False)

    def wait_end(self, wall: float = 60) -> None:
        """The machine must power itself off."""
        end = time.monotonic() + wall * SLOWER
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise Failure(f"did not power off within {wall:g} s; last line: {self.last_line()}")
            if not self.pump(0.2):
                time.sleep(0.05)


class Machine(Emulator):
    def __init__(self, name: str, machine: str, *arguments: str, kernel=None, append: str = "", modules=(), cdrom=None,
                 limit: float = 600):
        super().__init__(name, limit)
        self.command_line = ["qemu-system-x86_64", *profile(machine), *arguments]
        if kernel:
            self.command_line += ["-kernel", str(kernel), "-append", append]
            if modules:
                self.command_line += ["-initrd", ",".join(module_argument(*m) for m in modules)]
        if cdrom:
            self.command_line += ["-drive", f"if=none,id=cd,media=cdrom,readonly=on,file={cdrom}",
                             "-device", "ide-cd,drive=cd,bus=ide.0"]

    def __enter__(self) -> "Machine":
        self.make_folder()
        sockets = []
        for name in ("serial", "qmp"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"{self.folder}/{name}")
            listener.listen(1)
            listener.settimeout(30)
            sockets.append(listener)
        self.command_line += ["-chardev", f"socket,id=serial0,path={self.folder}/serial", "-serial", "chardev:serial0",
                         "-chardev", f"socket,id=qmp0,path={self.folder}/qmp", "-mon", "chardev=qmp0,mode=control"]
        self.errors = LOGS / f"{self.name}.qemu"
        with open(self.errors, "wb") as errors:
            errors.write((" ".join(self.command_line) + "\n").encode())
            errors.flush()
            self.process = subprocess.Popen(["timeout", "-k", "5", str(int(self.limit) + 30), *self.command_line],
                                            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True)
        try:
            self.serial = sockets[0].accept()[0]
            self.control = sockets[1].accept()[0]
            self.qmp = Qmp(self.control)
        except (OSError, ConnectionError) as error:
            self.__exit__(None, None, None)
            raise Failure(f"the emulator did not start: {self.errors.read_text().splitlines()[-1][:200]}") from error
        finally:
            for listener in sockets:
                listener.close()
        self.opened()
        return self

    def virtual_time(self) -> float:
        return self.qmp.virtual_time()

    def stop_clock(self) -> float:
        """Stops the machine; its own time since power-on, in seconds."""
        self.qmp.call("stop")
        return self.virtual_time()

    def go_on(self) -> None:
        self.qmp.call("cont")
