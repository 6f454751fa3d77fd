/*
 * Refills: what is left of a budget and when the rest comes back. Pure arithmetic on one scheduling context;
 * no queues, no time but what is given.
 *
 * A ring of (time, amount) ordered by time, without overlap, whose amounts add up to the budget. The head is
 * what is used now; what was used of it comes back one period after it became usable. The head is never
 * smaller than the minimum budget: a smaller rest is merged into the next. Round robin (period 0) has one
 * refill: the rest of the slice.
 */
#include "sched/sched_context.h"
#include "panic.h"

ticks_t refill_min_budget;

static struct refill *refill_at(struct sched_context *sc, unsigned i)
{
	unsigned n = sc->refill_head + i;

	return &refill_ring(sc)[n >= sc->refill_max ? n - sc->refill_max : n];
}

static struct refill *refill_tail(struct sched_context *sc)
{
	return refill_at(sc, sc->refill_count - 1u);
}

static struct refill refill_pop(struct sched_context *sc)
{
	struct refill r = *refill_head(sc);

	INVARIANT(sc->refill_count > 1);
	sc->refill_head = (uint16_t)(sc->refill_head + 1 == sc->refill_max ? 0 : sc->refill_head + 1);
	sc->refill_count--;
	return r;
}

static void refill_set_only(struct sched_context *sc, ticks_t time, ticks_t amount)
{
	sc->refill_head = 0;
	sc->refill_count = 1;
	refill_ring(sc)[0] = (struct refill){time, amount};
}

/* Budget that comes back: joined to the tail where it meets it, or where there is no room (then the tail
 * waits for it). */
static void refill_give_back(struct sched_context *sc, ticks_t time, ticks_t amount)
{
	struct refill *tail = refill_tail(sc);

	if (tail->time + tail->amount >= time) {
		tail->amount += amount;
	} else if (sc->refill_count < sc->refill_max) {
		sc->refill_count++;
		*refill_tail(sc) = (struct refill){time, amount};
	} else {
		tail->time = time - tail->amount;
		tail->amount += amount;
	}
}

/* A head too small to be worth a switch becomes the first part of the next refill. */
static void refill_merge_small(struct sched_context *sc)
{
	/*@ loop invariant ring: indices(sc);
	    loop invariant big: \at(head_of(sc)->amount, Pre) >= refill_min_budget ==>
		    sc->refill_head == \at(sc->refill_head, Pre) && sc->refill_count == \at(sc->refill_count, Pre) &&
		    head_of(sc)->time == \at(head_of(sc)->time, Pre) && head_of(sc)->amount == \at(head_of(sc)->amount, Pre);
	    loop assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count; */
	while (refill_head(sc)->amount < refill_min_budget && sc->refill_count > 1) {
		struct refill small = refill_pop(sc);
		struct refill *head = refill_head(sc);

		head->time -= small.amount;
		head->amount += small.amount;
	}
}

void refill_new(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now)
{
	INVARIANT(max >= 2 && budget >= refill_min_budget && (period == 0 || period > budget));
	sc->refill_max = max;
	sc->budget = budget;
	sc->period = period;
	refill_set_only(sc, now, budget);
}

void refill_update(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now)
{
	struct refill left = *refill_head(sc);
	ticks_t start = left.time < now ? now : left.time;

	refill_new(sc, max, budget, period, start);
	if (left.amount >= budget)
		return;
	if (period == 0) {
		if (left.amount >= refill_min_budget)
			refill_ring(sc)[0].amount = left.amount;
		return;
	}
	refill_ring(sc)[0].amount = left.amount;
	/*@ assert sc->refill_head == 0 && sc->refill_count == 1 && sc->refill_max == max; */
	/*@ assert tail_of(sc) == ring_of(sc) && at(sc, 1) == ring_of(sc) + 1; */
	refill_give_back(sc, start + period, budget - left.amount);
	refill_merge_small(sc);
}

static void refill_use_slice(struct sched_context *sc, ticks_t usage)
{
	struct refill *slice = &refill_ring(sc)[0];

	slice->amount = refill_sufficient(sc, usage) ? slice->amount - usage : sc->budget;
}

/*
 * More was used than the whole budget (time went by inside one operation, or outside the kernel's control; a
 * timer is late by a few ticks): all of it comes back so many periods later.
 */
static ticks_t refill_skip_periods(struct sched_context *sc, ticks_t usage)
{
	ticks_t periods = usage / sc->budget, skip;

	if (__builtin_mul_overflow(periods, sc->period, &skip) || skip > UINT64_MAX / 4)
		skip = UINT64_MAX / 4;
	/*@ loop invariant 0 <= i <= sc->refill_count;
	    loop invariant amounts: \forall integer k; 0 <= k < sc->refill_max ==>
		    ring_of(sc)[k].amount == \at(ring_of(sc)[k].amount, Pre);
	    loop assigns i, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count - i; */
	for (unsigned i = 0; i < sc->refill_count; i++)
		refill_at(sc, i)->time += skip;
	return usage % sc->budget;
}

void refill_budget_check(struct sched_context *sc, ticks_t usage)
{
	struct refill *head;

	if (sc->period == 0) {
		refill_use_slice(sc, usage);
		return;
	}
	if (usage >= sc->budget)
		usage = refill_skip_periods(sc, usage);

	while (usage >= (head = refill_head(sc))->amount) {
		struct refill used;

		/* never the only one: that would hold the whole budget, of which usage is a part */
		usage -= head->amount;
		used = refill_pop(sc);
		refill_give_back(sc, used.time + sc->period, used.amount);
	}
	if (usage > 0) {
		ticks_t back = head->time + sc->period;

		head->time += usage;
		head->amount -= usage;
		refill_give_back(sc, back, usage);
	}
	refill_merge_small(sc);
}

bool refill_unblock_check(struct sched_context *sc, ticks_t now)
{
	struct refill *head = refill_head(sc);

	if (sc->period == 0 || !refill_ready(sc, now))
		return false;
	if (head->time < now)
		head->time = now;
	/*@ loop invariant ring: indices(sc) && head == head_of(sc);
	    loop invariant start: head->time == later(\at(head_of(sc)->time, Pre), now);
	    loop assigns head, sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count; */
	while (sc->refill_count > 1 && refill_at(sc, 1)->time <= head->time + head->amount) {
		struct refill first = refill_pop(sc);

		head = refill_head(sc);
		head->time = first.time;
		head->amount += first.amount;
	}
	return true;
}
