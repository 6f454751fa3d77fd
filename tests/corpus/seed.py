#!/usr/bin/env python3
"""Makes a fuzz seed from its description.

    seed.py NAME.seed > NAME

Words of a description: two hexadecimal digits are a byte; "text" is its bytes; le16:N, le32:N, le64:N are little-endian
numbers (N as in Python); @N fills with zeros up to offset N. A # begins a comment.
"""
import re
import sys

WORD = re.compile(r'\s+|#.*|"(?P<text>[^"]*)"|le(?P<bits>16|32|64):(?P<number>\w+)|@(?P<at>\w+)|(?P<byte>[0-9a-fA-F]{2})\b')


def main():
    out = bytearray()
    source, at = open(sys.argv[1]).read(), 0
    while at < len(source):
        m = WORD.match(source, at)
        if not m:
            sys.exit(f"{sys.argv[1]}: cannot read: {source[at:at + 20]!r}")
        at = m.end()
        if m["text"] is not None:
            out += m["text"].encode()
        elif m["number"]:
            out += int(m["number"], 0).to_bytes(int(m["bits"]) // 8, "little")
        elif m["at"]:
            out += bytes(int(m["at"], 0) - len(out))
        elif m["byte"]:
            out.append(int(m["byte"], 16))
    sys.stdout.buffer.write(out)


main()
