/*
 * The scheduler's decisions: who runs next on this CPU, what time it is charged, when the timer fires. Called
 * at every kernel entry and by everything that makes threads runnable. It must never touch messages or
 * capabilities.
 */
#include "sched/sched.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "object/timer.h"
#include "object/vcpu.h"
#include "sched/remote.h"
#include "sched/sched_switch.h"
#include "sel4/constants.h"

/* Expired releases are bounded per tick; the timer fires again at once if more wait. */
#define SCHED_RELEASES_PER_TICK 64u

void sched_init_cpu(struct percpu *p, struct tcb *idle)
{
	refill_min_budget = time_us_to_ticks(seL4_MinBudgetUs);
	idle->state = THREAD_IDLE;
	idle->switch_unusual = true;
	idle->cpu = p->cpu;
	p->idle = p->current = idle;
	p->context = &idle->ctx;
	p->current_sc = NULL;
	p->scheduler_action = SCHED_CHOOSE;
	p->ready_top = -1;
	p->now = cpu_rdtsc();
	p->consumed = 0;
	p->reprogram = true;
	p->alarm = UINT64_MAX;
	rbtree_init(&p->release);
	rbtree_init(&p->timers);
}

/* ---- slices of round robin ---- */

/* Debts are no longer than so many slices. */
#define SCHED_DEBT_SLICES 16u

/* A slice is shorter by what is owed. One of the minimum is over when its thread next comes into the kernel: who owes more than a slice hardly runs. */
static void sched_pay_debt(struct sched_context *sc)
{
	struct refill *slice = sc->refills;
	ticks_t most = slice[0].amount - refill_min_budget, pay = slice[1].amount < most ? slice[1].amount : most;

	slice[0].amount -= pay;
	slice[1].amount -= pay;
}

/* Its next slice, or the rest of one that began ahead of its turn. */
static void sched_next_slice(const struct percpu *p, struct sched_context *sc)
{
	ticks_t rest = sc->budget - sched_part_ahead(sc);

	if (sc->ahead && rest)
		refill_head(sc)->amount = rest;
	else
		refill_head(sc)->time = p->now;
	sc->ahead = false;
	sched_pay_debt(sc);
}

/* The slice of a thread that waits is over by what was used for it. */
static void sched_end_waiting(const struct percpu *p, struct sched_context *sc, ticks_t used)
{
	struct refill *slice = sc->refills;
	ticks_t more = used > slice[0].amount ? used - slice[0].amount : 0;
	ticks_t debt = slice[1].amount + more, most = SCHED_DEBT_SLICES * sc->budget;

	slice[0].amount = sc->budget;
	slice[1].amount = debt < most ? debt : most;
	sc->behind = true;
	sched_next_slice(p, sc);
}

void sched_charge_for(struct sched_context *sc, ticks_t used)
{
	sc->consumed += used;
	sched_join_slice(sc);
	if (!sc->round)
		refill_budget_check(sc, used);
	else if (refill_sufficient(sc, used))
		refill_head(sc)->amount -= used;
	else
		sched_end_waiting(percpu_self(), sc, used);
}

/* ---- what runs next ---- */

void sched_reschedule(void)
{
	struct percpu *p = percpu_self();

	if (p->scheduler_action > SCHED_CHOOSE && sched_schedulable(p->scheduler_action))
		ready_append(p->scheduler_action);
	p->scheduler_action = SCHED_CHOOSE;
}

/* t is the second thread that became runnable: all queue up. */
static __attribute__((noinline)) void sched_propose(struct tcb *t)
{
	sched_reschedule();
	ready_append(t);
}

/* A context that was not running is about to: false if its thread has to wait for budget first. */
static inline bool sched_wake_budget(struct percpu *p, struct sched_context *sc)
{
	if (unlikely(sc->sporadic))
		refill_unblock_check(sc, p->now);
	return refill_ready(sc, p->now) && refill_sufficient(sc, 0);
}

