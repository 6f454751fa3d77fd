"""Configurations that ask for what there is not, and files that are no kernels: xl says so in its ordinary words, and nothing is left behind."""
import re

import insula
from scenarios import scenario
from test_dom0 import Admin, end_all, guest, wait_log


def damaged(at: int, bytes_: str) -> str:
    """The payload with other bytes there: an ELF64 file whose segment is described at 64 (tests/guests/bad_modules.py)."""
    return f"cp /guest/payload {{0}} && printf '{bytes_}' | dd of={{0}} bs=1 seek={at} conv=notrunc 2>/dev/null"


# how each file is made in domain 0
NO_KERNELS = {
    "empty": ": > {0}",
    "text": "cp /etc/passwd {0}",
    "zeros": "dd if=/dev/zero of={0} bs=65536 count=1 2>/dev/null",
    "cut-in-header": "head -c 40 /guest/payload > {0}",
    "cut-in-content": "head -c 6000 /guest/payload > {0}",
    "program": "cp /bin/busybox {0}",
    "segments-outside": damaged(32, r"\377\377\377\377"),
    "memory-too-big": damaged(64 + 40 + 4, r"\377"),
    "address-outside": damaged(64 + 24 + 4, r"\100"),
    "packed-nothing": "gzip < /dev/null > {0}",
    "packed-cut": "gzip < /guest/payload | head -c 2000 > {0}",
    "bzimage-cut": "head -c 3000000 /guest/vmlinuz > {0}",
    "folder": "mkdir {0}",
    "absent": ":",
}
TOO_MUCH = {
    "memory": "memory=100000",
    "maxmem": "maxmem=100000000",
    "vcpus": "vcpus=1000",
    "vcpu-one-more": "vcpus=129",
}
WORDS = r"(?i)\b(error|failed|invalid|unable|cannot|can't|too (many|large)|no such)\b"


def what_there_is(machine: Admin) -> str:
    return machine.shell("xl list | tail -n +2 | awk '{print $1,$2,$3}'; xl info free_memory; xl info outstanding_claims; "
                         "xenstore-ls -f /local/domain /vm /libxl | cut -d= -f1 | sort | md5sum; losetup -a")


def refused(machine: Admin, name: str, before: str) -> None:
    # libxenguest calls it a panic, as Xen and Linux do theirs
    said = machine.shell(f"xl create /run/{name}.cfg > /run/said 2>&1; echo STATUS $?; sed 's/pani[c]:/says:/' /run/said", 300)
    status = int(re.search(r"^STATUS (\d+)$", said, re.M).group(1))
    insula.check(0 < status < 126 and re.search(WORDS, said) is not None, f"{name}: {said[-600:]!r}")
    machine.shell("while xl list | grep -q null; do usleep 50000; done", 60)
    after = what_there_is(machine)
    insula.check(after == before, f"{name}: {before!r} became {after!r}")


@scenario(weight=120, on_xen=True)
def dom0_xl_refuses():
    with Admin("dom0-refuses") as machine:
        machine.login()
        guest(machine, "good", "/guest/payload", 16, "halt")
        machine.shell("xl create /run/good.cfg", 120)
        wait_log(machine, "good", "PAYLOAD start")
        end_all(machine, "good")
        before = what_there_is(machine)
        for name, make in NO_KERNELS.items():
            file = f"/run/no-kernel-{name}"
            machine.shell(make.format(file))
            guest(machine, name, file, 64, "")
            refused(machine, name, before)
        for name, line in TOO_MUCH.items():
            guest(machine, name, "/guest/payload", 16, "halt", more=line)
            refused(machine, name, before)
        machine.shell("rm /var/log/xen/guest-good.log; xl create /run/good.cfg", 120)
        wait_log(machine, "good", "PAYLOAD start")
        end_all(machine, "good")
