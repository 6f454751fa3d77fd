"""QEMU's control channel, and the emulated machine's own clock read through it. Used by harness.py."""
import json
import re
import socket

PM_TIMER_PORT = 0x608  # where SeaBIOS and OVMF put the ACPI timer of a q35 machine
PM_TIMER_HZ = 3579545
PM_TIMER_WRAP = 1 << 24


class Qmp:
    def __init__(self, connection: socket.socket):
        self.file = connection.makefile("rwb")
        self.read()
        self.call("qmp_capabilities")

    def read(self) -> dict:
        line = self.file.readline()
        if not line:
            raise ConnectionError("the emulator closed its control channel")
        return json.loads(line)

    def call(self, command: str, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.file.write(json.dumps(request).encode() + b"\n")
        self.file.flush()
        while True:
            answer = self.read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")

    def monitor(self, command: str) -> str:
        return self.call("human-monitor-command", **{"command-line": command})

    def pm_timer(self) -> int:
        """Ticks of 279 ns, modulo 2^24."""
        answer = self.monitor(f"i /w {PM_TIMER_PORT:#x}")
        return int(re.search(r"= (0x[0-9a-f]+)", answer).group(1), 16) % PM_TIMER_WRAP

    def rtc_seconds(self) -> int:
        """Seconds since the start of 2026-01-01, of the machine's calendar clock."""
        date = self.call("qom-get", path="/machine", property="rtc-time")
        days = (date["tm_year"] - 126) * 366 + (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[date["tm_mon"]] + date["tm_mday"] - 1
        return ((days * 24 + date["tm_hour"]) * 60 + date["tm_min"]) * 60 + date["tm_sec"]

    def virtual_time(self) -> float:
        """Seconds since power-on, on a machine whose clocks follow virtual time: the calendar says which of the
        timer's wraps it is, the timer the rest. Both start at zero."""
        coarse, ticks = self.rtc_seconds(), self.pm_timer()
        wraps = round(((coarse + 0.5) * PM_TIMER_HZ - ticks) / PM_TIMER_WRAP)
        return (max(wraps, 0) * PM_TIMER_WRAP + ticks) / PM_TIMER_HZ
