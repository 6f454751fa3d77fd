/* The time stamp counter. */
#ifndef FUZZ_TIME_HW_H
#define FUZZ_TIME_HW_H

#include "sel4/sel4.h"

static inline seL4_Word time_hw_now(void)
{
	seL4_Word low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

#endif
