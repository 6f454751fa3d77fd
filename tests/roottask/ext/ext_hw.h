/* The time stamp counter: instructions, on the deterministic machine. */
#ifndef EXT_HW_H
#define EXT_HW_H

#include <stdint.h>

static inline uint64_t ext_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

#endif
