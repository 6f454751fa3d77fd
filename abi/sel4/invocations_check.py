#!/usr/bin/env python3
"""Makes the test of the invocation stubs: invocations_check.py invocation_table.txt invocations_gen.h > invocations_check_gen.h

Every stub's prototype is read from its C text; each argument gets a value of its own; the table says where that value must turn up. Stubs
with flags or contexts are called by the test's own text."""
import re
import sys

rows = [[f.strip() for f in l.split("|")] for l in open(sys.argv[1]) if l.strip() and not l.startswith("#")]
text = open(sys.argv[2]).read()
prototypes = dict((m[1], (m[0], m[2])) for m in re.findall(r"static inline (\S+) (\w+)\(([^)]*)\)", text))


def listed(field):
    return [] if field == "none" else [w.strip() for w in field.split(",")]


print("/* Generated from abi/sel4/invocation_table.txt and the stubs. See user/sel4_stub_test.c. */")
entries, seen = [], set()
for name, label, number, caps, words, result in rows:
    full = ("insula_" if int(number) >= 0x10000 else "seL4_") + name
    kind, parameters = prototypes[full]
    seen.add(full)
    print(f'_Static_assert({label} == {number}, "{name}");')
    if "flags" in listed(words) and name.startswith("TCB_") and name != "TCB_SetFlags" or "context" in listed(words):
        continue
    values, arguments = {}, ["0x7001"]
    for i, p in enumerate(parameters.split(",")[1:]):
        ctype, parameter = p.strip().rsplit(" ", 1)
        value = f"0x{0x41 + i:x}" if ctype == "seL4_Uint8" else f"0x{0xa1b2c3d4e5f60001 + i:x}"
        values[parameter] = value
        arguments.append(f"(seL4_CapRights_t){{{{{value}}}}}" if ctype == "seL4_CapRights_t" else value)
    want_caps, want_words = [values[c] for c in listed(caps)], [values[w] for w in listed(words)]
    if len(values) != len(want_caps) + len(want_words):
        raise SystemExit(f"{full}: the table has other arguments than the stub")
    if result != "none":
        field, what = [w.strip() for w in result.split("=", 1)]
        mask = what.split("&")[1].strip() if "&" in what else "UINT64_MAX"
        body = f"\t{kind} r = {full}({', '.join(arguments)});\n\n\t*result = r.{field};\n\treturn r.error;"
    else:
        mask = "0"
        body = f"\t(void)result;\n\treturn {full}({', '.join(arguments)});"
    print(f"static int check_{full}(uint64_t *result)\n{{\n{body}\n}}")
    entries.append(f'\t{{"{full}", {number}, check_{full}, {len(want_caps)}, {len(want_words)}, '
                   f'{{{", ".join(want_caps) or "0"}}}, {{{", ".join(want_words) or "0"}}}, {mask}}},')
left = set(p for p in prototypes if p.startswith(("seL4_", "insula_"))) - seen
if left:
    raise SystemExit(f"stubs that the table does not have: {sorted(left)}")
print("static const struct stub_check stub_checks[] = {")
print("\n".join(entries))
print("};")
