#!/usr/bin/env python3
"""Makes the test of the API's headers: abi_check.py abi_table.txt invocation_table.txt HEADER... > abi_check_gen.h

Every number of the tables is compared when the test is compiled. Every enumerator of the headers has to be in a table, and every field of
a structure whose size is: so a constant that is added without a fact to compare it with does not build."""
import re
import sys

table, labels, headers = sys.argv[1], sys.argv[2], sys.argv[3:]
OURS = ("INSULA", "insula", "Insula")  # extensions have their own header


def rows(path):
    return [line.split() for line in open(path) if line.strip() and not line.startswith("#")]


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


known, structures, fields = set(), set(), set()
print("/* Generated from abi/sel4/abi_table.txt. See user/sel4_abi_test.c. */")
for kind, name, value in rows(table):
    known.add(name)
    if kind == "const":
        print(f'_Static_assert((int64_t)({name}) == INT64_C({value}), "{name}");')
    elif kind == "size":
        structures.add(name)
        print(f'_Static_assert(sizeof({name}) == {value}, "size of {name}");')
    elif kind == "offset":
        structure, field = name.split(".")
        fields.add((structure, field))
        print(f'_Static_assert(offsetof({structure}, {field}) == {value}, "{name}");')
    else:
        raise SystemExit(f"abi_check: {kind}: not const, size or offset")
for line in open(labels):
    if line.strip() and not line.startswith("#"):
        words = [f.strip() for f in line.split("|")]
        known.add(words[1])
known.add("seL4_NumInvocationLabels")
print('_Static_assert(seL4_NumInvocationLabels == 78, "labels");')

missing = []
for path in headers:
    text = without_comments(open(path).read())
    for body in re.findall(r"enum\s+\w*\s*\{([^}]*)\}", text):
        for entry in body.split(","):
            name = entry.split("=")[0].strip()
            if name and name not in known and not name.startswith(OURS):
                missing.append(f"{path}: {name}")
    for body, name in re.findall(r"typedef struct(?: \w+)? \{([^}]*)\}\s*(\w+);", text):
        if name not in structures:
            continue
        for declaration in body.split(";"):
            declared = re.sub(r"\[[^\]]*\]", "", declaration).strip()
            for field in re.findall(r"(\w+)\s*(?:,|$)", declared):
                if (name, field) not in fields and name not in ("seL4_MessageInfo_t", "seL4_CapRights_t", "seL4_VCPUContext"):
                    missing.append(f"{path}: {name}.{field}")
if missing:
    raise SystemExit("abi_check: not in the table:\n" + "\n".join(missing))
print(f"#define ABI_CHECKED {len(known) + len(fields)}u")
