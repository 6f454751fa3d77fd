/*
 * The scheduler: 256 priorities, FIFO within one, scheduling contexts (MCS). Per CPU.
 *
 * sched_exit() at the end of every kernel entry picks the thread to run; the entry layer then
 * switches to it (arch_switch_to). Functions that make a thread runnable only record it.
 *
 * The current thread is in no ready queue unless its slice just ended. A thread whose scheduling context has
 * no usable budget is in the release queue, in no ready queue. percpu->now is the time of the last
 * sched_update_time(): entries that neither switch scheduling contexts nor use the time (the fast paths,
 * VMEnter) leave it as it was, and what they used is found at the next one, at the latest at the timer
 * interrupt that ends the budget.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "arch/x86/cpu_hw.h"
#include "object/tcb.h"
#include "percpu.h"
#include "sched/sched_context.h"

#define SCHED_CHOOSE ((struct tcb *)1)

/* ---- ready.c: ready queues, pure list operations on one CPU's queues. Idempotent ---- */
void ready_enqueue(struct tcb *t); /* head */
void ready_append(struct tcb *t);  /* tail */
void ready_unlink(struct tcb *t);
static inline void ready_dequeue(struct tcb *t)
{
	if (unlikely(t->queued))
		ready_unlink(t);
}
/* NULL if all are empty. */
static inline struct tcb *ready_highest(struct percpu *p)
{
	return p->ready_top < 0 ? NULL : p->ready[p->ready_top].head;
}
/* Could a thread of this priority run now, nothing above it being ready? */
static inline bool ready_is_highest(const struct percpu *p, uint8_t priority)
{
	return priority >= p->ready_top;
}

/* ---- release.c: threads that wait for budget, by the time of their head refill. Idempotent ---- */
void release_add(struct tcb *t);
void release_unlink(struct tcb *t);
static inline void release_remove(struct tcb *t)
{
	if (unlikely(t->released_queued))
		release_unlink(t);
}
/* Takes out the first whose budget is usable at `now`; NULL if there is none. */
struct tcb *release_take(struct percpu *p, ticks_t now);
/* UINT64_MAX if nothing waits. */
static inline ticks_t release_next(const struct percpu *p)
{
	const struct rbtree_node *n = rbtree_first(&p->release);

	return n ? n->key : UINT64_MAX;
}

/* Is it in a state to run, apart from budget? */
static inline bool sched_runnable(const struct tcb *t)
{
	return t->state == THREAD_RUNNING || t->state == THREAD_RESTART || t->state == THREAD_RUNNING_VM;
}

/* Runnable, with a configured scheduling context, not in the release queue. */
static inline bool sched_schedulable(const struct tcb *t)
{
	return sched_runnable(t) && t->sc && t->sc->refill_max && !t->released_queued;
}

static inline void sched_set_state(struct tcb *t, enum thread_state s)
{
	t->state = s;
}

/*
 * t became runnable: it runs now if its priority is higher than the current thread's; waits for budget if
 * there is none; nothing happens if it has no scheduling context.
 */
void sched_possible_switch_to(struct tcb *t);
/* The part of its slice that a thread has before its turn; all of it if a part is too little to run. */
static inline ticks_t sched_part_ahead(const struct sched_context *sc)
{
	ticks_t part = sc->budget / 4;

	return part >= refill_min_budget ? part : sc->budget;
}

/* The rest of its slice follows at once. */
static inline void sched_join_slice(struct sched_context *sc)
{
	ticks_t whole = refill_head(sc)->amount + sc->budget - sched_part_ahead(sc);

	if (!sc->ahead)
		return;
	sc->ahead = false;
	refill_head(sc)->amount = whole < sc->budget ? whole : sc->budget;
}

/* Whoever has used up a slice in so many rounds is taken for one that computes. */
#define SCHED_ROUNDS_SINCE_SLICE 4u

