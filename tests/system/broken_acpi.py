"""ACPI tables with something wrong, for GRUB to put in the place of the machine's own (its `acpi` command)."""
import struct

LOCAL_APIC, IO_APIC = 0xFEE00000, 0xFEC00000


def table(signature: bytes, body: bytes, checksum: int | None = None) -> bytes:
    header = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 3, 0, b"INSULA", b"BROKEN  ", 1, b"TEST", 1)
    data = bytearray(header + body)
    data[9] = -sum(data) & 255 if checksum is None else checksum
    return bytes(data)


def madt(entries: bytes, checksum: int | None = None) -> bytes:
    return table(b"APIC", struct.pack("<II", LOCAL_APIC, 1) + entries, checksum)


CPU = struct.pack("<BBBBI", 0, 8, 0, 0, 1)
IOAPIC = struct.pack("<BBBBII", 1, 12, 0, 0, IO_APIC, 0)


def cpu(number: int, apic_id: int) -> bytes:
    return struct.pack("<BBBBI", 0, 8, number, apic_id, 1)


ABSENT_CPU = madt(CPU + cpu(1, 9) + cpu(2, 1) + IOAPIC)  # of two CPUs, with a third between them

MADTS = {  # what is wrong -> the MADT
    "no_ioapic": madt(CPU),
    "no_entries": madt(b""),
    "checksum": madt(CPU + IOAPIC, 0x5A),
    "entry_length_zero": madt(CPU + bytes((1, 0)) + IOAPIC[2:]),
    "entry_length_one": madt(CPU + bytes((1, 1)) + IOAPIC[2:]),
    "entry_beyond_table": madt(CPU + bytes((1, 200)) + IOAPIC[2:]),
    "entry_cut": madt(CPU + IOAPIC[:5]),
    "ioapic_address_zero": madt(CPU + struct.pack("<BBBBII", 1, 12, 0, 0, 0, 0)),
}
