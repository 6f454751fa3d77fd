/*
 * System calls and a fault with the time stamp counter read as close to them as can be: `start` before the
 * kernel is entered, `end` when it is left again, which is mostly another thread's doing. From start to end
 * of one way through the kernel are always the same user instructions; timed_nothing() has exactly those, and
 * no entry.
 */
#ifndef IPC_BENCH_TIMED_HW_H
#define IPC_BENCH_TIMED_HW_H

#include "sel4/sel4.h"

struct timed {
	seL4_Word start, end;
	seL4_Word cap; /* in: capability; out: badge */
	seL4_Word tag;
	seL4_Word mr[4];
};

/* R13 carries the number until RDX, which RDTSC writes, is free; RSP need not survive a system call. */
#define TIMED_BLOCK(entry)                                                                                   \
	"rdtsc\n\t"                                                                                          \
	"shlq $32, %%rdx\n\t"                                                                                \
	"leaq (%%rax, %%rdx), %%r14\n\t"                                                                     \
	"movq %%r13, %%rdx\n\t"                                                                              \
	"movq %%rsp, %%rbx\n\t" entry "movq %%rbx, %%rsp\n\t"                                                \
	"rdtsc\n\t"                                                                                          \
	"shlq $32, %%rdx\n\t"                                                                                \
	"addq %%rdx, %%rax\n\t"

#define TIMED_FUNCTION(name, entry)                                                                          \
	static inline void name(struct timed *t, seL4_Word number, seL4_CPtr reply)                          \
	{                                                                                                    \
		register seL4_Word r10 __asm__("r10") = t->mr[0];                                            \
		register seL4_Word r8 __asm__("r8") = t->mr[1];                                              \
		register seL4_Word r9 __asm__("r9") = t->mr[2];                                              \
		register seL4_Word r15 __asm__("r15") = t->mr[3];                                            \
		register seL4_Word r12 __asm__("r12") = reply;                                               \
		register seL4_Word r13 __asm__("r13") = number;                                              \
		register seL4_Word r14 __asm__("r14");                                                       \
		seL4_Word end;                                                                               \
                                                                                                             \
		__asm__ volatile(TIMED_BLOCK(entry)                                                          \
				 : "=&a"(end), "+D"(t->cap), "+S"(t->tag), "+r"(r10), "+r"(r8), "+r"(r9),    \
				   "+r"(r15), "=&r"(r14)                                                     \
				 : "r"(r12), "r"(r13)                                                        \
				 : "rcx", "rdx", "rbx", "r11", "cc", "memory");                              \
		t->start = r14;                                                                              \
		t->end = end;                                                                                \
		t->mr[0] = r10;                                                                              \
		t->mr[1] = r8;                                                                               \
		t->mr[2] = r9;                                                                               \
		t->mr[3] = r15;                                                                              \
	}

TIMED_FUNCTION(timed_syscall, "syscall\n\t")
/* An exception; the handler's answer has to add TIMED_FAULT_BYTES to the instruction pointer. */
TIMED_FUNCTION(timed_fault, "ud2\n\t")
#define TIMED_FAULT_BYTES 2
TIMED_FUNCTION(timed_nothing, "")

#endif