/* Whether a signal that wakes the thread of this context, which is in no queue, puts it at the head of its queue. */
static inline bool sched_wakes_first(struct sched_context *sc, ticks_t now)
{
	struct refill *slice = sc->refills;

	if (likely(!sc->round))
		return false;
	if (now >= slice[0].time + SCHED_ROUNDS_SINCE_SLICE * sc->round && now >= slice[1].time + sc->round) {
		slice[0].amount = sched_part_ahead(sc);
		slice[1].time = now;
		sc->ahead = true;
		return true;
	}
	sched_join_slice(sc);
	return false;
}
/* A signal woke it: as sched_possible_switch_to, but that its scheduling context may put it first. */
void sched_signalled(struct tcb *t);
void sched_reschedule(void);
void sched_set_priority(struct tcb *t, uint8_t prio);
void sched_set_mcp(struct tcb *t, uint8_t mcp);
/* Removes it from ready and release queues, and from the plans of sched_exit(). */
void sched_stop(struct tcb *t);
/* Makes a stopped thread run: cancels IPC, state RESTART. */
void sched_restart(struct tcb *t);
/* sc's thread waits until its head refill is usable. */
void sched_postpone(struct sched_context *sc);

/* Charges consumed time to current_sc as the end of its slice (timeout fault, postpone, or the tail of its
 * queue). */
void sched_charge(ticks_t consumed, bool can_timeout);

/* Kernel entry: takes the time, computes consumed. */
static inline void sched_update_time(void)
{
	struct percpu *p = percpu_self();
	ticks_t now = cpu_rdtsc();

	p->consumed += now - p->now;
	p->now = now;
}

static inline bool sched_has_budget(const struct percpu *p)
{
	const struct sched_context *sc = p->current_sc;

	return likely(!sc || refill_sufficient(sc, p->consumed) || !sc->refill_max);
}

/* True if the current thread may go on with the operation (budget left); else charges and reschedules. */
static inline bool sched_check_budget(void)
{
	struct percpu *p = percpu_self();

	if (sched_has_budget(p))
		return true;
	sched_charge(p->consumed, true);
	return false;
}

/* As above, before a system call's or fault's work: when false, that is to be done again once there is
 * budget. */
static inline bool sched_check_budget_restart(void)
{
	struct percpu *p = percpu_self();

	if (sched_has_budget(p))
		return true;
	if (p->current->state == THREAD_RUNNING)
		p->current->state = THREAD_RESTART;
	sched_charge(p->consumed, true);
	return false;
}

/* Charges consumed time to current_sc; its slice goes on. */
void sched_commit_time(void);
/* A server used this time for sc's thread, which waits for the answer: as if the thread had. */
void sched_charge_for(struct sched_context *sc, ticks_t used);
/* The current thread gives up the rest of its head refill (system call Yield). */
void sched_yield(void);
/* Timer interrupt: expired releases and timer objects. */
void sched_tick(void);
/* The current thread is taken off this CPU, which has nothing to run: it goes to the head of its queue. */
void sched_vacate(void);
/*
 * t, which took this exception, did not come to its handling: that will be done when it runs next. Not if its instruction is
 * simply executed again.
 */
void sched_hold_trap(struct tcb *t, unsigned vector);
/* Picks the next thread, switches contexts (arch_switch_to), programs the timer. Returns the thread, now
 * current. */
struct tcb *sched_exit(struct percpu *p);

/*
 * Nothing has happened that sched_exit() would have to look at: the current thread just returns. True means
 * that calling it would change nothing.
 */
static inline bool sched_undisturbed(const struct percpu *p)
{
	const struct tcb *t = p->current;

	return !p->scheduler_action && t->state == THREAD_RUNNING && t->sc && t->sc == p->current_sc &&
	       !p->reprogram;
}

/* At start, for CPU p: empty queues; `idle` is its current thread. time.c must be calibrated. */
void sched_init_cpu(struct percpu *p, struct tcb *idle);

#endif
