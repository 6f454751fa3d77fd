"""The other emulator: Bochs, which has VT-x where QEMU has none. The same conversation as with a Machine (harness.py).

It boots from an ISO only. Its serial port is a TCP connection to us. Debian's build has no display but a terminal, which it gets
from us and writes on as it likes, and it starts in its debugger, which is told to go on. It takes SIGTERM for a wish to
see the debugger again, so it is ended by SIGKILL.
"""
import os
import pty
import select
import socket
import subprocess
import termios
import time

from harness import LOGS, Emulator, Failure
from profile_reader import bochs_profile


class Bochs(Emulator):
    def __init__(self, name: str, machine: str, cdrom, limit: float = 600):
        super().__init__(name, limit)
        self.options = [*bochs_profile(machine), f"ata0-master: type=cdrom, path={cdrom}, status=inserted", "boot: cdrom"]

    def __enter__(self) -> "Bochs":
        self.make_folder()
        self.emulator_log = LOGS / f"{self.name}.bochs"
        listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        listener.settimeout(60)
        port = listener.getsockname()[1]
        self.options += [f"com1: enabled=1, mode=socket-client, dev=localhost:{port}", f"log: {self.emulator_log}"]
        with open(f"{self.folder}/bochsrc", "w") as file:
            file.write("\n".join(self.options) + "\n")
        with open(f"{self.folder}/go", "w") as file:
            file.write("c\n")
        self.screen, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (50, 132))
        self.process = subprocess.Popen(
            ["timeout", "-s", "KILL", str(int(self.limit) + 30),
             "bochs", "-q", "-f", f"{self.folder}/bochsrc", "-rc", f"{self.folder}/go"],
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, env=dict(os.environ, TERM="xterm"))
        os.close(terminal)
        try:
            self.serial = self.accept(listener)
        except OSError as error:
            self.__exit__(None, None, None)
            raise Failure(f"Bochs did not start: see {self.emulator_log}") from error
        finally:
            listener.close()
        self.opened()
        return self

    def send(self, text: str) -> None:
        """As a hand types: Bochs's serial port loses what comes faster than the machine, which is slow, takes it."""
        for character in text:
            super().send(character)
            time.sleep(0.1)

    def accept(self, listener: socket.socket) -> socket.socket:
        """Its terminal must be read meanwhile, or it waits for that."""
        for _ in range(600):
            ready, _, _ = select.select([listener, self.screen], [], [], 0.1)
            if listener in ready:
                return listener.accept()[0]
            if self.screen in ready and not self.look() or self.process.poll() is not None:
                break
        raise OSError("no connection")

    def look(self) -> bool:
        """Takes what is on its screen, and forgets it. False: it has ended."""
        try:
            return bool(os.read(self.screen, 65536))
        except OSError:
            return False

    def pump(self, seconds: float) -> bool:
        if self.serial_open():
            ready, _, _ = select.select([self.serial, self.screen], [], [], seconds)
            if self.screen in ready and self.look() and self.serial not in ready:
                return True
        return super().pump(0)

    def end(self) -> None:
        self.kill()

    def __exit__(self, kind, value, trace) -> None:
        super().__exit__(kind, value, trace)
        os.close(self.screen)
