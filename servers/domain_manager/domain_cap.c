/*
 * A capped domain's CPU time among its vCPUs: credit2 has one budget for all of them. Here each has its own,
 * and ten times a second those who use theirs up get what the others leave (cpu_share_split). Nothing runs
 * unless there is such a domain.
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
static bool armed;
static uint64_t sampled_tsc;

static bool shared(const struct domain *d)
{
	return d && d->cap && d->placed > 1 && d->cap < 100 * d->placed;
}

static void arm(void)
{
	if (!timer) {
		timer = object_create_slot(insula_TimerObject, 0);
		if (timer &&
		    insula_Timer_Bind(timer, object_mint_badge(TASK_SLOT_NOTIFICATION, DOMAIN_CAP_BADGE))) {
			object_delete(timer);
			timer = 0;
		}
	}
	/* without one the parts stay even */
	armed = timer && !insula_Timer_Set(timer, cpu_tsc() + env_get()->tsc_hz / TICKS_PER_SECOND);
}

static void sample(struct domain *d, uint64_t passed_us)
{
	uint32_t used[VMM_MAX_VCPUS], part[VMM_MAX_VCPUS];

	for (uint32_t i = 0; i < d->placed; i++) {
		struct domain_vcpu *v = &d->vcpu[i];
		uint64_t now = domain_vcpu_us(d, i),
			 share = (now - v->sampled_us) * CPU_SHARE_CAP_WHOLE / passed_us;

		v->sampled_us = now;
		used[i] = share < CPU_SHARE_CAP_WHOLE ? (uint32_t)share : CPU_SHARE_CAP_WHOLE;
		part[i] = v->cap;
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
		d->vcpu[i].sampled_us = domain_vcpu_us(d, i);
	}
	if (shared(d) && !armed) {
		sampled_tsc = cpu_tsc();
		arm();
	}
}

void domain_cap_tick(void)
{
	uint64_t now = cpu_tsc(), passed_us = (now - sampled_tsc) / (env_get()->tsc_hz / 1000000 + 1);
	bool any = false;

	armed = false;
	if (!passed_us)
		passed_us = 1;
	sampled_tsc = now;
	for (unsigned row = 0; row < DOMAINS_MAX; row++) {
		struct domain *d = domain_row(row);

		if (!shared(d))
			continue;
		any = true;
		sample(d, passed_us);
	}
	if (!any)
		return;
	domain_shares_changed();
	arm();
}
