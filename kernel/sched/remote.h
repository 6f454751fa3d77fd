/*
 * Other CPUs, as the scheduler sees them: every decision that concerns a thread or scheduling context of
 * another CPU goes through these. With the kernel lock held.
 *
 * Another CPU's queues and plans are changed from here like our own; what it has loaded (the current thread's
 * registers) only it can give back: remote_stall(). A thread belongs to the CPU of its scheduling context,
 * t->cpu, and is the current one there or nowhere; but for one that moves itself, until its system call's
 * end.
 */
#ifndef SCHED_REMOTE_H
#define SCHED_REMOTE_H

#include "arch/x86/smp/smp.h"
#include "object/tcb.h"
#include "panic.h"
#include "percpu.h"

/* The per-CPU area whose queues hold this CPU's threads. */
static inline struct percpu *remote_percpu(uint32_t index)
{
	return smp_percpu(index);
}

static inline bool remote_is_local(uint32_t index)
{
	return index == percpu_self()->cpu;
}

/* Number of CPUs that scheduling contexts can be configured for. */
static inline uint32_t remote_cpu_count(void)
{
	return smp_cpu_count;
}

/*
 * t is not running anywhere but perhaps here: before its registers, queues, budget, or what its way into
 * guest mode looks at are changed. Where it was, it is ready now: its registers are saved, its time is
 * charged.
 */
void remote_stall_slow(struct tcb *t);
static inline void remote_stall(struct tcb *t)
{
	if (unlikely(!remote_is_local(t->cpu)))
		remote_stall_slow(t);
}
/* Is it loaded on another CPU? */
static inline bool remote_runs(const struct tcb *t)
{
	return unlikely(!remote_is_local(t->cpu)) && remote_percpu(t->cpu)->current == t;
}
/* t's scheduling context moved it to another CPU; it is in no queue. Its vCPU goes with it. */
void remote_migrate(struct tcb *t, uint32_t cpu);
/* t, of another CPU, became schedulable: it is put in that CPU's queue, which is told to look if that
 * matters. */
void remote_wake(struct tcb *t, bool first);
/* The plans of another CPU have changed: it looks what to run, or when its timer is to fire. */
void remote_reschedule(struct percpu *p);
void remote_reprogram(struct percpu *p);

#endif
