/* What entry.S pushes at an exception in the kernel; lowest address first. */
#ifndef ARCH_X86_PANIC_FRAME_H
#define ARCH_X86_PANIC_FRAME_H

#include "types.h"

struct panic_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Called by entry.S on the panic stack. */
NORETURN void panic_exception(const struct panic_frame *f);

#endif
