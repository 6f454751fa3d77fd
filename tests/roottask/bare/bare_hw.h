/* System calls in seL4's convention (MCS), as libsel4 uses it: RBX keeps RSP across the call. */
#ifndef BARE_HW_H
#define BARE_HW_H

#include <stdint.h>

struct message {
	uint64_t info;	/* in and out */
	uint64_t badge; /* RDI: capability in, badge out */
	uint64_t mr[4]; /* in and out */
};

static inline void hw_syscall(int64_t number, struct message *m, uint64_t reply)
{
	register uint64_t r10 __asm__("r10") = m->mr[0];
	register uint64_t r8 __asm__("r8") = m->mr[1];
	register uint64_t r9 __asm__("r9") = m->mr[2];
	register uint64_t r15 __asm__("r15") = m->mr[3];
	register uint64_t r12 __asm__("r12") = reply;

	__asm__ volatile("movq %%rsp, %%rbx\n\tsyscall\n\tmovq %%rbx, %%rsp"
			 : "+D"(m->badge), "+S"(m->info), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
			 : "d"(number), "r"(r12)
			 : "rcx", "r11", "rbx", "memory");
	m->mr[0] = r10;
	m->mr[1] = r8;
	m->mr[2] = r9;
	m->mr[3] = r15;
}

static inline uint64_t hw_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

#endif
