/*
 * What vCPUs use of the CPUs, ten times a second, and what follows from it. A capped domain's time goes to those of
 * its vCPUs that use theirs up, from what the others leave (cpu_share_split): credit2 has one budget for all of
 * them, here each has its own. And vCPUs that compute move to where there is more for them (domain_place.c). Nothing
 * runs without such a domain or a CPU that has several vCPUs, and once a second only while no such CPU is busy.
 */
#include <stdbool.h>
#include "proto/domain/domain_start.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "insula/ext.h"
#include "servers/domain_manager/cpu_hw.h"
#include "servers/domain_manager/cpu_share.h"
#include "servers/domain_manager/domain_private.h"
#include "user/env.h"
#include "user/object.h"

#define TICKS_PER_SECOND 10u

static seL4_CPtr timer;
static bool armed, soon; /* soon: at the next tenth of a second */
static uint32_t calm;	 /* ticks since several vCPUs kept a CPU busy */
static uint64_t sampled_tsc;

#define CHARGES_PER_SECOND 20000u /* of a domain, at most: less is kept until it is that much */

void domain_load_served(uint32_t id, uint64_t start)
{
	struct domain *d = domain_find(id);
	uint64_t now = cpu_tsc();

	if (!d)
		return;
	d->served += now - start;
	if (d->served < env_get()->tsc_hz / CHARGES_PER_SECOND)
		return;
	/* the vCPU that called is as good as any other of its domain */
	(void)insula_SchedContext_Charge(TASK_SLOT_SC, TASK_SLOT_REPLY, d->served);
	d->served = cpu_tsc() - now; /* the charge itself */
}

static bool shared(const struct domain *d)
{
	return d->cap && d->placed > 1 && d->cap < 100 * d->placed;
}

static bool any_shared(void)
{
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		const struct domain *d = domain_row(row);

		if (d && shared(d))
			return true;
	}
	return false;
}

static void arm(bool next_tick)
{
	if (!timer) {
		timer = object_create_slot(insula_TimerObject, 0);
		if (timer &&
		    insula_Timer_Bind(timer, object_mint_badge(TASK_SLOT_NOTIFICATION, DOMAIN_LOAD_BADGE))) {
			object_delete(timer);
			timer = 0;
		}
	}
	soon = next_tick;
	/* without one parts stay even, and vCPUs where they are */
	armed = timer && !insula_Timer_Set(timer, cpu_tsc() + env_get()->tsc_hz / (soon ? TICKS_PER_SECOND : 1));
}

/* Of passed_us, what each vCPU used. */
static void sample(struct domain *d, uint64_t passed_us)
{
	for (uint32_t i = 0; i < d->placed; i++) {
		struct domain_vcpu *v = &d->vcpu[i];
		uint64_t now = domain_vcpu_us(d, i), part = (now - v->sampled_us) * BALANCE_WHOLE / passed_us;

		v->sampled_us = now;
		v->balance.used = part < UINT32_MAX ? (uint32_t)part : UINT32_MAX;
	}
}

static void sample_all(uint64_t passed_us)
{
	for (unsigned row = 0; row < DOMAINS_MAX; row++)
		if (domain_row(row))
			sample(domain_row(row), passed_us);
}

static void split_cap(struct domain *d)
{
	uint32_t used[VMM_MAX_VCPUS], part[VMM_MAX_VCPUS];

	for (uint32_t i = 0; i < d->placed; i++) {
		used[i] = d->vcpu[i].balance.used < CPU_SHARE_CAP_WHOLE ? d->vcpu[i].balance.used : CPU_SHARE_CAP_WHOLE;
		part[i] = d->vcpu[i].cap;
	}
	cpu_share_split(d->cap * (CPU_SHARE_CAP_WHOLE / 100), d->placed, used, part);
	for (uint32_t i = 0; i < d->placed; i++)
		d->vcpu[i].cap = part[i] ? part[i] : 1;
}

void domain_cap_begin(struct domain *d)
{
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		uint32_t part = d->cap * (CPU_SHARE_CAP_WHOLE / 100) / d->spec.vcpus;

		d->vcpu[i].cap = d->cap && !part ? 1 : part;
	}
}

static uint64_t passed(void)
{
	uint64_t now = cpu_tsc(), us = (now - sampled_tsc) / (env_get()->tsc_hz / 1000000 + 1);

	sampled_tsc = now;
	return us ? us : 1;
}

void domain_load_begin(void)
{
	bool caps = any_shared();

	if (armed && (soon || !caps))
		return;
	if (!caps && !domain_crowded())
		return;
	sample_all(passed());
	arm(caps);
}

void domain_load_tick(void)
{
	uint64_t us = passed();
	bool caps = false;

	armed = false;
	sample_all(us);
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		struct domain *d = domain_row(row);

		if (!d || !shared(d))
			continue;
		split_cap(d);
		caps = true;
	}
	calm = domain_balance(us < UINT32_MAX ? (uint32_t)us : UINT32_MAX) ? 0 : calm + 1;
	if (caps || domain_crowded())
		arm(caps || calm < TICKS_PER_SECOND);
}
