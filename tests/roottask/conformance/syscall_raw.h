/* A system call with all registers given, and all of them seen behind it (syscall_raw_entry.S). */
#ifndef SYSCALL_RAW_H
#define SYSCALL_RAW_H

#include <stdint.h>

struct syscall_raw {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

void syscall_raw(struct syscall_raw *regs);

#endif
