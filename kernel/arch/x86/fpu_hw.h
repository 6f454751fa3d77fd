/*
 * The instructions that move the FPU's state: patch sites that fpu_init fills with what this CPU has. Until
 * then they do nothing. They decide nothing. (Inlined always: the compiler takes a site's bytes for so many
 * instructions.)
 */
#ifndef ARCH_X86_FPU_HW_H
#define ARCH_X86_FPU_HW_H

#include "entry/patch.h"

static inline __attribute__((always_inline)) void fpu_hw_save(void *area)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_FPU_SAVE, 11) : : "D"(area) : "rax", "rdx", "memory");
}
static inline __attribute__((always_inline)) void fpu_hw_load(const void *area)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_FPU_QUIRK, 11) PATCH_SITE_TEXT(PATCH_FPU_LOAD, 11)
			 :
			 : "D"(area)
			 : "rax", "rdx", "memory");
}
static inline void fpu_hw_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}
static inline void fpu_hw_clts(void)
{
	__asm__ volatile("clts");
}

#endif
