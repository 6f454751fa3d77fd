/*
 * Threads of other CPUs. Called by sched/, ipc/ and object/ when a thread's CPU may not be this one. It must
 * never choose what runs here.
 */
#include "sched/remote.h"
#include "entry/lock.h"
#include "object/vcpu.h"
#include "sched/sched.h"

/* On the CPU that has it: the current thread goes back to the queue, as if it had not entered the kernel. */
static void remote_vacate(void *arg)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	(void)arg;
	if (p->entering == LOCK_SYSCALL && t->state == THREAD_RUNNING)
		sched_set_state(t, THREAD_RESTART);
	else if (p->entering == LOCK_TRAP)
		sched_hold_trap(t, p->entering_vector);
	sched_vacate();
	p->vacated = true;
}

void remote_stall_slow(struct tcb *t)
{
	if (remote_runs(t))
		smp_call(t->cpu, remote_vacate, NULL);
}

void remote_migrate(struct tcb *t, uint32_t cpu)
{
	INVARIANT(!t->queued && !t->released_queued && !remote_runs(t));
	INVARIANT(cpu < remote_cpu_count());
	if (t->vcpu)
		vcpu_migrate(t->vcpu);
	if (t == percpu_self()->current)
		sched_reschedule(); /* sched_exit() takes it away */
	t->cpu = cpu;
}

void remote_reschedule(struct percpu *p)
{
	if (!p->scheduler_action)
		p->scheduler_action = SCHED_CHOOSE;
	smp_kick(p);
}

void remote_reprogram(struct percpu *p)
{
	p->reprogram = true;
	if (p != percpu_self())
		smp_kick(p);
}

void remote_wake(struct tcb *t, bool first)
{
	struct percpu *p = remote_percpu(t->cpu);

	if (first)
		ready_enqueue(t);
	else
		ready_append(t);
	if (p->current == p->idle || t->priority > p->current->priority)
		remote_reschedule(p);
}
