#!/usr/bin/env python3
"""Generates C accessors from bit layouts written as text. `fields.py [--acsl] FILE`

    words pte 1              a type pte_t of one 64-bit word (struct with w[1]; uint64_t w[N])
    view  pte leaf           the fields that follow are of pte_t's form `leaf`
    field present 0 0        word 0, bit 0
    field base 0 51:12 <<12  word 0, bits 51..12; the value is that field shifted left by 12

For each field F of view V of type T, with 64-bit values:
    uint64_t T_V_F(T_t)                  read
    T_t      T_V_with_F(T_t, uint64_t)   a copy with the field replaced; bits outside the field are ignored
A view named `-` gives T_F and T_with_F. Overlap of two fields of one view is an error here.
Everything is plain shifts on uint64_t: readable by Frama-C, no C bit-fields, no unions.

--acsl: the same with contracts (proofs/bits.h has their words): what is read are these bits; what is written are
these bits, from the value's low ones; every other field of every view, and every other word, stays as it was.
"""
import re
import sys
from dataclasses import dataclass

ALL = (1 << 64) - 1


@dataclass(frozen=True)
class Field:
    prefix: str  # of its functions: type and view
    name: str
    word: int
    hi: int
    lo: int
    shift: int

    @property
    def mask(self) -> int:
        return (1 << (self.hi - self.lo + 1)) - 1

    def overlaps(self, other: "Field") -> bool:
        return self.word == other.word and self.lo <= other.hi and other.lo <= self.hi


def parse(path: str) -> dict[str, tuple[int, list[Field]]]:
    """Type -> number of words, fields."""
    types: dict[str, tuple[int, list[Field]]] = {}
    typ = view = None
    seen: list[Field] = []  # of this view

    def fail(text: str) -> None:
        sys.exit(f"{path}:{n}: {text}")

    for n, line in enumerate(open(path), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "words":
            types[words[1]] = int(words[2]), []
            view = None
        elif words[0] == "view":
            typ, view, seen = words[1], words[2], []
            if typ not in types:
                fail(f"no words {typ}")
        elif words[0] == "field":
            hi, _, lo = words[3].partition(":")
            field = Field(f"{typ}_" if view == "-" else f"{typ}_{view}_", words[1], int(words[2]), int(hi), int(lo or hi),
                          int(words[4][2:]) if len(words) > 4 else 0)
            if view is None or field.word >= types[typ][0]:
                fail("field outside a view or a word")
            if not 63 >= field.hi >= field.lo >= 0:
                fail("bad bit range")
            if any(field.overlaps(f) for f in seen):
                fail(f"{field.name} overlaps another field")
            seen.append(field)
            types[typ][1].append(field)
        else:
            fail(f"unknown word {words[0]}")
    return types


def reading(f: Field, word: str) -> str:
    get = f"({word} >> {f.lo})" if f.lo else word
    if f.mask != ALL:
        get = f"({get} & 0x{f.mask:x}ull)"
    return get + (f" << {f.shift}" if f.shift else "")


def writing(f: Field, word: str, cast: str = "") -> str:
    value = f"(v >> {f.shift})" if f.shift else "v"
    if f.mask != ALL:
        value = f"({value} & 0x{f.mask:x}ull)"
    return f"({word} & 0x{ALL ^ f.mask << f.lo:x}ull) | {cast}({value} << {f.lo})"


def contracts(typ: str, words: int, fields: list[Field], f: Field) -> tuple[str, str, str]:
    """What is assumed of these bits, the contract of reading and that of writing."""
    at, scale = f"{f.hi}, {f.lo}", f" * 0x{1 << f.shift:x}" if f.shift else ""
    name, top = f"{f.prefix}{f.name}", f.hi - f.lo + f.shift
    multiple = f" && v % 0x{1 << f.shift:x} == 0" if f.shift else ""
    assumed = f"""/*@ axiomatic {name} {{
	logic integer f_{name}({typ}_t x) = bits(x.w[{f.word}], {at}){scale};
	axiom {name}_read: \\forall integer w; word(w) ==> ({reading(f, "w")}) == bits(w, {at}){scale};
	axiom {name}_write: \\forall integer w, v; word(w) && word(v) ==>
		({writing(f, "w", "(uint64_t)")}) == put(w, {at}, v, {f.shift});
	axiom {name}_range: \\forall integer w; word(w) ==> 0 <= bits(w, {at}) <= 0x{f.mask:x};
	axiom {name}_value: \\forall integer v; 0 <= v <= 0x{f.mask << f.shift:x}{multiple} ==> bits(v, {top}, {f.shift}){scale} == v;
}} */"""
    read = f"""/*@ assigns \\nothing;
	ensures \\result == f_{name}(x) && 0 <= \\result <= 0x{f.mask << f.shift:x}; */"""
    is_new = [f"\\result.w[{f.word}] == put(x.w[{f.word}], {at}, v, {f.shift})",
              f"f_{name}(\\result) == bits(v, {top}, {f.shift}){scale}"]
    kept = [f"\\result.w[{i}] == x.w[{i}]" for i in range(words) if i != f.word]
    others = sorted({(g.hi, g.lo) for g in fields if g.word == f.word and not g.overlaps(f)})
    kept += [f"bits(\\result.w[{f.word}], {hi}, {lo}) == bits(x.w[{f.word}], {hi}, {lo})" for hi, lo in others]
    write = "/*@ assigns \\nothing;\n\tensures " + " &&\n\t\t".join(is_new + kept) + "; */"
    return assumed, read, write


def main() -> None:
    acsl = "--acsl" in sys.argv
    path = sys.argv[-1]
    guard = re.sub(r"\W", "_", path).upper() + "_H"
    print(f"/* Generated from {path} by hw/fields.py. */\n#ifndef {guard}\n#define {guard}\n#include <stdint.h>")
    if acsl:
        print('#include "proofs/bits.h"')
    print()
    for typ, (words, fields) in parse(path).items():
        print(f"typedef struct {{ uint64_t w[{words}]; }} {typ}_t;\n")
        for f in fields:
            if acsl:
                assumed, read, write = contracts(typ, words, fields, f)
                print(f"{assumed}\n{read}")
            word = f"x.w[{f.word}]"
            print(f"static inline uint64_t {f.prefix}{f.name}({typ}_t x)\n{{\n\treturn {reading(f, word)};\n}}")
            if acsl:
                print(write)
            print(f"static inline {typ}_t {f.prefix}with_{f.name}({typ}_t x, uint64_t v)\n{{")
            print(f"\t{word} = {writing(f, word)};\n\treturn x;\n}}")
    print("\n#endif")


main()
