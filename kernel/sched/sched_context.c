/*
 * Scheduling contexts as objects: to which thread, notification and call stack they belong. Called by
 * invocations, by IPC (donation) and by finalisation. It must never compute refills (refill.c) or choose
 * threads (sched.c).
 */
#include "sched/sched_context.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/remote.h"
#include "sched/sched.h"

void sched_context_init(struct sched_context *sc, unsigned size_bits)
{
	sc->size_bits = (uint16_t)size_bits;
}

bool sched_context_released(struct sched_context *sc)
{
	return sc->refill_max == 0 || (refill_ready(sc, percpu_self()->now) && refill_sufficient(sc, 0));
}

void sched_context_resume(struct sched_context *sc)
{
	struct tcb *t = sc->tcb;

	if (sched_schedulable(t) && sc != remote_percpu(sc->cpu)->current_sc && !sched_context_released(sc))
		sched_postpone(sc);
}

/* ---- threads ---- */

static void sched_context_give(struct sched_context *sc, struct tcb *t)
{
	if (unlikely(t->cpu != sc->cpu))
		remote_migrate(t, sc->cpu);
	sc->tcb = t;
	t->sc = sc;
}

void sched_context_bind_tcb(struct sched_context *sc, struct tcb *t)
{
	sched_context_give(sc, t);
	if (sched_runnable(t))
		sched_possible_switch_to(t);
}

static void sched_context_take(struct sched_context *sc)
{
	struct tcb *t = sc->tcb;

	remote_stall(t);
	sched_stop(t);
	t->sc = NULL;
	sc->tcb = NULL;
}

void sched_context_unbind_tcb(struct sched_context *sc)
{
	if (sc->tcb)
		sched_context_take(sc);
}

void sched_context_donate(struct sched_context *sc, struct tcb *to)
{
	struct tcb *from = sc->tcb;

	if (from) {
		remote_stall(from);
		/* in no queue, if it is the current thread that calls */
		if (unlikely(from != percpu_self()->current || from->queued))
			sched_stop(from);
		from->sc = NULL;
	}
	sched_context_give(sc, to);
}

/* ---- notifications and call stacks ---- */

void sched_context_bind_notification(struct sched_context *sc, struct notification *n)
{
	n->sc = sc;
	sc->notification = n;
}

void sched_context_unbind_notification(struct sched_context *sc)
{
	if (!sc->notification)
		return;
	sc->notification->sc = NULL;
	sc->notification = NULL;
}

static void sched_context_unbind_reply(struct sched_context *sc)
{
	if (!sc->reply)
		return;
	sc->reply->next = NULL;
	sc->reply = NULL;
}

void sched_context_unbind_all(struct sched_context *sc)
{
	sched_context_unbind_tcb(sc);
	sched_context_unbind_notification(sc);
	sched_context_unbind_reply(sc);
}

/* ---- YieldTo and Consumed ---- */

uint64_t sched_context_take_consumed(struct sched_context *sc)
{
	ticks_t used = sc->consumed;

	sc->consumed = 0;
	sc->consumed_before += used;
	return time_ticks_to_us(used);
}

ticks_t sched_context_used(const struct sched_context *sc)
{
	const struct percpu *p = percpu_self();

	ticks_t used = sc->consumed_before + sc->consumed;

	/* a VM exit does not take the time */
	return p->current_sc == sc ? used + p->consumed + (cpu_rdtsc() - p->now) : used;
}

void sched_context_cancel_yield_to(struct tcb *t)
{
	if (!t->yield_to)
		return;
	t->yield_to->yield_from = NULL;
	t->yield_to = NULL;
}

void sched_context_complete_yield_to(struct tcb *t)
{
	struct sched_context *sc = t->yield_to;

	if (!sc)
		return;
	invocation_finish_reply1(t, sched_context_take_consumed(sc));
	sched_context_cancel_yield_to(t);
}

void sched_context_finalise(struct sched_context *sc)
{
	struct percpu *p = percpu_self();

	sched_context_unbind_all(sc);
	if (sc->yield_from)
		sched_context_complete_yield_to(sc->yield_from);
	sc->refill_max = 0;
	if (p->current_sc == sc) {
		p->current_sc = NULL;
		p->consumed = 0;
	}
}
