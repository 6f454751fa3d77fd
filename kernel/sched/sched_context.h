/*
 * Scheduling contexts: budget and period as a ring of refills (sporadic or constant bandwidth), or
 * round robin (period 0). 128 bytes with two refills; 16 bytes for each more.
 */
#ifndef SCHED_SCHED_CONTEXT_H
#define SCHED_SCHED_CONTEXT_H

#include "object/tcb.h"

struct notification;

struct refill {
	ticks_t time; /* usable from */
	ticks_t amount;
};

/* Refills that are kept at most, whatever the object's size: it bounds the work of one charge. */
#define SCHED_CONTEXT_MAX_REFILLS 1024u

struct sched_context {
	ticks_t period;	  /* 0: round robin */
	ticks_t consumed; /* since Consumed was last called */
	ticks_t budget;
	struct tcb *tcb;
	struct reply *reply; /* top of the call stack it was donated along */
	struct notification *notification;
	word_t badge;
	struct tcb *yield_from; /* thread whose YieldTo waits for this one's */
	uint32_t cpu;
	uint16_t refill_max; /* 0: never configured, its thread does not run */
	uint16_t refill_head, refill_count;
	uint16_t size_bits;
	bool sporadic;
	bool ahead;		 /* what is left is of the part of its slice that it has before its turn */
	bool behind;		 /* its slice ended while its thread waited: it goes to the tail when it is woken */
	ticks_t consumed_before; /* what Consumed has told */
	/* Of round robin, 0: not woken first. It is no sooner than a round after it was, at refills[1].time, nor
	 * than some after a slice ended, at refills[0].time. refills[1].amount is what was used for its thread
	 * beyond slices that it had: its next ones are shorter for it. */
	ticks_t round;
	struct refill refills[]; /* two at least; a ring of refill_max */
};
_Static_assert(sizeof(struct sched_context) + 2 * sizeof(struct refill) == 128, "core size");

static inline struct sched_context *cap_sched_context_of(cap_t c)
{
	return window_kv(paddr(cap_sched_context_ptr(c)));
}

/* ---- refill.c: pure arithmetic on one scheduling context ---- */

extern ticks_t refill_min_budget; /* 20 us; set once, before the first thread runs */

/* A fresh budget, usable from now. */
void refill_new(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);
/* New parameters for one that is in use: what is left of its budget is kept, never more than the new one. */
void refill_update(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);
/* Uses up `usage` ticks from the head; what was used comes back a period after it became usable. */
void refill_budget_check(struct sched_context *sc, ticks_t usage);
/* The thread was not running until now: the budget that is usable counts from now. True if the head changed.
 */
bool refill_unblock_check(struct sched_context *sc, ticks_t now);

static inline struct refill *refill_ring(const struct sched_context *sc)
{
	return (struct refill *)sc->refills;
}

static inline struct refill *refill_head(const struct sched_context *sc)
{
	return &refill_ring(sc)[sc->refill_head];
}

/* Usable at `now`, or so soon that it is not worth to wait. */
static inline bool refill_ready(const struct sched_context *sc, ticks_t now)
{
	return sc->period == 0 || refill_head(sc)->time <= now + refill_min_budget / 2;
}

/* What the head still holds after `usage`. */
static inline ticks_t refill_capacity(const struct sched_context *sc, ticks_t usage)
{
	ticks_t amount = refill_head(sc)->amount;

	return amount > usage ? amount - usage : 0;
}

static inline bool refill_sufficient(const struct sched_context *sc, ticks_t usage)
{
	return refill_capacity(sc, usage) >= refill_min_budget;
}

/* Uses up `usage` ticks of a round-robin slice; another begins if not enough is left of it. */
static inline void refill_use_slice(struct sched_context *sc, ticks_t usage)
{
	struct refill *slice = refill_head(sc);

	slice->amount = refill_sufficient(sc, usage) ? slice->amount - usage : sc->budget;
}

/* ---- sched_context.c: what a scheduling context is bound to ---- */

void sched_context_init(struct sched_context *sc, unsigned size_bits);
void sched_context_bind_tcb(struct sched_context *sc, struct tcb *t);
void sched_context_unbind_tcb(struct sched_context *sc);
/* Its thread, its notification and its call stack let go of it. */
void sched_context_unbind_all(struct sched_context *sc);
void sched_context_bind_notification(struct sched_context *sc, struct notification *n);
void sched_context_unbind_notification(struct sched_context *sc);
/* Its thread loses it; `to` (which has none) gets it. */
void sched_context_donate(struct sched_context *sc, struct tcb *to);
/* Its thread may have become schedulable: waits for budget if there is none. */
void sched_context_resume(struct sched_context *sc);
/* YieldTo: a waiting caller gets its answer (called when it is scheduled again), or is forgotten. */
void sched_context_complete_yield_to(struct tcb *t);
void sched_context_cancel_yield_to(struct tcb *t);
/* The microseconds used since this was last asked. */
uint64_t sched_context_take_consumed(struct sched_context *sc);
/* All that was ever consumed. */
ticks_t sched_context_used(const struct sched_context *sc);
void sched_context_finalise(struct sched_context *sc);
/* A thread that is blocked may only get one that could run at once. */
bool sched_context_released(struct sched_context *sc);

/* sched_context_decode.c, sched_control.c */
exception_t sched_context_decode(word_t label, unsigned length, cap_t cap);
exception_t sched_control_decode(word_t label, unsigned length, cap_t cap);
/* Parameters in ticks; budget == period is round robin. */
void sched_control_configure(struct sched_context *sc, uint32_t cpu, ticks_t budget, ticks_t period,
			     uint64_t extra_refills, word_t badge, word_t flags);

#endif
