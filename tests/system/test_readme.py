"""README.md's walk: its command lines, typed where their prompts say."""
import re

import insula
from harness import ROOT, Failure
from scenarios import scenario
from test_dom0 import Admin

COMMAND = re.compile(r"^    (\w+):/root# (.+)$", re.M)
LEAVE = "\x1d"  # Ctrl-]


def prompt(host: str) -> str:
    return rf"^{host}:/root# (?:\x1b\[6n)?\Z"


@scenario(weight=150)
def readme_walk():
    """Two VMs ping each other through a driver VM, a third mounts a disk that another driver VM serves, as README.md says."""
    commands = COMMAND.findall((ROOT / "README.md").read_text())
    insula.check(len(commands) > 10, "the walk is not in README.md")
    with Admin("readme-walk", options="dom0_mem=1024M") as machine:
        machine.login()
        where, hosts = "admin", set()
        for host, command in commands:
            if host == "admin" and where != "admin":
                machine.send(LEAVE)  # by itself: xl console looks for it only so
                machine.expect(prompt("admin").lstrip("^"), 60)  # behind the guest's, on its line
            elif host != where:
                machine.send("\r")
                machine.expect(rf"{host} login: ", 240)
                machine.send("root\r")
                machine.expect(prompt(host), 60)
                hosts.add(host)
            where = host
            console = re.fullmatch(r"xl console (\w+)", command)
            machine.send(command + ("\r" if console else "; echo status $?\r"))
            if console:
                continue
            start = machine.seen
            match = machine.expect(r"^status (\d+)\n", 240)
            if match.group(1) != "0":
                raise Failure(f"{host}: {command}: {machine.text[start:match.start()][-300:]!r}")
            if command.startswith("ping"):
                insula.check(" 0% packet loss" in machine.text[start:match.start()], "packets are lost")
            machine.expect(prompt(host), 30)
        insula.check(hosts == {"net", "storage", "app", "web", "disk"}, f"logged in to {hosts}")