/* What was done for t while it waited ended its slice: it has the next in its turn. */
static __attribute__((noinline)) void sched_wait_turn(struct percpu *p, struct tcb *t)
{
	t->sc->behind = false;
	if (t->cpu != p->cpu) {
		remote_wake(t, false);
		return;
	}
	sched_reschedule();
	ready_append(t);
}

/*
 * Contexts that are woken first: round robin, but a thread that a signal wakes goes to the head of its queue,
 * behind the current thread, for a part of its slice: once in a round, and if it does not compute. The rest
 * is for its turn: so those that it overtakes wait for no more than that part.
 */
void sched_signalled(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (likely(!t->sc || !t->sc->round) || t->queued || t->released_queued || t == p->current ||
	    !sched_wakes_first(t->sc, p->now)) {
		sched_possible_switch_to(t);
	} else if (t->cpu != p->cpu) {
		remote_wake(t, true);
	} else {
		sched_reschedule();
		ready_enqueue(t);
	}
}

void sched_possible_switch_to(struct tcb *t)
{
	struct percpu *p = percpu_self();
	struct sched_context *sc = t->sc;

	if (!sc || unlikely(!sc->refill_max || t->released_queued || (t == p->current && t->cpu == p->cpu)))
		return;
	if (sc != p->current_sc && unlikely(!sched_wake_budget(p, sc)))
		sched_postpone(sc);
	else if (unlikely(sc->behind))
		sched_wait_turn(p, t);
	else if (unlikely(t->cpu != p->cpu))
		remote_wake(t, false);
	else if (likely(!p->scheduler_action))
		p->scheduler_action = t;
	else
		sched_propose(t);
}

void sched_postpone(struct sched_context *sc)
{
	struct tcb *t = sc->tcb;

	ready_dequeue(t);
	release_add(t);
	if (t == percpu_self()->current || t == percpu_self()->scheduler_action)
		sched_reschedule();
}

void sched_stop(struct tcb *t)
{
	struct percpu *p = remote_percpu(t->cpu);

	ready_dequeue(t);
	release_remove(t);
	if (p->scheduler_action == t)
		p->scheduler_action = SCHED_CHOOSE;
}

static bool sched_stopped(const struct tcb *t)
{
	return !sched_runnable(t) && t->state != THREAD_IDLE;
}

void sched_restart(struct tcb *t)
{
	if (!sched_stopped(t))
		return;
	ipc_cancel(t);
	sched_set_state(t, THREAD_RESTART);
	sched_possible_switch_to(t);
}

void sched_set_priority(struct tcb *t, uint8_t prio)
{
	bool queued = t->queued;

	ready_dequeue(t);
	ipc_set_priority(t, prio);
	if (queued)
		ready_append(t);
	if (!sched_runnable(t))
		return;
	if (likely(remote_is_local(t->cpu)))
		sched_reschedule();
	else
		remote_reschedule(remote_percpu(t->cpu));
}

void sched_set_mcp(struct tcb *t, uint8_t mcp)
{
	t->mcp = mcp;
}

static struct tcb *sched_choose(struct percpu *p)
{
	struct tcb *t = ready_highest(p);

	if (!t)
		return p->idle;
	ready_dequeue(t);
	return t;
}

/*
 * The thread to run after `current`, which can go on or not, when something happened. A current thread that
 * goes on keeps the head of its queue, unless its slice ended: then it is in the queue already.
 */
static struct tcb *sched_pick(struct percpu *p, struct tcb *current, bool can_run)
{
	struct tcb *t = p->scheduler_action;

	if (can_run && !current->queued)
		ready_enqueue(current);
	if (t > SCHED_CHOOSE && sched_schedulable(t)) {
		/* nothing ready is above a current thread that can go on */
		if (can_run ? t->priority > current->priority : ready_is_highest(p, t->priority)) {
			ready_dequeue(t);
			return t;
		}
		ready_append(t);
	}
	return sched_choose(p);
}

/* The current thread has got a scheduling context of another CPU: it goes on there. */
static __attribute__((noinline)) void sched_moved(struct tcb *t, bool can_run)
{
	if (can_run)
		sched_possible_switch_to(t);
}

/* ---- time ---- */

