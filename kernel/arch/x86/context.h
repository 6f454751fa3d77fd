/*
 * What the entry path saves of a user thread. Order is free; offsets are generated. The registers
 * of seL4's ReadRegisters are mapped to it in context.c.
 */
#ifndef ARCH_X86_CONTEXT_H
#define ARCH_X86_CONTEXT_H

#include "types.h"

struct context {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	/* the tail is an IRET frame */
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t error_code; /* of the last exception */
	uint64_t restart_ip; /* the SYSCALL instruction's address, or rip: where a restart goes */
	uint64_t fs_base, gs_base;
	uint64_t syscall; /* 1: entered by SYSCALL, SYSRET may return (rcx, r11 are clobbered) */
};

/* Room for any XSAVE area that the profile offers (x87 to AVX-512 compact); size at run time: fpu.h. */
#define FPU_STATE_MAX 2752
struct fpu_state {
	uint8_t area[FPU_STATE_MAX] __attribute__((aligned(64)));
};

/* Is v an address of 48-bit form? Others fault when loaded into FS/GS base or RIP. */
static inline bool context_canonical(uint64_t v)
{
	return (uint64_t)((int64_t)(v << 16) >> 16) == v;
}

/* A new thread's registers: user segments, RFLAGS 0x202, all else 0. */
void context_init(struct context *c);
/*
 * The thread goes on at restart_ip: rip and restart_ip are one (a stopped or restarted thread). After a write
 * of any register by context_set, all of them are loaded (no SYSRET).
 */
static inline void context_restart(struct context *c)
{
	c->rip = c->restart_ip;
}
/* A running thread is stopped from outside: when it runs again it goes on, and does not repeat its last
 * system call. */
static inline void context_stopped(struct context *c)
{
	c->restart_ip = c->rip;
}
/*
 * Word i of seL4's 20-word register context (facts: rip, rsp, rflags, rax ... gs_base), sanitised on write:
 * flags, and addresses that would fault in the kernel become 0. The first word is restart_ip; writing it sets
 * rip too.
 */
word_t context_get(const struct context *c, unsigned i);
void context_set(struct context *c, unsigned i, word_t value);

/* Message registers 0-3 and the fixed registers of the system call convention. */
static inline uint64_t *context_mr(struct context *c, unsigned i)
{
	return i == 0 ? &c->r10 : i == 1 ? &c->r8 : i == 2 ? &c->r9 : &c->r15;
}

#endif
