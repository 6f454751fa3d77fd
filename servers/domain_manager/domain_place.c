/*
 * vCPUs on CPUs: each is placed where the fewest are of those that it may run on (placement.c) when its
 * domain is made; when a domain has gone, or a vCPU may run elsewhere, some move, and those that compute move
 * to where there is more for them (cpu_balance.c). Its thread runs on that CPU only. How long it runs at a time,
 * and how often, follows from the weights and caps of all that are there (cpu_share.c): this is where both are
 * told to the kernel.
 */
#include <errno.h>
#include <stddef.h>
#include "proto/domain/domain_start.h"
#include "sel4/sel4.h"
#include "insula/ext.h"
#include "servers/domain_manager/cpu_share.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/placement.h"
#include "user/env.h"
#include "user/log.h"

#define MORE_REFILLS 8u /* the scheduling context has room for them (servers/root/task_create.c) */

static struct placement placement;
static uint32_t ratelimit_us = 1000; /* credit2's default */

/* ---- budgets and periods ---- */

static bool configure(const struct domain *d, uint32_t vcpu, struct cpu_share s)
{
	/* sporadic: a budget that had to wait for others' turns comes back no later for that */
	return seL4_SchedControl_ConfigureFlags(DOMAIN_SLOT_SCHED_CONTROL + d->cpu[vcpu],
						SLOT_THREADS(d) + 3 * vcpu + 1, s.budget_us, s.period_us,
						s.capped ? MORE_REFILLS : 0, vcpu,
						s.capped ? (seL4_Word)seL4_SchedContext_Sporadic
							 : insula_SchedContext_WakeFirst) == seL4_NoError;
}

/* What changed since the kernel was told. False: the domain's could not be told. */
static bool shares_tell(const struct domain *must)
{
	static struct cpu_share_load load[PLACEMENT_CPUS_MAX];
	bool told = true;

	for (uint32_t cpu = 0; cpu < placement.cpus; cpu++)
		cpu_share_begin(&load[cpu], placement_slice_us(&placement, cpu), ratelimit_us);
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		const struct domain *d = domain_row(row);

		for (uint32_t i = 0; d && i < d->placed; i++)
			cpu_share_add(&load[d->cpu[i]], d->weight);
	}
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		const struct domain *d = domain_row(row);

		for (uint32_t i = 0; d && i < d->placed; i++) {
			struct domain_vcpu *v = &d->vcpu[i];
			struct cpu_share s = cpu_share_of(&load[d->cpu[i]], d->weight, v->cap);

			if (v->cpu_told == d->cpu[i] && v->budget_us == s.budget_us &&
			    v->period_us == s.period_us && v->capped == s.capped)
				continue;
			if (configure(d, i, s)) {
				v->cpu_told = d->cpu[i];
				v->budget_us = s.budget_us;
				v->period_us = s.period_us;
				v->capped = s.capped;
			} else if (d == must) {
				told = false;
			}
		}
	}
	return told;
}

/* ---- places ---- */

/* Each vCPU moves to where it had better be, by their number, until none does. */
static void spread(void)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (unsigned row = 0; row < DOMAINS_MAX; row++) {
			struct domain *d = domain_row(row);

			for (uint32_t i = 0; d && i < d->placed; i++) {
				uint32_t was = d->cpu[i];

				d->cpu[i] = (uint16_t)placement_move(&placement, &d->vcpu[i].affinity, was);
				moved = moved || d->cpu[i] != was;
			}
		}
	}
}

bool domain_balance(uint32_t passed_us)
{
	static struct balance b;
	struct balance_vcpu *v;
	uint32_t from, to;
	bool busy;

	balance_begin(&b, placement.cpus);
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		struct domain *d = domain_row(row);

		for (uint32_t i = 0; d && i < d->placed; i++) {
			v = &d->vcpu[i].balance;
			v->domain = row;
			v->weight = d->weight;
			v->cap = d->vcpu[i].cap ? d->vcpu[i].cap : BALANCE_WHOLE;
			v->affinity = &d->vcpu[i].affinity;
			balance_add(&b, v, d->cpu[i]);
		}
	}
	busy = placement.cpus > 1 && balance_sample(&b, passed_us);
	for (uint32_t n = 0; busy && n < placement.cpus && (v = balance_move(&b, &from, &to)); n++) {
		struct domain *d = domain_row(v->domain);
		const char *in = (const char *)v - offsetof(struct domain_vcpu, balance);

		d->cpu[(const struct domain_vcpu *)in - d->vcpu] = (uint16_t)to;
		placement_change(&placement, from, to);
	}
	(void)shares_tell(NULL);
	return busy;
}

bool domain_crowded(void)
{
	return placement.cpus > 1 && placement_most(&placement) > 1;
}

int domain_place(struct domain *d)
{
	if (!placement.cpus)
		placement_begin(&placement, env_get()->cpu_count);
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		placement_anywhere(&d->vcpu[i].affinity);
		d->vcpu[i].cpu_told = UINT16_MAX;
		d->cpu[i] = (uint16_t)placement_take(&placement, &d->vcpu[i].affinity, d->id);
		d->placed = i + 1;
	}
	domain_load_begin();
	return shares_tell(d) ? 0 : -ENOMEM;
}

void domain_unplace(struct domain *d)
{
	if (!d->placed)
		return;
	while (d->placed)
		placement_give_back(&placement, d->cpu[--d->placed]);
	spread();
	(void)shares_tell(NULL);
}

/* ---- what the toolstack asks for ---- */

int domain_affinity_set(struct domain *d, uint32_t vcpu, const struct placement_mask *hard,
			const struct placement_mask *soft)
{
	struct domain_vcpu *v = &d->vcpu[vcpu];

	if (hard && !placement_possible(&placement, hard))
		return -EINVAL;
	if (hard)
		v->affinity.hard = *hard;
	if (soft)
		v->affinity.soft = *soft;
	spread();
	domain_load_begin();
	if (!shares_tell(d))
		log_line("domain_manager: vCPU %u of domain %u cannot be moved to CPU %u", vcpu, d->id,
			 d->cpu[vcpu]);
	return 0;
}

void domain_weight_set(struct domain *d, uint16_t weight, uint16_t cap)
{
	d->weight = weight;
	d->cap = cap;
	domain_cap_begin(d);
	domain_load_begin();
	(void)shares_tell(NULL);
}

uint32_t domain_ratelimit(void)
{
	return ratelimit_us;
}

void domain_ratelimit_set(uint32_t us)
{
	ratelimit_us = us;
	(void)shares_tell(NULL);
}
