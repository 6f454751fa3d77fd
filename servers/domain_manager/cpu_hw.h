/* The time stamp counter, and what CPUID says of the machine. */
#ifndef DOMAIN_MANAGER_CPU_HW_H
#define DOMAIN_MANAGER_CPU_HW_H

#include <stdint.h>

enum { CPU_EAX, CPU_EBX, CPU_ECX, CPU_EDX };

static inline void cpu_leaf(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}

static inline uint32_t cpu_word(uint32_t leaf, uint32_t sub, unsigned reg)
{
	uint32_t max, r[4];

	__asm__ volatile("cpuid" : "=a"(max), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf & 0x80000000u), "c"(0));
	if (leaf > max)
		return 0;
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
	return r[reg];
}

static inline uint64_t cpu_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* What the kernel has switched on; 0: not even XSAVE. */
static inline uint64_t cpu_xcr0(void)
{
	uint32_t r[4], low, high;

	cpu_leaf(1, 0, r);
	if (!(r[CPU_ECX] >> 27 & 1))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

#endif