/* The current thread's slice is over. */
static void sched_end_slice(struct percpu *p, struct tcb *t, struct sched_context *sc, bool can_timeout)
{
	if (unlikely(sc->round))
		sched_next_slice(p, sc);
	if (can_timeout && sc->period != 0 && fault_timeout_handler_set(t))
		fault_timeout(t);
	else if (refill_ready(sc, p->now) && refill_sufficient(sc, 0))
		ready_append(t);
	else
		sched_postpone(sc);
	sched_reschedule();
}

void sched_charge(ticks_t consumed, bool can_timeout)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	sched_switch_account(p, consumed);
	p->reprogram = true;
	if (p->current_sc && t->sc == p->current_sc && sched_schedulable(t))
		sched_end_slice(p, t, p->current_sc, can_timeout);
}

void sched_commit_time(void)
{
	struct percpu *p = percpu_self();

	sched_switch_account(p, p->consumed);
}

/*
 * Not the end of a slice but for a thread whose budget is spent: no timeout fault, it waits, or goes to the
 * tail of its queue.
 */
void sched_vacate(void)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;
	bool spent;

	if (t == p->idle)
		return;
	sched_update_time();
	spent = !sched_has_budget(p);
	sched_switch_account(p, p->consumed);
	sched_reschedule();
	p->current_sc = NULL;
	p->reprogram = true;
	if (sched_schedulable(t)) {
		if (spent && t->sc->round)
			sched_next_slice(p, t->sc);
		if (!refill_ready(t->sc, p->now) || !refill_sufficient(t->sc, 0))
			sched_postpone(t->sc);
		else if (spent)
			ready_append(t);
		else
			ready_enqueue(t);
	}
	p->current = p->idle;
	arch_switch_to(t, p->idle);
}

void sched_hold_trap(struct tcb *t, unsigned vector)
{
	/*
	 * Faults come again with their instruction; of these three the instruction is behind us. Behind a machine check there may be
	 * no way back to it.
	 */
	const unsigned debug = 1, breakpoint = 3, overflow = 4, machine_check = 18;

	if (vector != debug && vector != breakpoint && vector != overflow && vector != machine_check)
		return;
	t->held_trap = (uint8_t)vector;
	sched_set_state(t, THREAD_RESTART);
}

void sched_yield(void)
{
	struct percpu *p = percpu_self();
	struct sched_context *sc = p->current_sc;
	ticks_t used;

	if (!sc)
		return;
	used = sc->consumed + p->consumed;
	sched_charge(refill_head(sc)->amount, false);
	sc->consumed = used; /* what it gave up was not consumed */
}

void sched_tick(void)
{
	struct percpu *p = percpu_self();
	struct tcb *t;

	for (unsigned i = 0; i < SCHED_RELEASES_PER_TICK && (t = release_take(p, p->now)) != NULL; i++)
		sched_possible_switch_to(t);
	timer_expire(p->now);
	p->alarm = UINT64_MAX;
	p->reprogram = true;
}

static void sched_activate(struct tcb *t)
{
	if (unlikely(t->held_trap))
		return; /* kernel_exit sees to it */
	context_restart(&t->ctx);
	sched_set_state(t, THREAD_RUNNING);
}

struct tcb *sched_exit(struct percpu *p)
{
	struct tcb *current = p->current, *next = current;
	bool can_run = sched_schedulable(current);

	if (p->scheduler_action || !can_run) {
		if (unlikely(current->cpu != p->cpu)) {
			sched_moved(current, can_run);
			can_run = false;
		}
		next = sched_pick(p, current, can_run);
		p->scheduler_action = NULL;
	}
	if (next->sc != p->current_sc) {
		sched_switch_context(p, next->sc);
		p->reprogram = true;
	}
	if (next != current) {
		p->current = next;
		arch_switch_to(current, next);
	}
	if (p->reprogram)
		sched_switch_alarm(p);
	if (next->state == THREAD_RESTART)
		sched_activate(next);
	if (unlikely(next->yield_to))
		sched_context_complete_yield_to(next);
	return next;
}
