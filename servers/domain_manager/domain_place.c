/*
 * vCPUs on CPUs: each is placed where the fewest are (placement.c) when its domain is made, and when a domain
 * has gone, some go where it was. Its thread runs on that CPU only, for as long at a time as the number of
 * vCPUs there allows: when that changes, so do the slices of all on that CPU.
 */
#include <errno.h>
#include <stddef.h>
#include "proto/domain/domain_start.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/placement.h"
#include "user/env.h"
#include "user/log.h"

static struct placement placement;
static uint32_t slice_us[PLACEMENT_CPUS_MAX]; /* of the vCPUs on each CPU */

static bool move(const struct domain *d, uint32_t vcpu, uint32_t cpu)
{
	uint32_t slice = placement_slice_us(&placement, cpu);

	return seL4_SchedControl_Configure(DOMAIN_SLOT_SCHED_CONTROL + cpu, SLOT_THREADS(d) + 3 * vcpu + 1,
					   slice, slice, 0, vcpu) == seL4_NoError;
}

static bool slice_changed(uint32_t cpu)
{
	return slice_us[cpu] != placement_slice_us(&placement, cpu);
}

/* After vCPUs came or went: the CPUs where the slice is another now. */
static void slices_change(void)
{
	bool any = false;

	for (uint32_t cpu = 0; cpu < placement.cpus; cpu++)
		any = any || slice_changed(cpu);
	if (!any)
		return;
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1))
		for (uint32_t i = 0; i < d->placed; i++)
			/* one whose threads are gone needs none */
			if (slice_changed(d->cpu[i]))
				(void)move(d, i, d->cpu[i]);
	for (uint32_t cpu = 0; cpu < placement.cpus; cpu++)
		slice_us[cpu] = placement_slice_us(&placement, cpu);
}

int domain_place(struct domain *d)
{
	if (!placement.cpus)
		placement_begin(&placement, env_get()->cpu_count);
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		d->cpu[i] = (uint16_t)placement_take(&placement, d->id);
		d->placed = i + 1;
	}
	for (uint32_t i = 0; i < d->placed; i++)
		if (!move(d, i, d->cpu[i]))
			return -ENOMEM;
	slices_change();
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
		slice_us[to] = 0; /* it may get more yet */
	}
}

void domain_unplace(struct domain *d)
{
	if (!d->placed)
		return;
	while (d->placed)
		placement_give_back(&placement, d->cpu[--d->placed]);
	balance();
	slices_change();
}
