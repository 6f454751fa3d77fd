"""Saves and live migrations that are cut off in their middle, and what is left of them."""
import insula
import saved_guest
from scenarios import scenario
from test_dom0 import ON_XEN, Admin, end_all
from test_save_restore import goes_on, prepare, ticks, wait_tick

MIDDLE = 1024  # pages of which the stream has come when it stays
BANNER = "xl migration receiver ready, send binary domain data."
# It takes the first part of a stream, and the rest when it is told to.
READER = f"""#!/bin/sh
echo "$1"; dd bs=4096 count={MIDDLE} iflag=fullblock of=/dev/null 2>/dev/null; touch /run/middle
until [ -e /run/drain ]; do usleep 50000; done; exec cat > /dev/null
"""


def state(machine: Admin, name: str) -> str:
    return machine.shell(f"xl list {name}").splitlines()[1].split()[4]


def cut(machine: Admin, name: str, live: bool = False) -> None:
    """xl save, or a live migration, in its middle."""
    machine.shell("rm -f /run/pipe /run/middle /run/drain; mkfifo /run/pipe")
    if live:
        machine.shell(f"xl migrate -s '' {name} '/run/reader \"{BANNER}\"' > /run/said 2>&1 & xl=$!")
    else:
        machine.shell("/run/reader > /dev/null < /run/pipe & reader=$!")
        machine.shell(f"xl save {name} /run/pipe > /run/said 2>&1 & xl=$!")
    machine.shell("until [ -e /run/middle ]; do usleep 50000; done", 120)
    insula.check(("s" in state(machine, name)) != live, "a domain that is saved must be suspended, and one that is migrated must run")


def drain(machine: Admin, status: int) -> None:
    """Who writes the stream goes on, and ends."""
    machine.shell(f"touch /run/drain; wait $xl; [ $? = {status} ]", 60)
    machine.shell("while pidof libxl-save-helper; do usleep 50000; done", 60)


def destroyed(machine: Admin, name: str) -> None:
    """A domain destroyed while pages of it are written: it stays in state d until those are let go."""
    machine.shell(f"xl destroy {name}", 60)
    rows = [row.split() for row in machine.shell("xl list").splitlines()]
    insula.check(len(rows) == 3 and rows[2][0] == "(null)" and "d" in rows[2][4], f"xl list: {rows!r}")
    drain(machine, 1)
    end_all(machine)


def helper_killed(machine: Admin, name: str, live: bool) -> None:
    """The domain goes on, and has missed nothing."""
    cut(machine, name, live)
    machine.shell("kill -9 $(pidof libxl-save-helper)")
    drain(machine, 1)
    goes_on(machine, name, len(ticks(machine, name)) + 3)


def xl_killed(machine: Admin, name: str) -> None:
    """Nobody is left who would resume the domain: it stays suspended, and can be destroyed."""
    cut(machine, name)
    machine.shell("kill -9 $xl; wait $xl; [ $? = 137 ]", 60)
    machine.shell("kill -9 $reader; while pidof libxl-save-helper; do usleep 50000; done", 60)
    insula.check("s" in state(machine, name), "a domain of which the save was cut off is not suspended")
    end_all(machine, name)


def dev_create(machine: Admin) -> None:
    machine.shell("rm -f /var/log/xen/guest-dev.log; xl create /run/dev.cfg", 180)
    wait_tick(machine, "dev", 2)


def free_memory(machine: Admin) -> int:
    return int(machine.shell("xl info free_memory"))


@scenario(weight=150, on_xen=True)
def save_cut_off():
    """A domain destroyed in the middle of its save or its migration; the save's own process and its helper killed. Nothing of the domain is left, or it goes on."""
    with Admin("save-cut", limit=900) as machine:
        machine.login()
        machine.shell("set +m")  # no words of the shell about what runs beside it
        machine.shell(f"printf '%s' '{READER}' > /run/reader; chmod +x /run/reader")
        prepare(machine)
        saved_guest.prepare(machine, avx=not ON_XEN)
        dev_create(machine)
        cut(machine, "dev", live=True)
        destroyed(machine, "dev")
        saved_guest.create(machine, 1)
        machine.shell("xl save saved /dev/null 2>/run/said", 120)
        free = free_memory(machine)  # from here on: what domain 0 needed to map pages, it keeps
        saved_guest.create(machine, 1)
        cut(machine, "saved")
        destroyed(machine, "saved")
        saved_guest.create(machine, 1)
        xl_killed(machine, "saved")
        insula.check(free_memory(machine) == free, f"free memory was {free} MiB, is {free_memory(machine)}")
        dev_create(machine)
        helper_killed(machine, "dev", live=False)
        helper_killed(machine, "dev", live=True)
        end_all(machine, "dev")
        saved_guest.create(machine, 2)
        machine.shell("xl save saved /run/saved 2>/run/said", 120)
        before = len(saved_guest.rows(machine, avx=not ON_XEN))
        machine.shell("xl restore /run/saved 2>/run/said", 120)
        saved_guest.wait_tick(machine, before + 3)
        saved_guest.follows(saved_guest.rows(machine, avx=not ON_XEN))
        end_all(machine, "saved")
        insula.check(free_memory(machine) == free, f"free memory was {free} MiB, is {free_memory(machine)}")
