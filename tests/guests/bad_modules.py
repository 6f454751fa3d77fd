#!/usr/bin/env python3
"""bad_modules.py PAYLOAD FOLDER: guest kernels that must be refused, made by damaging a good one.

Each file is named after what is wrong with it. The test payload must be an ELF64 file with one PT_LOAD and one note.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image"))
from elf64 import Elf64  # noqa: E402

PHDR_OFFSET, PHDR_VADDR, PHDR_PADDR, PHDR_FILESZ, PHDR_MEMSZ = 8, 16, 24, 32, 40
EHDR_MACHINE, EHDR_PHOFF, EHDR_PHENTSIZE, EHDR_PHNUM = 18, 32, 54, 56


def patched(data: bytes, at: int, layout: str, value: int) -> bytes:
    out = bytearray(data)
    struct.pack_into("<" + layout, out, at, value)
    return bytes(out)


def damaged(good: bytes) -> dict[str, bytes]:
    elf = Elf64(good)
    load, note = elf.phoff, elf.phoff + elf.phentsize
    note_segment = elf.segments[1]
    note_value = note_segment.offset + 16
    huge = (1 << 64) - 4096

    def load_field(field: int, value: int) -> bytes:
        return patched(good, load + field, "Q", value)

    return {
        "empty": b"",
        "one-byte": b"\x7f",
        "text": b"This is not a kernel, it is a letter.\n" * 200,
        "zeros": bytes(65536),
        "cut-in-header": good[:40],
        "cut-in-segments": good[:elf.phoff + 30],
        "cut-in-content": good[:elf.segments[0].offset + 100],
        "file-offset-outside": load_field(PHDR_OFFSET, len(good) + 4096),
        "file-offset-wraps": load_field(PHDR_OFFSET, huge),
        "file-size-outside": load_field(PHDR_FILESZ, len(good) * 2),
        "file-size-wraps": load_field(PHDR_FILESZ, (1 << 64) - 1),
        "memory-below-file": load_field(PHDR_MEMSZ, 16),
        "memory-too-big": load_field(PHDR_MEMSZ, 1 << 40),
        "address-outside": load_field(PHDR_PADDR, 1 << 38),
        "address-wraps": load_field(PHDR_PADDR, huge),
        "segments-outside": patched(good, EHDR_PHOFF, "Q", len(good) - 8),
        "segments-wrap": patched(good, EHDR_PHOFF, "Q", (1 << 64) - 8),
        "too-many-segments": patched(good, EHDR_PHNUM, "H", 0xFFFF),
        "segment-size": patched(good, EHDR_PHENTSIZE, "H", 8),
        "machine": patched(good, EHDR_MACHINE, "H", 40),
        "no-note": patched(good, note, "I", 6),
        "note-outside": patched(good, note + PHDR_OFFSET, "Q", len(good)),
        "note-name-size": patched(good, note_segment.offset, "I", 0xFFFFFFF0),
        "note-value-size": patched(good, note_segment.offset + 4, "I", 0xFFFFFFFC),
        "entry-outside": patched(good, note_value, "I", 0xFFFFFFF0),
    }


def main(source: str, folder: str) -> None:
    good = pathlib.Path(source).read_bytes()
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, data in damaged(good).items():
        (target / name).write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: bad_modules.py PAYLOAD FOLDER")
    main(*sys.argv[1:])
