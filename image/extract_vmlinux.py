#!/usr/bin/env python3
"""extract_vmlinux.py BZIMAGE OUT: the ELF kernel inside a Linux boot image.

A guest then need not spend 4.4 G emulated instructions on unpacking itself. (Linux Documentation/x86/boot.rst:
setup_sects at 0x1f1, "HdrS" at 0x202, payload_offset and payload_length at 0x248 and 0x24c.) Debian packs its
generic kernels with XZ and its cloud kernels with LZ4 in the legacy frame format, both are read here; the
payload ends with the unpacked size in four bytes that belong to neither.
"""
import lzma
import os
import struct
import sys

LZ4_LEGACY_MAGIC = b"\x02!L\x18"
XZ_MAGIC = b"\xfd7zXZ\0"


def lz4_length(block: bytes, at: int, nibble: int) -> tuple[int, int]:
    """A length of 15 and more goes on in bytes, up to the first that is not 255."""
    length = nibble
    if nibble == 15:
        while True:
            length += block[at]
            at += 1
            if block[at - 1] != 255:
                break
    return length, at


def lz4_block(block: bytes) -> bytes:
    """One block (LZ4 Block Format): token, literals, then a match of at least 4 bytes, but for the last sequence."""
    out, at = bytearray(), 0
    while at < len(block):
        token = block[at]
        literals, at = lz4_length(block, at + 1, token >> 4)
        out += block[at:at + literals]
        at += literals
        if at >= len(block):
            break
        distance = block[at] | block[at + 1] << 8
        length, at = lz4_length(block, at + 2, token & 15)
        length += 4
        start = len(out) - distance
        if distance == 0 or start < 0:
            raise ValueError("LZ4 match outside the block")
        if distance >= length:
            out += out[start:start + length]
        else:  # the match runs into what it writes
            period = out[start:]
            out += (period * (length // distance + 1))[:length]
    return bytes(out)


def lz4_legacy(payload: bytes) -> bytes:
    out, at = [], len(LZ4_LEGACY_MAGIC)
    while at + 4 <= len(payload) - 4:
        (size,) = struct.unpack_from("<I", payload, at)
        if size == 0 or at + 4 + size > len(payload):
            raise ValueError("LZ4 block outside the payload")
        out.append(lz4_block(payload[at + 4:at + 4 + size]))
        at += 4 + size
    return b"".join(out)


def extract(image: bytes) -> bytes:
    if len(image) < 0x250 or image[0x202:0x206] != b"HdrS":
        raise ValueError("no Linux boot image")
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    payload = image[start:start + length]
    if len(payload) != length:
        raise ValueError("truncated")
    if payload.startswith(XZ_MAGIC):
        kernel = lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(payload)
    elif payload.startswith(LZ4_LEGACY_MAGIC):
        kernel = lz4_legacy(payload)
    else:
        raise ValueError("the payload is neither XZ nor LZ4")
    if not kernel.startswith(b"\x7fELF") or len(kernel) != struct.unpack("<I", payload[-4:])[0]:
        raise ValueError("the payload is no ELF file, or damaged")
    return kernel


def main(source: str, target: str) -> None:
    with open(source, "rb") as f:
        kernel = extract(f.read())
    temporary = f"{target}.{os.getpid()}"
    with open(temporary, "wb") as f:
        f.write(kernel)
    os.replace(temporary, target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: extract_vmlinux.py BZIMAGE OUT")
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, IndexError, lzma.LZMAError) as error:
        sys.exit(f"extract_vmlinux.py: {error}")
