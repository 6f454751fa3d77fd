/* Calls to other CPUs (smp.h). Called by tlb.c, by sched/remote.c, and by the vendors of virtualization. */
#include "arch/x86/smp/smp.h"
#include "arch/x86/apic.h"
#include "arch/x86/cpu_hw.h"

uint32_t smp_cpu_count = 1;

/* The call under way: there is one at most. */
static struct {
	void (*fn)(void *);
	void *arg;
} smp_now;

static bool smp_is(struct percpu *p, uint64_t index)
{
	return p->cpu == index;
}

void smp_kick(struct percpu *p)
{
	if (p->arch.kicked)
		return;
	p->arch.kicked = true;
	apic_kick(p->apic_id);
}

void smp_kick_taken(void)
{
	percpu_self()->arch.kicked = false;
}

void smp_serve(void)
{
	struct percpu *p = percpu_self();

	smp_now.fn(smp_now.arg);
	__atomic_store_n(&p->arch.called, false, __ATOMIC_RELEASE);
}

void smp_call_others_slow(smp_concerns_fn concerns, uint64_t key, void (*fn)(void *), void *arg)
{
	uint32_t self = percpu_self()->cpu;

	smp_now.fn = fn;
	smp_now.arg = arg;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < smp_cpu_count; i++) {
		struct percpu *p = smp_percpu(i);

		if (i == self || !concerns(p, key))
			continue;
		__atomic_store_n(&p->arch.called, true, __ATOMIC_RELEASE);
		smp_kick(p);
	}
	for (uint32_t i = 0; i < smp_cpu_count; i++)
		while (smp_called(smp_percpu(i)))
			cpu_pause();
}

void smp_call(uint32_t index, void (*fn)(void *), void *arg)
{
	smp_call_others_slow(smp_is, index, fn, arg);
}
