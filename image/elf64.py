"""Reads 64-bit little-endian ELF files: header, segments, symbols. Used by mkelf32.py, extract_vmlinux.py and the tests.

Raises ElfError on anything that does not lie inside the file; never guesses.
"""
import struct
from typing import NamedTuple

PT_LOAD = 1
SHT_SYMTAB = 2


class ElfError(Exception):
    pass


class Segment(NamedTuple):
    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int


class Elf64:
    HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
    PHDR = struct.Struct("<IIQQQQQQ")
    SHDR = struct.Struct("<IIQQQQIIQQ")
    SYM = struct.Struct("<IBBHQQ")

    def __init__(self, data: bytes):
        self.data = data
        (ident, self.type, self.machine, _, self.entry, self.phoff, self.shoff, _, _,
         self.phentsize, self.phnum, self.shentsize, self.shnum, _) = self._at(self.HEADER, 0)
        if ident[:6] != b"\x7fELF\x02\x01":
            raise ElfError("no 64-bit little-endian ELF file")
        self.segments = []
        for i in range(self.phnum):
            kind, flags, offset, vaddr, paddr, filesz, memsz, _ = self._at(self.PHDR, self.phoff + i * self.phentsize)
            if kind == PT_LOAD and (filesz > memsz or offset + filesz > len(data)):
                raise ElfError(f"segment {i} lies outside the file")
            self.segments.append(Segment(kind, flags, offset, vaddr, paddr, filesz, memsz))

    def _at(self, layout: struct.Struct, offset: int):
        if offset + layout.size > len(self.data):
            raise ElfError("truncated")
        return layout.unpack_from(self.data, offset)

    def loads(self) -> list[Segment]:
        return [s for s in self.segments if s.type == PT_LOAD and s.memsz]

    def symbols(self) -> dict[str, int]:
        """Name to value, of the static symbol table."""
        sections = [self._at(self.SHDR, self.shoff + i * self.shentsize) for i in range(self.shnum)]
        found = {}
        for _, kind, _, _, offset, size, link, _, _, _ in sections:
            if kind != SHT_SYMTAB:
                continue
            if link >= len(sections):
                raise ElfError("symbol table without strings")
            start, length = sections[link][4], sections[link][5]
            names = self.data[start:start + length]
            for at in range(offset, offset + size, self.SYM.size):
                name, _, _, section, value, _ = self._at(self.SYM, at)
                if section and name < len(names):
                    found[names[name:names.index(b"\0", name)].decode("latin-1")] = value
        return found

    def physical(self, vaddr: int) -> int:
        """The load address of a virtual address."""
        for s in self.loads():
            if s.vaddr <= vaddr < s.vaddr + s.memsz:
                return vaddr - s.vaddr + s.paddr
        raise ElfError(f"address {vaddr:#x} is in no segment")
