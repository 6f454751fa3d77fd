/*
 * What changes when another scheduling context becomes the current one: who is charged, when the timer has to
 * come. For sched.c and the fast paths (api/fast.h).
 */
#ifndef SCHED_SCHED_SWITCH_H
#define SCHED_SCHED_SWITCH_H

#include "arch/x86/arch.h"
#include "object/timer.h"
#include "sched/sched.h"

/* Charges the current scheduling context for `used`, which is what it used since the last time. */
static inline void sched_switch_account(struct percpu *p, ticks_t used)
{
	struct sched_context *sc = p->current_sc;

	p->consumed = 0;
	if (!sc || !sc->refill_max || !used)
		return;
	sc->consumed += used;
	if (sc->period == 0)
		refill_use_slice(sc, used);
	else
		refill_budget_check(sc, used);
}

/* sc (NULL: none, the CPU is idle) instead of it, which is charged. Now is p->now. */
static inline void sched_switch_context(struct percpu *p, struct sched_context *sc)
{
	sched_switch_account(p, p->consumed);
	if (sc && sc->period != 0 && !sc->sporadic)
		refill_unblock_check(sc, p->now);
	p->current_sc = sc;
}

static inline ticks_t sched_switch_earlier(ticks_t a, ticks_t b)
{
	return a < b ? a : b;
}

/*
 * Sets the timer for the current thread and context. An alarm that was set for earlier is left: it is cheaper
 * to find nothing to do when it comes than to set it at every switch. But an idle CPU is not woken for that.
 */
static inline void sched_switch_alarm(struct percpu *p)
{
	ticks_t deadline = sched_switch_earlier(release_next(p), timer_next(p));

	if (p->current_sc)
		deadline =
		    sched_switch_earlier(deadline, p->now + refill_capacity(p->current_sc, p->consumed));
	p->reprogram = false;
	if (deadline < p->alarm || (p->current == p->idle && deadline != p->alarm)) {
		p->alarm = deadline;
		time_set_deadline(deadline);
	}
}

#endif
