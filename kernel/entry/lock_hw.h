/* The patch sites at the kernel lock's end and at that of its slow way in. Decides nothing. */
#ifndef ENTRY_LOCK_HW_H
#define ENTRY_LOCK_HW_H

#include "entry/patch.h"

static inline void lock_hw_leave(void)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_LOCK_LEAVE, 8) : : : "memory", "cc");
}

static inline __attribute__((always_inline)) void lock_hw_taken(void)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_LOCK_TAKEN, 8) : : : "rax", "rdx", "memory", "cc");
}

#endif
