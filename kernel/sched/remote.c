/*
 * Threads of other CPUs. Called by sched/, ipc/ and object/tcb when a thread's CPU may not be this one. It
 * must never choose what runs here.
 */
#include "sched/remote.h"

uint32_t remote_cpu_count(void)
{
	return 1;
}

void remote_migrate(struct tcb *t, uint32_t cpu)
{
	INVARIANT(!t->queued && !t->released_queued);
	INVARIANT(cpu < remote_cpu_count());
	t->cpu = cpu;
}

void remote_wake(struct tcb *t)
{
	panic("remote_wake: CPU %u does not run", t->cpu);
}
