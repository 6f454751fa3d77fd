"""Domains come and go, and leave nothing behind."""
import os
import re

from insula import INIT, INITRD, TEST_PAYLOAD, VMLINUX, Insula, check, domain
from scenarios import scenario

CYCLES = int(os.environ.get("INSULA_CYCLES", "200"))


@scenario(1500)
def lifecycle_200_times():
    """Created, run to user space and destroyed: the same free memory and capability slots as after the first time."""
    with Insula("lifecycle_200_times", options=domain("debian"), limit=3600) as insula:
        insula.expect(INIT)
        first = None
        for cycle in range(CYCLES):
            row = insula.created("again", cmdline="console=hvc0 quiet cryptomgr.notests=1 insula.test=shell", memory=96)
            insula.console(row.id)
            insula.expect(INIT)
            insula.destroy("again")
            left = insula.info()
            first = first or left
            check((left["free"], left.get("slots")) == (first["free"], first.get("slots")),
                  f"after {cycle + 1} times {left}, after the first {first}")


@scenario(60)
def lifecycle_no_memory():
    """A create beyond the memory is refused and leaks nothing; also when there is enough for a part of it."""
    with Insula("lifecycle_no_memory", options=domain("debian"), modules=(VMLINUX, INITRD, TEST_PAYLOAD)) as insula:
        insula.expect(INIT)
        insula.created("warm", kernel="payload", ramdisk=None, cmdline="halt")
        insula.destroy("warm")
        before = insula.info()
        insula.refused("huge", kernel="payload", ramdisk=None, cmdline="halt", memory=1 << 20)
        check(insula.info() == before, "a refused create leaked")
        names = []
        while len(names) < 64:
            name = f"fill{len(names)}"
            insula.create(name, kernel="payload", ramdisk=None, cmdline="halt", memory=700)
            if name not in insula.list():
                break
            names.append(name)
        check(0 < len(names) < 64, f"{len(names)} domains of 700 MiB fit")
        for name in names:
            insula.destroy(name)
        after = insula.info()
        check(after == before, f"{before} became {after}")


@scenario(30)
def lifecycle_memory_is_scrubbed():
    with Insula("lifecycle_memory_is_scrubbed", options=domain("debian"), modules=(VMLINUX, INITRD, TEST_PAYLOAD)) as insula:
        insula.expect(INIT)
        for turn in range(3):
            row = insula.created(f"turn{turn}", kernel="payload", ramdisk=None, cmdline="hold", memory=256)
            insula.console(row.id)
            line = insula.expect(r"MEMORY bytes=(\d+) dirty=(\d+) patterns=(\d+)")
            check(int(line.group(3)) == 0, f"turn {turn} sees {line.group(3)} words of the domain before it")
            insula.destroy(f"turn{turn}")


@scenario(30)
def lifecycle_many_small():
    """Ten domains at once beside the first."""
    with Insula("lifecycle_many_small", options=domain("debian"), modules=(VMLINUX, INITRD, TEST_PAYLOAD)) as insula:
        insula.expect(INIT)
        for i in range(10):
            insula.created(f"small{i}", kernel="payload", ramdisk=None, cmdline="halt", memory=16)
        ids = [row.id for row in insula.list().values()]
        check(len(set(ids)) == 11, f"ids: {ids}")
        text = insula.command("list")
        check(len(re.findall(r"small\d", text)) == 10, "list does not show all")
