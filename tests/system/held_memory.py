"""Takes a stream of many bytes out of domain 0, faster than its console can say it: a program there holds it in pages (tests/programs/held.c), and QEMU shows the machine's memory."""
import pathlib
import secrets
import struct
import tempfile

import insula
from harness import OUT

PROGRAM = OUT / "tests" / "held"
MACHINE = ("-m", "1024")  # all of its RAM is below 4 GiB
RAM = 1024 << 20
STEP = 128 << 20
PAGE = 4096
MAGIC = 0x696e73756c610a01
HEAD = struct.Struct("<QQII")


def found(memory: bytes, begin: bytes, pages: dict[int, bytes]) -> None:
    at = memory.find(begin)
    while at >= 0:
        if at % PAGE == 0:
            _, _, number, size = HEAD.unpack_from(memory, at)
            insula.check(size <= PAGE - HEAD.size, f"a page of {size} bytes")
            pages[number] = memory[at + HEAD.size:at + HEAD.size + size]
        at = memory.find(begin, at + len(begin))


def take(machine, command: str, wall: float = 120) -> bytes:
    """What a command in domain 0 writes to its standard output."""
    nonce, pages = secrets.randbits(64), {}
    count = int(machine.shell(f"(set -o pipefail; {command} | held {nonce:x})", wall))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "memory"
        for at in range(0, RAM, STEP):
            machine.qmp.call("pmemsave", val=at, size=STEP, filename=str(path))
            found(path.read_bytes(), HEAD.pack(MAGIC, nonce, 0, 0)[:16], pages)
    machine.shell("kill $(pidof held)")
    insula.check(sorted(pages) == list(range(count)), f"of {count} pages {len(pages)} were found")
    return b"".join(pages[number] for number in range(count))
