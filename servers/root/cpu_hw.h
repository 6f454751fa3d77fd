/* Instructions that root needs and C does not have. */
#ifndef ROOT_CPU_HW_H
#define ROOT_CPU_HW_H

#include <stdint.h>

static inline uint64_t cpu_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
