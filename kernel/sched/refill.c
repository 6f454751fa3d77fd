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

/* The i-th of a ring that is in use. */
static void refill_set(struct sched_context *sc, unsigned i, ticks_t time, ticks_t amount)
{
	*refill_at(sc, i) = (struct refill){time, amount};
	/*@ ghost
	    /@ loop invariant upto: 0 <= n <= sc->refill_max;
	       loop invariant sums: \forall integer m; 0 <= m <= n ==> upto(sc, m) ==
		    \at(upto(sc, m), Pre) + (i < m ? amount - \at(at(sc, i)->amount, Pre) : 0);
	       loop assigns n;
	       loop variant sc->refill_max - n; @/
	    for (unsigned n = 0; n < sc->refill_max; n++); */
}

static struct refill refill_pop(struct sched_context *sc)
{
	struct refill r = *refill_head(sc);

	INVARIANT(sc->refill_count > 1);
	/*@ ghost refill_sums(sc); */
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

/* Budget that comes back: a refill of its own, or joined to the tail where it meets it or there is no room
 * (then the tail waits for it). */
static void refill_give_back(struct sched_context *sc, ticks_t time, ticks_t amount)
{
	unsigned count = sc->refill_count;
	struct refill tail = *refill_tail(sc);
	ticks_t end = tail.time + tail.amount;

	/*@ ghost refill_sums(sc); */
	if (end < time && count < sc->refill_max) {
		sc->refill_count++;
		refill_set(sc, count, time, amount);
		return;
	}
	refill_set(sc, count - 1, (end < time ? time : end) - tail.amount, tail.amount + amount);
}

/* All of the head was used; how much that was. */
static ticks_t refill_charge_head(struct sched_context *sc)
{
	/* never the only one: that would hold the whole budget, of which usage is a part */
	struct refill used = refill_pop(sc);

	/*@ assert positive: positive(sc); */
	refill_give_back(sc, used.time + sc->period, used.amount);
	return used.amount;
}

/* A part of the head was used. */
static ticks_t refill_split_head(struct sched_context *sc, ticks_t usage)
{
	struct refill head = *refill_head(sc);

	refill_set(sc, 0, head.time + usage, head.amount - usage);
	refill_give_back(sc, head.time + sc->period, usage);
	return usage;
}

/* A head too small to be worth a switch becomes the first part of the next refill. */
static void refill_merge_small(struct sched_context *sc)
{
	/*@ loop invariant ring: indices(sc);
	    loop invariant big: \at(head_of(sc)->amount, Pre) >= refill_min_budget ==>
		    sc->refill_head == \at(sc->refill_head, Pre) &&
		    sc->refill_count == \at(sc->refill_count, Pre) &&
		    head_of(sc)->time == \at(head_of(sc)->time, Pre) &&
		    head_of(sc)->amount == \at(head_of(sc)->amount, Pre);
	    loop invariant total: total(sc) == \at(total(sc), Pre) && positive(sc);
	    loop assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count; */
	while (refill_head(sc)->amount < refill_min_budget && sc->refill_count > 1) {
		struct refill small = refill_pop(sc), head = *refill_head(sc);

		/*@ ghost refill_sums(sc); */
		refill_set(sc, 0, head.time - small.amount, head.amount + small.amount);
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
			refill_set(sc, 0, start, left.amount);
		return;
	}
	refill_set(sc, 0, start, left.amount);
	/*@ assert positive: positive(sc); */
	refill_give_back(sc, start + period, budget - left.amount);
	refill_merge_small(sc);
}

/* So many periods, or what stands for all time there is. */
static ticks_t refill_skip(ticks_t periods, ticks_t period)
{
	ticks_t skip;

	if (__builtin_mul_overflow(periods, period, &skip) || skip > UINT64_MAX / 4)
		return UINT64_MAX / 4;
	return skip;
}

/*
 * More was used than the whole budget (time went by inside one operation, or outside the kernel's control; a
 * timer is late by a few ticks): all of it comes back so many periods later.
 */
static ticks_t refill_skip_periods(struct sched_context *sc, ticks_t usage)
{
	ticks_t skip = refill_skip(usage / sc->budget, sc->period);

	/*@ loop invariant 0 <= i <= sc->refill_count;
	    loop invariant moved: \forall integer k; 0 <= k < i ==>
		    at(sc, k)->time == (ticks_t)(\at(at(sc, k)->time, Pre) + skip);
	    loop invariant rest: \forall integer k; i <= k < sc->refill_max ==>
		    at(sc, k)->time == \at(at(sc, k)->time, Pre);
	    loop invariant amounts: \forall integer k; 0 <= k < sc->refill_max ==>
		    at(sc, k)->amount == \at(at(sc, k)->amount, Pre);
	    loop invariant total: total(sc) == \at(total(sc), Pre);
	    loop assigns i, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count - i; */
	for (unsigned i = 0; i < sc->refill_count; i++)
		refill_set(sc, i, refill_at(sc, i)->time + skip, refill_at(sc, i)->amount);
	return usage % sc->budget;
}

void refill_budget_check(struct sched_context *sc, ticks_t usage)
{
	if (sc->period == 0) {
		refill_use_slice(sc, usage);
		return;
	}
	if (usage >= sc->budget)
		usage = refill_skip_periods(sc, usage);

	/* Those in front that were not charged yet: with the next, they hold more than is left to charge. */
	/*@ ghost unsigned fresh = sc->refill_count; */
	/*@ loop invariant ring: indices(sc);
	    loop invariant total: total(sc) == sc->budget && positive(sc);
	    loop invariant usage: usage < sc->budget;
	    loop invariant kept: sc->budget == \at(sc->budget, Pre) && sc->period == \at(sc->period, Pre);
	    loop invariant fresh: fresh <= sc->refill_count;
	    loop invariant left: upto(sc, fresh < sc->refill_count ? fresh + 1 : fresh) > usage;
	    loop invariant times: \forall integer k; 0 <= k < fresh ==> skipped(at(sc, k)->time);
	    loop invariant later: \forall integer k; 0 <= k < sc->refill_count ==>
		    skipped(at(sc, k)->time - sc->period);
	    loop assigns usage, fresh, sc->refill_head, sc->refill_count;
	    loop assigns ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant usage; */
	while (usage >= refill_head(sc)->amount) {
		/*@ assert fresh: fresh > 0 && skipped(head_of(sc)->time); */
		usage -= refill_charge_head(sc);
		/*@ ghost fresh--; if (fresh == sc->refill_count) fresh--; */
	}
	if (usage > 0)
		usage -= refill_split_head(sc, usage);
	/*@ assert charged: usage == 0; */
	refill_merge_small(sc);
}

bool refill_unblock_check(struct sched_context *sc, ticks_t now)
{
	struct refill head = *refill_head(sc);

	if (sc->period == 0 || !refill_ready(sc, now))
		return false;
	if (head.time < now)
		head.time = now;
	refill_set(sc, 0, head.time, head.amount);
	/*@ loop invariant ring: indices(sc);
	    loop invariant head: head.time == head_of(sc)->time && head.amount == head_of(sc)->amount;
	    loop invariant start: head.time == later(\at(head_of(sc)->time, Pre), now);
	    loop invariant total: total(sc) == \at(total(sc), Pre) && positive(sc);
	    loop assigns head, sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	    loop variant sc->refill_count; */
	while (sc->refill_count > 1 && refill_at(sc, 1)->time <= head.time + head.amount) {
		refill_pop(sc);
		/*@ ghost refill_sums(sc); */
		head.amount += refill_head(sc)->amount;
		refill_set(sc, 0, head.time, head.amount);
	}
	/*@ assert apart: sc->refill_count <= 1 || at(sc, 1)->time > (uint64_t)(head.time + head.amount); */
	return true;
}
