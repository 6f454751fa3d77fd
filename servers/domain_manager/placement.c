/* The least loaded CPU that a vCPU may run on (placement.h). */
#include "servers/domain_manager/placement.h"

#include <string.h>

/* What a CPU costs that is not preferred, and a vCPU more: a sum over all vCPUs that only falls is why moves
 * end. */
#define COST_VCPU  2u
#define COST_OTHER 3u

void placement_begin(struct placement *p, uint32_t cpus)
{
	memset(p, 0, sizeof(*p));
	p->cpus = cpus < 1 ? 1 : cpus > PLACEMENT_CPUS_MAX ? PLACEMENT_CPUS_MAX : cpus;
}

void placement_anywhere(struct placement_affinity *a)
{
	memset(a, 0xff, sizeof(*a));
}

bool placement_possible(const struct placement *p, const struct placement_mask *hard)
{
	for (uint32_t cpu = 0; cpu < p->cpus; cpu++)
		if (placement_mask_has(hard, cpu))
			return true;
	return false;
}

static uint32_t cost(const struct placement *p, const struct placement_affinity *a, uint32_t cpu)
{
	return COST_VCPU * p->load[cpu] + (placement_mask_has(&a->soft, cpu) ? 0 : COST_OTHER);
}

static uint32_t cheapest(const struct placement *p, const struct placement_affinity *a, uint32_t hint)
{
	uint32_t best = p->cpus;

	for (uint32_t i = 0; i < p->cpus; i++) {
		uint32_t cpu = (hint % p->cpus + i) % p->cpus;

		if (placement_mask_has(&a->hard, cpu) &&
		    (best == p->cpus || cost(p, a, cpu) < cost(p, a, best)))
			best = cpu;
	}
	return best == p->cpus ? hint % p->cpus : best;
}

uint32_t placement_take(struct placement *p, const struct placement_affinity *a, uint32_t hint)
{
	uint32_t cpu = cheapest(p, a, hint);

	p->load[cpu]++;
	return cpu;
}

void placement_give_back(struct placement *p, uint32_t cpu)
{
	if (cpu < p->cpus && p->load[cpu])
		p->load[cpu]--;
}

void placement_change(struct placement *p, uint32_t from, uint32_t to)
{
	if (from >= p->cpus || to >= p->cpus || !p->load[from])
		return;
	p->load[from]--;
	p->load[to]++;
}

uint32_t placement_most(const struct placement *p)
{
	uint32_t most = 0;

	for (uint32_t cpu = 0; cpu < p->cpus; cpu++)
		most = p->load[cpu] > most ? p->load[cpu] : most;
	return most;
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

uint32_t placement_move(struct placement *p, const struct placement_affinity *a, uint32_t cpu)
{
	uint32_t better;

	if (cpu >= p->cpus || !p->load[cpu])
		return cpu;
	p->load[cpu]--;
	/* itself first: of equal ones it stays where it is */
	better = placement_mask_has(&a->hard, cpu) ? cpu : p->cpus;
	for (uint32_t to = 0; to < p->cpus; to++)
		if (placement_mask_has(&a->hard, to) &&
		    (better == p->cpus || cost(p, a, to) < cost(p, a, better)))
			better = to;
	if (better == p->cpus)
		better = cpu;
	p->load[better]++;
	return better;
}
