/* The samples that bench32.S leaves for bench.c, in ticks: one row of BENCH32_SAMPLES for each operation. */
#ifndef BENCH32_H
#define BENCH32_H

#define BENCH32_SAMPLES 201
#define BENCH32_NOTHING 0
#define BENCH32_CPUID 1
#define BENCH32_VERSION 2
#define BENCH32_RDMSR 3
#define BENCH32_IN 4
#define BENCH32_YIELD 5
#define BENCH32_ROWS 6
/* Xen's headers are not for assemblers; bench.c checks these two. */
#define BENCH32_NR_VERSION 17
#define BENCH32_NR_SCHED 29

#ifndef __ASSEMBLER__
#include <stdint.h>

extern uint32_t bench32_samples[BENCH32_ROWS][BENCH32_SAMPLES];
#endif

#endif
