/* The instructions that the checks need. They decide nothing. */
#ifndef VCPU_HW_H
#define VCPU_HW_H

#include "bare_hw.h"

static inline void hw_set_xmm0(uint64_t v)
{
	__asm__ volatile("movq %0, %%xmm0" : : "r"(v));
}
static inline uint64_t hw_get_xmm0(void)
{
	uint64_t v;
	__asm__ volatile("movq %%xmm0, %0" : "=r"(v));
	return v;
}
static inline uint64_t hw_xgetbv(void)
{
	uint32_t lo, hi;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}
static inline void hw_cpuid(uint32_t leaf, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

#endif
