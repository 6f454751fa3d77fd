/*
 * The system calls that the test needs, for its own start-up: no library. Message words beyond four go
 * through the IPC buffer.
 */
#ifndef ENTRY_SEL4_HW_H
#define ENTRY_SEL4_HW_H

#include <stdbool.h>
#include <stdint.h>

struct message {
	uint64_t badge; /* out: of what was received */
	uint64_t tag;
	uint64_t mr[4];
};

#define TAG(label, caps, length) (((uint64_t)(label) << 12) | ((uint64_t)(caps) << 7) | (uint64_t)(length))

/* number; RDI = cap; R12 = reply. The results replace *m. */
static inline void sel4_call(int64_t number, uint64_t cap, uint64_t reply, struct message *m)
{
	register uint64_t r10 __asm__("r10") = m->mr[0];
	register uint64_t r8 __asm__("r8") = m->mr[1];
	register uint64_t r9 __asm__("r9") = m->mr[2];
	register uint64_t r15 __asm__("r15") = m->mr[3];
	register uint64_t r12 __asm__("r12") = reply;
	uint64_t tag = m->tag;

	__asm__ volatile("syscall"
			 : "+D"(cap), "+S"(tag), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
			 : "d"(number), "r"(r12)
			 : "rcx", "r11", "memory");
	*m = (struct message){cap, tag, {r10, r8, r9, r15}};
}

static inline uint64_t sel4_rdtsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}
static inline uint64_t sel4_rdfsbase(void)
{
	uint64_t v;
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}
static inline void sel4_wrfsbase(uint64_t v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}
static inline uint64_t sel4_rdgsbase(void)
{
	uint64_t v;
	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}
static inline void sel4_wrgsbase(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v));
}
static inline uint64_t sel4_read_fs0(void)
{
	uint64_t v;
	__asm__ volatile("movq %%fs:0, %0" : "=r"(v));
	return v;
}
static inline bool sel4_has_fsgsbase(void)
{
	uint32_t a = 7, b, c = 0, d;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b & 1;
}

#endif
