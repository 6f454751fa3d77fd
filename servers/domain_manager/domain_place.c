/*
 * vCPUs on CPUs: each is placed where the fewest are (placement.c) when its domain is made, and when a domain
 * has gone, some go where it was. Its thread runs on that CPU only.
 */
#include <errno.h>
#include <stddef.h>
#include "proto/domain/domain_start.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/placement.h"
#include "user/env.h"
#include "user/log.h"

#define VMM_SLICE_US 5000u

static struct placement placement;

static bool move(const struct domain *d, uint32_t vcpu, uint32_t cpu)
{
	return seL4_SchedControl_Configure(DOMAIN_SLOT_SCHED_CONTROL + cpu, SLOT_THREADS(d) + 3 * vcpu + 1,
					   VMM_SLICE_US, VMM_SLICE_US, 0, vcpu) == seL4_NoError;
}

int domain_place(struct domain *d)
{
	if (!placement.cpus)
		placement_begin(&placement, env_get()->cpu_count);
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		d->cpu[i] = (uint16_t)placement_take(&placement, d->id);
		d->placed = i + 1;
		if (!move(d, i, d->cpu[i]))
			return -ENOMEM;
	}
	return 0;
}

/* A vCPU that is on that CPU. */
static struct domain *placed_on(uint32_t cpu, uint32_t *vcpu)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1))
		for (uint32_t i = 0; i < d->placed; i++)
			if (d->cpu[i] == cpu) {
				*vcpu = i;
				return d;
			}
	return NULL;
}

static void balance(void)
{
	uint32_t from, to, vcpu;
	struct domain *d;

	while (placement_move(&placement, &from, &to)) {
		d = placed_on(from, &vcpu);
		if (!d || !move(d, vcpu, to)) {
			log_line("domain_manager: a vCPU cannot be moved from CPU %u to %u", from, to);
			return;
		}
		d->cpu[vcpu] = (uint16_t)to;
	}
}

void domain_unplace(struct domain *d)
{
	if (!d->placed)
		return;
	while (d->placed)
		placement_give_back(&placement, d->cpu[--d->placed]);
	balance();
}
