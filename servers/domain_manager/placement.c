/* The least loaded CPU (placement.h). */
#include "servers/domain_manager/placement.h"

#include <string.h>

void placement_begin(struct placement *p, uint32_t cpus)
{
	memset(p, 0, sizeof(*p));
	p->cpus = cpus < 1 ? 1 : cpus > PLACEMENT_CPUS_MAX ? PLACEMENT_CPUS_MAX : cpus;
}

static uint32_t least(const struct placement *p, uint32_t hint)
{
	uint32_t best = hint % p->cpus;

	for (uint32_t i = 1; i < p->cpus; i++) {
		uint32_t cpu = (hint % p->cpus + i) % p->cpus;

		if (p->load[cpu] < p->load[best])
			best = cpu;
	}
	return best;
}

uint32_t placement_take(struct placement *p, uint32_t hint)
{
	uint32_t cpu = least(p, hint);

	p->load[cpu]++;
	return cpu;
}

void placement_give_back(struct placement *p, uint32_t cpu)
{
	if (cpu < p->cpus && p->load[cpu])
		p->load[cpu]--;
}

uint32_t placement_slice_us(const struct placement *p, uint32_t cpu)
{
	uint32_t slice;

	if (cpu >= p->cpus)
		return 0;
	if (p->load[cpu] < 2)
		return PLACEMENT_SLICE_ALONE_US;
	slice = PLACEMENT_LATENCY_US / p->load[cpu];
	return slice < PLACEMENT_SLICE_MIN_US ? PLACEMENT_SLICE_MIN_US : slice;
}

bool placement_move(struct placement *p, uint32_t *from, uint32_t *to)
{
	uint32_t most = 0;

	*to = least(p, 0);
	for (uint32_t cpu = 1; cpu < p->cpus; cpu++)
		if (p->load[cpu] > p->load[most])
			most = cpu;
	*from = most;
	if (p->load[most] - p->load[*to] < 2)
		return false;
	p->load[most]--;
	p->load[*to]++;
	return true;
}
