/*
 * Other CPUs, as the scheduler sees them: every decision that concerns a thread or scheduling context of
 * another CPU goes through these. While one CPU runs, each of them states that there is no other.
 */
#ifndef SCHED_REMOTE_H
#define SCHED_REMOTE_H

#include "object/tcb.h"
#include "panic.h"
#include "percpu.h"

/* The per-CPU area whose queues hold this CPU's threads. */
static inline struct percpu *remote_percpu(uint32_t cpu)
{
	struct percpu *p = percpu_self();

	INVARIANT(cpu == p->cpu);
	return p;
}

static inline bool remote_is_local(uint32_t cpu)
{
	return cpu == percpu_self()->cpu;
}

/* Number of CPUs that scheduling contexts can be configured for. */
uint32_t remote_cpu_count(void);

/* t is not running anywhere but perhaps here: before its registers, queues or budget are changed. */
static inline void remote_stall(struct tcb *t)
{
	INVARIANT(remote_is_local(t->cpu));
}
/* t's scheduling context moved it to another CPU; it is in no queue. */
void remote_migrate(struct tcb *t, uint32_t cpu);
/* t, of another CPU, became schedulable: it is put in that CPU's queue, which is told to look. */
void remote_wake(struct tcb *t);

#endif
