/* What is told of a domain that is in the table. */
#include <string.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/root_call.h"
#include <xen/sched.h>

uint64_t domain_vcpu_us(struct domain *d, uint32_t vcpu)
{
	/* since it was asked last */
	seL4_SchedContext_Consumed_t c = seL4_SchedContext_Consumed(SLOT_THREADS(d) + 3 * vcpu + 1);

	if (!c.error)
		d->vcpu[vcpu].used_us += c.consumed;
	return d->vcpu[vcpu].used_us;
}

uint32_t domain_online(const struct domain *d)
{
	uint32_t all = d->spec.vcpus < 32 ? (1u << d->spec.vcpus) - 1 : ~0u;

	/* before it starts: the first, once it has been told how */
	if (d->bare && !d->started)
		return d->control->cpu_bytes ? 1 : 0;
	return __atomic_load_n(&d->control->online, __ATOMIC_RELAXED) & all;
}

void domain_describe(struct domain *d, struct domain_info *out)
{
	uint64_t account = 0, heap = 0;

	memset(out, 0, sizeof(*out));
	strcpy(out->name, d->spec.name);
	out->id = d->id;
	out->vcpus = d->spec.vcpus;
	out->memory_kib = d->ram_bytes >> 10;
	(void)root_account_size(d->account, &account);
	if (d->heap.account && !root_account_size(d->heap.account, &heap))
		account += heap;
	account += d->map.singles << 12;
	if (account > d->ram_bytes)
		out->overhead_kib = (account - d->ram_bytes) >> 10;
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		out->cpu_ns += domain_vcpu_us(d, i) * 1000;
	out->placed = d->placed;
	memcpy(out->cpu, d->cpu, sizeof(out->cpu));
	out->shutdown_reason = d->shutdown_reason;
	if (d->ended)
		out->state = d->shutdown_reason == SHUTDOWN_crash ? DOMAIN_CRASHED : DOMAIN_SHUTDOWN_DONE;
	else if (!(domain_online(d) & ~__atomic_load_n(&d->control->state, __ATOMIC_RELAXED)))
		out->state = DOMAIN_BLOCKED;
	else if (!d->pauses)
		out->state = DOMAIN_RUNNING;
	if (!d->ended && d->pauses)
		out->state |= DOMAIN_PAUSED;
	if (d->dying)
		out->state |= DOMAIN_DYING;
}

bool domain_info(uint32_t n, struct domain_info *out)
{
	struct domain *d = domain_next(0);

	for (; d && n; n--)
		d = domain_next(d->id + 1);
	if (d)
		domain_describe(d, out);
	return d != NULL;
}
