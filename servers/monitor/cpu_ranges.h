/* A set of CPUs as text: "0-3,7". Pure. */
#ifndef MONITOR_CPU_RANGES_H
#define MONITOR_CPU_RANGES_H

#include <stdint.h>

#define CPU_RANGES_MAX	 32u /* CPUs that are looked at */
#define CPU_RANGES_BYTES (6u * CPU_RANGES_MAX + 1)

/* The first `count` of cpu[], in any order, some more than once; "-" if there are none. Returns text. */
const char *cpu_ranges(const uint16_t *cpu, uint32_t count, char text[CPU_RANGES_BYTES]);

#endif
