#!/usr/bin/env python3
"""Makes the C stubs of all invocations from invocations.txt: invocations.py invocations.txt > invocations_gen.h

A stub puts its extra capabilities into caps_or_badges in the order of its arguments, its words into MR0.., and calls. The first four
words travel in registers and are stored to the buffer only when they come back with an error or a result."""
import sys

GUARD = """/* Generated from abi/sel4/invocations.txt. Stubs of all invocations: see sel4/sel4.h. */
#ifndef SEL4_INVOCATIONS_GEN_H
#define SEL4_INVOCATIONS_GEN_H

#include "insula/ext.h"
#include "sel4/syscalls.h"
"""

# C parameters and the word that they make
FLAGS = {
    "read_flags": (["seL4_Bool suspend_source", "seL4_Uint8 arch_flags"],
                   "(suspend_source & 1ull) | (seL4_Word)arch_flags << 8"),
    "write_flags": (["seL4_Bool resume_target", "seL4_Uint8 arch_flags"],
                    "(resume_target & 1ull) | (seL4_Word)arch_flags << 8"),
    "copy_flags": (["seL4_Bool suspend_source", "seL4_Bool resume_target", "seL4_Bool transfer_frame",
                    "seL4_Bool transfer_integer", "seL4_Uint8 arch_flags"],
                   "(suspend_source & 1ull) | (resume_target & 1ull) << 1 | (transfer_frame & 1ull) << 2 | "
                   "(transfer_integer & 1ull) << 3 | (seL4_Word)arch_flags << 8"),
}
VCPU_WORDS = "eax ebx ecx edx esi edi ebp r8 r9 r10 r11 r12 r13 r14 r15".split()
CONTEXT_WORDS = ("rip rsp rflags rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 "
                 "fs_base gs_base").split()


def pair(text):
    name, _, kind = text.partition(":")
    return name, kind


class Stub:
    def __init__(self, line):
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 4:
            raise SystemExit(f"invocations: four fields wanted: {line}")
        self.name, self.label, arguments, results = fields
        self.parameters, self.caps, self.words = ["seL4_CPtr service"], [], []
        for name, kind in map(pair, arguments.split()):
            self.add(name, kind)
        self.results = [pair(r) for r in results.split()]

    def add(self, name, kind):
        if kind == "cap":
            self.parameters.append(f"seL4_CPtr {name}")
            self.caps.append(name)
        elif kind == "rights":
            self.parameters.append(f"seL4_CapRights_t {name}")
            self.words.append(f"{name}.words[0]")
        elif kind == "u8":
            self.parameters.append(f"seL4_Uint8 {name}")
            self.words.append(name)
        elif kind in FLAGS:
            parameters, word = FLAGS[kind]
            self.parameters += parameters
            self.words.append(word)
        elif kind == "context":
            # the label's own count word, then all words of the context
            self.parameters += ["seL4_Word count", f"const seL4_UserContext *{name}"]
            self.words.append("count")
            self.words += [f"{name}->{w}" for w in CONTEXT_WORDS]
        elif kind == "vcpu_context":
            self.parameters.append(f"const seL4_VCPUContext *{name}")
            self.words += [f"{name}->{w}" for w in VCPU_WORDS]
        elif kind == "":
            self.parameters.append(f"seL4_Word {name}")
            self.words.append(name)
        else:
            raise SystemExit(f"invocations: {self.name}: no such kind: {kind}")

    def text(self):
        context = [n for n, k in self.results if k == "context"]
        plain = [(n, k or "seL4_Word") for n, k in self.results if k != "context"]
        parameters = self.parameters + [f"seL4_UserContext *{n}" for n in context]
        out = []
        kind = "seL4_Error"
        if plain:
            kind = f"{self.name}_t"
            fields = "".join(f"\t{t} {n};\n" for n, t in plain)
            out.append(f"typedef struct {{\n\tint error;\n{fields}}} {kind};\n")
        out.append(f"static inline {kind} {self.name}({', '.join(parameters)})\n{{")
        regs = (self.words + ["0"] * 4)[:4]
        out.append(f"\tstruct sel4_message_registers sel4_m = {{{', '.join(regs)}}};")
        out.append(f"\tseL4_MessageInfo_t sel4_info = seL4_MessageInfo_new({self.label}, 0, {len(self.caps)}, {len(self.words)});")
        if plain:
            out.append(f"\t{kind} sel4_result = {{0}};")
        out.append("")
        out += [f"\tseL4_SetCap({i}, {c});" for i, c in enumerate(self.caps)]
        out += [f"\tseL4_SetMR({i}, {w});" for i, w in enumerate(self.words) if i >= 4]
        out.append("\tsel4_info = sel4_syscall_receive((seL4_Word)seL4_SysCall, &service, sel4_info, &sel4_m, 0, 0);")
        if context:
            out.append("\tsel4_registers_store(sel4_m);")
            out.append("\tif (seL4_MessageInfo_get_label(sel4_info) == seL4_NoError) {")
            out += [f"\t\t{context[0]}->{w} = count > {i} ? seL4_GetMR({i}) : 0;" for i, w in enumerate(CONTEXT_WORDS)]
            out.append("\t}")
        elif plain:
            out.append("\tif (seL4_MessageInfo_get_label(sel4_info) != seL4_NoError)")
            out.append("\t\tsel4_registers_store(sel4_m);")
            out.append("\tsel4_result.error = (int)seL4_MessageInfo_get_label(sel4_info);")
            out += [f"\tsel4_result.{n} = ({t})sel4_m.mr{i};" for i, (n, t) in enumerate(plain)]
            out.append("\treturn sel4_result;\n}\n")
            return "\n".join(out)
        else:
            out.append("\tif (seL4_MessageInfo_get_label(sel4_info) != seL4_NoError)")
            out.append("\t\tsel4_registers_store(sel4_m);")
        out.append("\treturn (seL4_Error)seL4_MessageInfo_get_label(sel4_info);\n}\n")
        return "\n".join(out)


def main():
    print(GUARD)
    for line in open(sys.argv[1]):
        line = line.strip()
        if line and not line.startswith("#"):
            print(Stub(line).text())
    print("#endif")


main()
