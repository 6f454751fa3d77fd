/*
 * Several CPUs on the host: percpu_host points into an array of areas, and a call changes to the other's
 * area, does it there and comes back. Linked by tests only.
 */
#include "arch/x86/smp/smp.h"

extern struct percpu *percpu_host;

uint32_t smp_cpu_count = 1;

void smp_kick(struct percpu *p)
{
	p->arch.kicked = true;
}

void smp_kick_taken(void)
{
	percpu_self()->arch.kicked = false;
}

void smp_call(uint32_t index, void (*fn)(void *), void *arg)
{
	struct percpu *self = percpu_host;

	percpu_host = smp_percpu(index);
	fn(arg);
	percpu_host = self;
}

void smp_call_others_slow(smp_concerns_fn concerns, uint64_t key, void (*fn)(void *), void *arg)
{
	for (uint32_t i = 0; i < smp_cpu_count; i++)
		if (i != percpu_self()->cpu && concerns(smp_percpu(i), key))
			smp_call(i, fn, arg);
}
