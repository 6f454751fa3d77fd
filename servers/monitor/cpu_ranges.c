/* See cpu_ranges.h. */
#include "servers/monitor/cpu_ranges.h"

#include <stdio.h>
#include <string.h>

/* The least of them that is at least `from`; UINT32_MAX: there is none. */
static uint32_t next(const uint16_t *cpu, uint32_t count, uint32_t from)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < count; i++)
		if (cpu[i] >= from && cpu[i] < best)
			best = cpu[i];
	return best;
}

const char *cpu_ranges(const uint16_t *cpu, uint32_t count, char text[CPU_RANGES_BYTES])
{
	size_t at = 0;

	if (count > CPU_RANGES_MAX)
		count = CPU_RANGES_MAX;
	for (uint32_t first = next(cpu, count, 0), last; first != UINT32_MAX;
	     first = next(cpu, count, last + 1)) {
		last = first;
		while (next(cpu, count, last + 1) == last + 1)
			last++;
		at += (size_t)snprintf(text + at, CPU_RANGES_BYTES - at, first == last ? "%s%u" : "%s%u-%u",
				       at ? "," : "", first, last);
	}
	if (!at)
		strcpy(text, "-");
	return text;
}
