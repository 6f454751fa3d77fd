/*
 * Scheduling parameters: ConfigureFlags on a CPU's control capability. Called by invocation_decode, and at
 * boot for the first thread.
 */
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "arch/x86/smp/smp.h"
#include "entry/lock.h"
#include "insula/ext.h"
#include "sched/remote.h"
#include "sched/sched.h"

#define SCHED_CONTROL_MIN_REFILLS 2u

/* A running scheduling context's parameters change: it is charged first, and in no queue meanwhile. */
static void sched_control_detach(struct sched_context *sc)
{
	if (percpu_self()->current_sc == sc)
		sched_commit_time();
	if (!sc->tcb)
		return;
	remote_stall(sc->tcb);
	sched_stop(sc->tcb);
}

static void sched_control_attach(struct sched_context *sc)
{
	struct percpu *p = percpu_self();
	struct tcb *t = sc->tcb;

	if (p->current_sc == sc) {
		p->reprogram = true;
		if (sc->cpu != p->cpu)
			p->current_sc = NULL; /* our own thread moves away: what it uses from here on is not charged */
	}
	if (!t || !sched_runnable(t))
		return;
	if (t != p->current)
		sched_possible_switch_to(t);
	else if (!sched_context_released(sc))
		sched_postpone(sc);
	else
		sched_reschedule();
}

void sched_control_configure(struct sched_context *sc, uint32_t cpu, ticks_t budget, ticks_t period,
			     uint64_t extra_refills, word_t badge, word_t flags)
{
	ticks_t now = percpu_self()->now;
	uint64_t max = extra_refills + SCHED_CONTROL_MIN_REFILLS;
	uint16_t refills = (uint16_t)(max > SCHED_CONTEXT_MAX_REFILLS ? SCHED_CONTEXT_MAX_REFILLS : max);
	bool in_use = sc->refill_max && sc->cpu == cpu && sc->tcb && sched_runnable(sc->tcb);

	sched_control_detach(sc);
	sched_join_slice(sc);
	sc->behind = false;
	sc->badge = badge;
	sc->sporadic = flags & seL4_SchedContext_Sporadic;
	sc->round = flags & insula_SchedContext_WakeFirst && !sc->sporadic ? period : 0;
	if (budget == period || sc->round) {
		period = 0;
		refills = SCHED_CONTROL_MIN_REFILLS;
	}
	if (in_use)
		refill_update(sc, refills, budget, period, now);
	else
		refill_new(sc, refills, budget, period, now);
	if (sc->round)
		sc->refills[1] = (struct refill){0, 0}; /* not ahead of its turn yet, and nothing owed */
	if (sc->tcb && sc->tcb->cpu != cpu)
		remote_migrate(sc->tcb, cpu);
	sc->cpu = cpu;
	sched_control_attach(sc);
}

static exception_t sched_control_configure_decode(unsigned length, cap_t cap)
{
	word_t budget = invocation_arg(0), period = invocation_arg(1), extra = invocation_arg(2);
	word_t badge = invocation_arg(3), flags = invocation_arg(4), max_us = time_max_us(), max_extra;
	struct cte *target = invocation_extra(0);
	uint32_t cpu = (uint32_t)cap_sched_control_core(cap);
	struct sched_context *sc;

	if (length < 5 || !target)
		return error_truncated();
	if (budget < seL4_MinBudgetUs || budget > max_us)
		return error_range(seL4_MinBudgetUs, max_us);
	if (period < seL4_MinBudgetUs || period > max_us)
		return error_range(seL4_MinBudgetUs, max_us);
	if (budget > period)
		return error_range(seL4_MinBudgetUs, period);
	if (cap_type(target->cap) != CAP_SCHED_CONTEXT)
		return error_invalid_capability(1);
	max_extra =
	    (BIT(cap_sched_context_bits(target->cap)) - seL4_CoreSchedContextBytes) / seL4_RefillSizeBytes;
	if (extra > max_extra)
		return error_range(0, max_extra);
	if (cpu >= remote_cpu_count())
		return error_illegal_operation();

	sc = cap_sched_context_of(target->cap);
	sched_control_configure(sc, cpu, time_us_to_ticks(budget), time_us_to_ticks(period), extra, badge,
				flags);
	return EXC_NONE;
}

/* What the CPU has had of the kernel lock. */
static exception_t sched_control_lock_count(cap_t cap)
{
	uint32_t cpu = (uint32_t)cap_sched_control_core(cap);
	word_t words[2];

	if (cpu >= remote_cpu_count() || !lock_count(smp_percpu(cpu), &words[0], &words[1]))
		return error_illegal_operation();
	invocation_reply_words(words, 2);
	return EXC_NONE;
}

exception_t sched_control_decode(word_t label, unsigned length, cap_t cap)
{
	switch (label) {
	case SchedControlConfigureFlags:
		return sched_control_configure_decode(length, cap);
	case InsulaSchedControlLockCount:
		return sched_control_lock_count(cap);
	default:
		return error_illegal_operation();
	}
}
