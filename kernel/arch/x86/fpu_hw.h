/* The instructions that move the FPU's state. They decide nothing. */
#ifndef ARCH_X86_FPU_HW_H
#define ARCH_X86_FPU_HW_H

#include "types.h"

#define FPU_MASK(m) "a"((uint32_t)(m)), "d"((uint32_t)((m) >> 32))

static inline void fpu_hw_xsavec(void *area, uint64_t mask)
{
	__asm__ volatile("xsavec64 (%0)" : : "r"(area), FPU_MASK(mask) : "memory");
}
static inline void fpu_hw_xsaveopt(void *area, uint64_t mask)
{
	__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), FPU_MASK(mask) : "memory");
}
static inline void fpu_hw_xsave(void *area, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), FPU_MASK(mask) : "memory");
}
static inline void fpu_hw_xrstor(const void *area, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), FPU_MASK(mask) : "memory");
}
static inline void fpu_hw_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}
static inline void fpu_hw_fxrstor(const void *area)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
/*
 * AMD's CPUs before Zen leave FIP, FDP and FOP alone in FXSAVE and XRSTOR when no exception is pending: loads a
 * value so that another's addresses do not stay (AMD APM 2, 11.4.4.4).
 */
static inline void fpu_hw_clear_pointers(const uint32_t *zero)
{
	__asm__ volatile("fnclex\n\tffree %%st(7)\n\tfildl %0" : : "m"(*zero));
}
static inline void fpu_hw_clts(void)
{
	__asm__ volatile("clts");
}

#endif
