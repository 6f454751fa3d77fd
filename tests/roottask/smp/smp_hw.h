/* Instructions that the cases are made of. */
#ifndef SMP_HW_H
#define SMP_HW_H

#include "sel4/sel4.h"

static inline seL4_Word hw_rdtsc(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (seL4_Word)hi << 32 | lo;
}

static inline void hw_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* hw.S */
/* Counts for ever in *counter with RBX, R13 and R14 marked; [hw_count_start, hw_count_end) is all that it executes. */
#define HW_RBX 0x1122334455667788ull
#define HW_R13 0x99aabbccddeeff00ull
__attribute__((noreturn)) void hw_count(volatile seL4_Word *counter);
extern const char hw_count_start[], hw_count_end[];
/* Keeps a pattern made of `seed` in XMM0-15 and looks again and again whether it is still there: counts in w[0], errors in w[1]. */
__attribute__((noreturn)) void hw_fpu(seL4_Word seed, volatile seL4_Word *w);

#endif
