#!/usr/bin/env python3
"""Generates C accessors from bit layouts written as text.

    words pte 1              a type pte_t of one 64-bit word (struct with w[1]; uint64_t w[N])
    view  pte leaf           the fields that follow are of pte_t's form `leaf`
    field present 0 0        word 0, bit 0
    field base 0 51:12 <<12  word 0, bits 51..12; the value is that field shifted left by 12

For each field F of view V of type T, with 64-bit values:
    uint64_t T_V_F(T_t)                  read
    T_t      T_V_with_F(T_t, uint64_t)   a copy with the field replaced; bits outside the field are ignored
A view named `-` gives T_F and T_with_F. Overlap of two fields of one view is an error here.
Everything is plain shifts on uint64_t: readable by Frama-C, no C bit-fields, no unions.
"""
import re
import sys


def fail(n, text):
    sys.exit(f"{sys.argv[1]}:{n}: {text}")


def main():
    path = sys.argv[1]
    guard = re.sub(r"\W", "_", path).upper() + "_H"
    print(f"/* Generated from {path} by hw/fields.py. */\n#ifndef {guard}\n#define {guard}\n#include <stdint.h>\n")
    typ = view = None
    words, used = {}, {}
    for n, line in enumerate(open(path), 1):
        line = line.split("#")[0].split()
        if not line:
            continue
        if line[0] == "words":
            typ, words[line[1]] = line[1], int(line[2])
            print(f"typedef struct {{ uint64_t w[{line[2]}]; }} {typ}_t;\n")
            view = None
        elif line[0] == "view":
            typ, view = line[1], line[2]
            if typ not in words:
                fail(n, f"no words {typ}")
            used = {}
        elif line[0] == "field":
            name, word, bits = line[1], int(line[2]), line[3]
            if view is None or word >= words[typ]:
                fail(n, "field outside a view or a word")
            hi, _, lo = bits.partition(":")
            hi, lo = int(hi), int(lo or hi)
            shift = int(line[4][2:]) if len(line) > 4 else 0
            if not 63 >= hi >= lo >= 0:
                fail(n, "bad bit range")
            mask = (1 << (hi - lo + 1)) - 1
            if used.get(word, 0) & (mask << lo):
                fail(n, f"{name} overlaps another field")
            used[word] = used.get(word, 0) | (mask << lo)
            p = f"{typ}_" if view == "-" else f"{typ}_{view}_"
            get = f"(x.w[{word}] >> {lo})" if lo else f"x.w[{word}]"
            if mask != (1 << 64) - 1:
                get = f"({get} & 0x{mask:x}ull)"
            val = f"(v >> {shift})" if shift else "v"
            if mask != (1 << 64) - 1:
                val = f"({val} & 0x{mask:x}ull)"
            print(f"static inline uint64_t {p}{name}({typ}_t x)\n{{\n\treturn {get}{f' << {shift}' if shift else ''};\n}}")
            print(f"static inline {typ}_t {p}with_{name}({typ}_t x, uint64_t v)\n{{")
            keep = ((1 << 64) - 1) ^ (mask << lo)
            print(f"\tx.w[{word}] = (x.w[{word}] & 0x{keep:x}ull) | ({val} << {lo});\n\treturn x;\n}}")
        else:
            fail(n, f"unknown word {line[0]}")
    print("\n#endif")


main()
