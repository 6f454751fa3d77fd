/* The patch site at the kernel lock's end. Decides nothing. */
#ifndef ENTRY_LOCK_HW_H
#define ENTRY_LOCK_HW_H

#include "entry/patch.h"

static inline void lock_hw_leave(void)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_LOCK_LEAVE, 8) : : : "memory", "cc");
}

#endif
