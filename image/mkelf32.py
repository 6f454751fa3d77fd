#!/usr/bin/env python3
"""mkelf32.py [--archive FILE] KERNEL.elf OUT: the kernel as boot loaders want it.

Multiboot 1 (`qemu -kernel`) loads only 32-bit ELF files, so the 64-bit kernel is flattened into one with a
single segment at its physical address. With --archive, the servers' archive follows the kernel's bss on a
page of its own, and the kernel is told where, in `boot_archive_start_size`: {offset from the load address, bytes}.
"""
import argparse
import struct
import sys

from elf64 import Elf64, ElfError

LOAD_BASE = 0x100000
PAGE = 4096
MULTIBOOT1 = (0x1BADB002, 8192, 4)  # magic, search limit, alignment (Multiboot 0.6.96, 3.1)
MULTIBOOT2 = (0xE85250D6, 32768, 8)  # (Multiboot2 2.0, 3.1.1)
ARCHIVE_SYMBOL = "boot_archive_start_size"
EM_386, EM_X86_64, ET_EXEC, PF_RWX = 3, 62, 2, 7


def flatten(kernel: Elf64) -> tuple[bytearray, int]:
    """The kernel's bytes from LOAD_BASE on, without trailing bss, and its size in memory."""
    loads = sorted(kernel.loads(), key=lambda s: s.paddr)
    if not loads or loads[0].paddr != LOAD_BASE:
        raise ElfError(f"the first segment is not loaded at {LOAD_BASE:#x}")
    image, memory = bytearray(), 0
    for s in loads:
        start = s.paddr - LOAD_BASE
        if start < memory:
            raise ElfError("segments overlap in physical memory")
        if s.filesz:
            image.extend(bytes(start - len(image)))
            image += kernel.data[s.offset:s.offset + s.filesz]
        memory = start + s.memsz
    return image, memory


def check_multiboot(image: bytes) -> None:
    magic, limit, step = MULTIBOOT1
    for at in range(0, min(limit, len(image)) - 12 + 1, step):
        words = struct.unpack_from("<III", image, at)
        if words[0] == magic and sum(words) & 0xFFFFFFFF == 0:
            break
    else:
        raise ElfError(f"no multiboot 1 header in the first {limit} bytes")
    magic, limit, step = MULTIBOOT2
    for at in range(0, min(limit, len(image)) - 16 + 1, step):
        words = struct.unpack_from("<IIII", image, at)
        if words[0] == magic and sum(words) & 0xFFFFFFFF == 0:
            if at + words[2] > limit:
                raise ElfError(f"the multiboot 2 header ends beyond the first {limit} bytes")
            return
    raise ElfError(f"no multiboot 2 header in the first {limit} bytes")


def add_archive(kernel: Elf64, image: bytearray, memory: int, archive: bytes) -> None:
    symbols = kernel.symbols()
    if ARCHIVE_SYMBOL not in symbols:
        raise ElfError(f"no symbol {ARCHIVE_SYMBOL}")
    where = kernel.physical(symbols[ARCHIVE_SYMBOL]) - LOAD_BASE
    if where + 16 > len(image):
        raise ElfError(f"{ARCHIVE_SYMBOL} is in bss")
    start = -(-memory // PAGE) * PAGE
    struct.pack_into("<QQ", image, where, start, len(archive))
    image.extend(bytes(start - len(image)))
    image += archive
    image.extend(bytes(-len(image) % PAGE))


def elf32(image: bytes, memory: int, entry: int) -> bytes:
    if not LOAD_BASE <= entry < LOAD_BASE + len(image):
        raise ElfError(f"the entry point {entry:#x} is outside the image")
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header = struct.pack("<16sHHIIIIIHHHHHH", ident, ET_EXEC, EM_386, 1, entry, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, PAGE, LOAD_BASE, LOAD_BASE, len(image), max(memory, len(image)), PF_RWX, PAGE)
    return (header + segment).ljust(PAGE, b"\0") + image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive")
    parser.add_argument("kernel")
    parser.add_argument("out")
    options = parser.parse_args()
    with open(options.kernel, "rb") as f:
        kernel = Elf64(f.read())
    if kernel.machine != EM_X86_64:
        raise ElfError("not for x86_64")
    image, memory = flatten(kernel)
    check_multiboot(image)
    if options.archive:
        with open(options.archive, "rb") as f:
            add_archive(kernel, image, memory, f.read())
    result = elf32(image, memory, kernel.entry)
    with open(options.out, "wb") as f:
        f.write(result)


if __name__ == "__main__":
    try:
        main()
    except (ElfError, OSError) as error:
        sys.exit(f"mkelf32.py: {error}")
