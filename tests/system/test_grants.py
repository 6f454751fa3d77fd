"""Very many grants (tests/guests/grants.c): a domain has as many mapped as max_maptrack_frames allows, and each may have so. `make grants-long` has 2^20 of them
live at once (GRANTS_MAPPERS)."""
import os

import insula
from insula import check
from scenarios import scenario
from test_dom0 import ON_XEN, Admin, end_all, guest, wait_log

FRAMES = 1 << 10
HANDLES = FRAMES * 256 - (64 if ON_XEN else 0)  # Xen keeps one or two back
USES = 128  # of one entry
MAPPERS = int(os.environ.get("GRANTS_MAPPERS", "1"))


def free_mib(machine: Admin) -> int:
    return int(machine.shell("xl info free_memory"))


def mapper(machine: Admin, name: str, nth: int) -> None:
    guest(machine, name, "/guest/payload", 16, f"mapped from=1 nth={nth} handles={HANDLES} full={0 if ON_XEN else 1} keep=1", more=f"max_maptrack_frames={FRAMES}")
    # what Xen has for the tables of a guest's memory is counted by its RAM
    machine.shell(f"echo shadow_memory=16 >> /run/{name}.cfg")
    machine.shell(f"xl create /run/{name}.cfg", 120)


def said(machine: Admin, name: str, what: str, handles: int) -> None:
    line = wait_log(machine, name, f"GRANTS {what}", 600).split()
    check(line == [str(handles), "wrong", "0"], f"{name}: {what} {line!r}")


@scenario(weight=60, on_xen=True)
def dom0_many_grants():
    with Admin("dom0-grants") as machine:
        machine.login()
        entries = FRAMES * 256 // USES
        guest(machine, "giver", "/guest/payload", 16, f"given first=2 domains={MAPPERS} entries={entries}")
        machine.shell("xl create /run/giver.cfg", 120)
        said(machine, "giver", "given", MAPPERS * entries)
        free = free_mib(machine)
        for n in range(MAPPERS):
            mapper(machine, f"mapper{n}", n)
        for n in range(MAPPERS):
            said(machine, f"mapper{n}", "mapped", HANDLES)
        print(f"     {MAPPERS * HANDLES} grants are mapped, {free - free_mib(machine)} MiB", flush=True)
        # the granter ends while all of them are; then who maps them
        machine.shell("xl destroy giver", 120)
        check("d" in machine.shell("xl list | grep null").split()[-2], "the granter is gone before its page is")
        end_all(machine, *(f"mapper{n}" for n in range(MAPPERS)))
        machine.shell("while xl list | grep -q null; do usleep 50000; done", 60)
        left = free_mib(machine)
        check(left >= free + 16, f"free memory was {free} MiB before the mappers and the granter's 16, is {left}")
