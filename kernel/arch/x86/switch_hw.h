/* The patch site on the way to another address space. Decides nothing. */
#ifndef ARCH_X86_SWITCH_HW_H
#define ARCH_X86_SWITCH_HW_H

#include "entry/patch.h"

static inline __attribute__((always_inline)) void switch_barrier(void)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_SWITCH, 16) : : : "rax", "rcx", "rdx", "memory");
}

#endif
