/*
 * Refills (kernel/sched/refill.c, refill_* of sched_context.h): whatever is done to a ring, it stays one, its indices stay inside it, no
 * invariant that the code asserts can fail, each step moves exactly the amounts that it says, and those of a whole ring add up to its budget
 * before and after every charge.
 */
// proves: refill_head refill_capacity refill_sufficient refill_ready refill_at refill_tail refill_pop refill_set_only refill_give_back
// proves: refill_merge_small refill_new refill_use_slice refill_update refill_skip refill_skip_periods refill_charge_head refill_split_head refill_budget_check refill_unblock_check
// proves: refill_sums refill_set
// What these functions do not call, and Frama-C warns of: assembler and what else is in headers.
// wp: -kernel-warn-key
// wp: asm:clobber=inactive
// wp: -kernel-warn-key
// wp: annot:missing-spec=inactive
// wp: -kernel-warn-key
// wp: typing:implicit-function-declaration=inactive
// wp: -wp-warn-key
// wp: pedantic-assigns=inactive
// What WP takes for granted of pointers is stated in the contracts.
// wp: -wp-no-warn-memory-model
#include "proofs/bits.h"
#include "panic.h"
#include "sched/sched_context.h"

/* Never called: what INVARIANT asserts holds. */
/*@ requires \false; assigns \nothing; ensures \false; exits \false; */
void panic(const char *format, ...);

/* Where a scheduling context's refills are: memory of their own. */
/*@ axiomatic rings { logic struct refill *ring_of(struct sched_context *sc) reads \nothing; } */
/*@ assigns \result \from sc; ensures \result == ring_of(sc); exits \false; */
static inline struct refill *refill_ring(const struct sched_context *sc);

/*@ predicate fields(struct sched_context *sc) = \valid(&sc->period) && \valid(&sc->budget) && \valid(&sc->refill_max) &&
	\valid(&sc->refill_head) && \valid(&sc->refill_count); */
/*@ predicate room(struct sched_context *sc, integer max) = fields(sc) && 2 <= max <= 1024 && \valid(ring_of(sc) + (0 .. max - 1)) &&
	\separated(&sc->period, &sc->budget, ring_of(sc) + (0 .. max - 1), &refill_min_budget); */
/*@ predicate indices(struct sched_context *sc) = sc->refill_head < sc->refill_max && 1 <= sc->refill_count <= sc->refill_max; */
/*@ predicate ring(struct sched_context *sc) = room(sc, sc->refill_max) && indices(sc); */
/* Refill i from the head on. */
/*@ logic struct refill *cell(struct refill *r, integer head, integer max, integer i) = r + (head + i >= max ? head + i - max : head + i); */
/*@ logic struct refill *at(struct sched_context *sc, integer i) = cell(ring_of(sc), sc->refill_head, sc->refill_max, i); */
/*@ logic struct refill *head_of(struct sched_context *sc) = ring_of(sc) + sc->refill_head; */
/*@ logic struct refill *tail_of(struct sched_context *sc) = at(sc, sc->refill_count - 1); */
/*@ logic integer later(integer a, integer b) = a > b ? a : b; */
/* Times that are added up without coming near 2^64. */
/* What the first n hold together, and all. */
/*@ logic integer amounts(struct refill *r, integer head, integer max, integer n) =
	n <= 0 ? 0 : amounts(r, head, max, n - 1) + cell(r, head, max, n - 1)->amount; */
/*@ logic integer upto(struct sched_context *sc, integer n) = amounts(ring_of(sc), sc->refill_head, sc->refill_max, n); */
/*@ logic integer total(struct sched_context *sc) = upto(sc, sc->refill_count); */
/*@ predicate positive(struct sched_context *sc) = \forall integer k; 0 <= k < sc->refill_count ==> at(sc, k)->amount > 0; */
/*@ predicate near(integer t) = t <= 0x1fffffffffffffff; */
/*@ predicate nearly(integer t) = t <= 0x3fffffffffffffff; */
/*@ predicate skipped(integer t) = t <= 0x1fffffffffffffff + 0x3fffffffffffffff; */
/*@ predicate far(integer t) = t <= 0xbfffffffffffffff; */

/* By induction: none holds less than nothing, and what all but the first hold. */
/*@ ghost
	/@ requires ring(sc);
		assigns \nothing;
		ensures growing: \forall integer m, n; 0 <= m <= n <= sc->refill_max ==> 0 <= upto(sc, m) <= upto(sc, n);
		exits \false;
		ensures rest: \forall integer n; 0 <= n < sc->refill_max ==> upto(sc, n + 1) == head_of(sc)->amount +
			amounts(ring_of(sc), sc->refill_head + 1 == sc->refill_max ? 0 : sc->refill_head + 1, sc->refill_max, n); @/
	void refill_sums(struct sched_context *sc)
	{
		/@ loop invariant upto: 0 <= i <= sc->refill_max;
			loop invariant growing: \forall integer m, n; 0 <= m <= n <= i ==> 0 <= upto(sc, m) <= upto(sc, n);
			loop invariant rest: \forall integer n; 0 <= n < i ==> upto(sc, n + 1) == head_of(sc)->amount +
				amounts(ring_of(sc), sc->refill_head + 1 == sc->refill_max ? 0 : sc->refill_head + 1, sc->refill_max, n);
			loop assigns i;
			loop variant sc->refill_max - i; @/
		for (unsigned i = 0; i < sc->refill_max; i++);
	}
*/

/*@ requires ring(sc);
	assigns \result \from sc;
	ensures head: \result == head_of(sc) && \valid(\result);
	ensures first: head_of(sc) == at(sc, 0) && upto(sc, 1) == head_of(sc)->amount;
	exits \false; */
static inline struct refill *refill_head(const struct sched_context *sc);
/* Never below 0. */
/*@ requires ring(sc);
	assigns \nothing;
	ensures \result == (head_of(sc)->amount > usage ? head_of(sc)->amount - usage : 0); exits \false; */
static inline ticks_t refill_capacity(const struct sched_context *sc, ticks_t usage);
/*@ requires ring(sc);
	assigns \nothing;
	ensures \result <==> (head_of(sc)->amount > usage ? head_of(sc)->amount - usage : 0) >= refill_min_budget; exits \false; */
static inline bool refill_sufficient(const struct sched_context *sc, ticks_t usage);
/*@ requires ring(sc) && now + refill_min_budget <= 0xffffffffffffffff;
	assigns \nothing;
	ensures \result <==> sc->period == 0 || head_of(sc)->time <= now + refill_min_budget / 2; exits \false; */
static inline bool refill_ready(const struct sched_context *sc, ticks_t now);

/*@ requires ring(sc) && i < sc->refill_max;
	assigns \result \from sc, i;
	ensures \result == at(sc, i) && \valid(\result); exits \false; */
static struct refill *refill_at(struct sched_context *sc, unsigned i);
/*@ requires ring(sc); assigns \result \from sc; ensures \result == tail_of(sc) && \valid(\result); exits \false; */
static struct refill *refill_tail(struct sched_context *sc);
/* This one only; the sums follow. */
/*@ requires ring(sc) && i < sc->refill_max;
	assigns ring_of(sc)[0 .. sc->refill_max - 1];
	ensures set: at(sc, i)->time == time && at(sc, i)->amount == amount;
	ensures others: \forall integer k; 0 <= k < sc->refill_max && k != i ==>
		at(sc, k)->time == \old(at(sc, k)->time) && at(sc, k)->amount == \old(at(sc, k)->amount);
	ensures before: \forall integer n; 0 <= n <= i ==> upto(sc, n) == \old(upto(sc, n));
	ensures this: upto(sc, i + 1) == \old(upto(sc, i)) + amount;
	ensures after: \forall integer n; i < n <= sc->refill_max ==> upto(sc, n) == \old(upto(sc, n)) + amount - \old(at(sc, i)->amount);
	exits \false; */
static void refill_set(struct sched_context *sc, unsigned i, ticks_t time, ticks_t amount);
/* The first leaves, the others stay where they are. */
/*@ requires ring(sc) && sc->refill_count > 1;
	assigns sc->refill_head, sc->refill_count;
	ensures ring: indices(sc);
	ensures first: \result.time == \old(head_of(sc)->time) && \result.amount == \old(head_of(sc)->amount);
	ensures count: sc->refill_count == \old(sc->refill_count) - 1;
	ensures head: head_of(sc) == \old(at(sc, 1));
	ensures others: \forall integer k; 0 <= k < sc->refill_max - 1 ==> at(sc, k) == \old(at(sc, k + 1));
	ensures tail: tail_of(sc) == \old(tail_of(sc));
	ensures positive: \old(positive(sc)) ==> \result.amount > 0;
	ensures sums: \forall integer n; 0 <= n < sc->refill_max ==> upto(sc, n) == \old(upto(sc, n + 1)) - \result.amount; exits \false; */
static struct refill refill_pop(struct sched_context *sc);
/*@ requires room(sc, sc->refill_max);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures only: sc->refill_head == 0 && sc->refill_count == 1 && head_of(sc)->time == time && head_of(sc)->amount == amount;
	ensures total: total(sc) == amount && (amount > 0 ==> positive(sc)); exits \false; */
static void refill_set_only(struct sched_context *sc, ticks_t time, ticks_t amount);
/* All of the amount, and nothing else, is added: to the tail where it meets it or the ring is full, else behind it. The tail then ends where
 * it ended before or the amount was due, whatever is later, and that amount after. */
/*@ requires ring(sc) && far(tail_of(sc)->time) && far(time) && nearly(total(sc) + amount);
	assigns sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures total: total(sc) == \old(total(sc)) + amount;
	ensures positive: \old(positive(sc)) && amount > 0 ==> positive(sc);
	ensures others: \forall integer k; 0 <= k < sc->refill_count - 1 ==>
		at(sc, k)->time == \old(at(sc, k)->time) && at(sc, k)->amount == \old(at(sc, k)->amount);
	ensures sums: \forall integer n; 0 <= n < sc->refill_count ==> upto(sc, n) == \old(upto(sc, n));
	ensures joined: sc->refill_count == \old(sc->refill_count) ==> tail_of(sc) == \old(tail_of(sc)) &&
		tail_of(sc)->amount == \old(tail_of(sc)->amount) + amount;
	ensures time: sc->refill_count == \old(sc->refill_count) ==>
		\old(tail_of(sc)->time) <= tail_of(sc)->time <= later(\old(tail_of(sc)->time), time);
	ensures end: sc->refill_count == \old(sc->refill_count) ==>
		tail_of(sc)->time + tail_of(sc)->amount == later(\old(tail_of(sc)->time + tail_of(sc)->amount), time) + amount;
	ensures behind: sc->refill_count != \old(sc->refill_count) ==> sc->refill_count == \old(sc->refill_count) + 1 &&
		tail_of(sc) == \old(at(sc, sc->refill_count)) && tail_of(sc)->amount == amount && tail_of(sc)->time == time;
	ensures gap: sc->refill_count != \old(sc->refill_count) ==> \old(tail_of(sc)->time + tail_of(sc)->amount) < time; exits \false; */
static void refill_give_back(struct sched_context *sc, ticks_t time, ticks_t amount);
/* The first leaves and comes back a period later; what was behind it is in front of the others, and holds no less than before. */
/*@ requires ring(sc) && sc->refill_count > 1 && nearly(total(sc)) && positive(sc);
	requires far(head_of(sc)->time + sc->period) && far(tail_of(sc)->time);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures total: total(sc) == \old(total(sc));
	ensures positive: positive(sc);
	ensures used: \result == \old(head_of(sc)->amount) && \result > 0;
	ensures count: \old(sc->refill_count) - 1 <= sc->refill_count <= \old(sc->refill_count);
	ensures left: \forall integer n; 0 <= n < \old(sc->refill_count) ==> upto(sc, n) >= \old(upto(sc, n + 1)) - \result;
	ensures fresh: \forall integer k; 0 <= k < sc->refill_count - 1 ==> at(sc, k)->time == \old(at(sc, k + 1)->time);
	ensures period: tail_of(sc)->time + tail_of(sc)->amount >= \old(head_of(sc)->time) + sc->period + \result;
	ensures behind: tail_of(sc)->time <= later(\old(tail_of(sc)->time), \old(head_of(sc)->time) + sc->period);
	exits \false; */
static ticks_t refill_charge_head(struct sched_context *sc);
/* The head shrinks from its beginning; what it loses comes back a period after it began. */
/*@ requires ring(sc) && 0 < usage < head_of(sc)->amount && nearly(total(sc)) && positive(sc);
	requires far(head_of(sc)->time + sc->period) && far(tail_of(sc)->time + usage) && far(head_of(sc)->time + usage);
	assigns sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures total: total(sc) == \old(total(sc));
	ensures positive: positive(sc);
	ensures used: \result == usage;
	ensures head: sc->refill_count > 1 ==>
		at(sc, 0)->time == \old(head_of(sc)->time) + usage && at(sc, 0)->amount == \old(head_of(sc)->amount) - usage;
	ensures period: tail_of(sc)->time + tail_of(sc)->amount >= \old(head_of(sc)->time) + sc->period + usage;
	exits \false; */
static ticks_t refill_split_head(struct sched_context *sc, ticks_t usage);
/*@ requires ring(sc) && nearly(total(sc)) && positive(sc);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures total: total(sc) == \old(total(sc)) && positive(sc);
	ensures enough: head_of(sc)->amount >= refill_min_budget || (sc->refill_count == 1 && head_of(sc)->amount == total(sc));
	ensures big: \old(head_of(sc)->amount) >= refill_min_budget ==> sc->refill_head == \old(sc->refill_head) &&
		sc->refill_count == \old(sc->refill_count) && head_of(sc)->time == \old(head_of(sc)->time) &&
		head_of(sc)->amount == \old(head_of(sc)->amount); exits \false; */
static void refill_merge_small(struct sched_context *sc);

/*@ predicate sound(integer max, integer budget, integer period) = 2 <= max <= 1024 && budget >= refill_min_budget &&
	(period == 0 || period > budget); */
/*@ requires room(sc, max) && sound(max, budget, period);
	assigns sc->refill_max, sc->budget, sc->period, sc->refill_head, sc->refill_count, ring_of(sc)[0 .. max - 1];
	ensures ring: sc->refill_head == 0 && sc->refill_count == 1;
	ensures all: head_of(sc)->time == now && head_of(sc)->amount == budget;
	ensures total: total(sc) == budget && (budget > 0 ==> positive(sc));
	ensures kept: sc->refill_max == max && sc->budget == budget && sc->period == period; exits \false; */
void refill_new(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);
/* Round robin: a slice that is left is as much as was and was not used, else a new one begins. */
/*@ requires ring(sc) && refill_min_budget > 0;
	assigns ring_of(sc)[0 .. sc->refill_max - 1];
	ensures head_of(sc)->amount == (\old(head_of(sc)->amount) >= usage + refill_min_budget ?
		\old(head_of(sc)->amount) - usage : sc->budget); exits \false; */
static inline void refill_use_slice(struct sched_context *sc, ticks_t usage);
/* What was left is kept, but never more than the new budget; the rest comes back a period later. */
/*@ requires ring(sc) && room(sc, max) && sound(max, budget, period);
	requires near(now) && near(head_of(sc)->time) && near(budget) && near(period) && head_of(sc)->amount > 0 && refill_min_budget > 0;
	assigns sc->refill_max, sc->budget, sc->period, sc->refill_head, sc->refill_count, ring_of(sc)[0 .. max - 1];
	ensures ring: indices(sc);
	ensures max: sc->refill_max == max;
	ensures all: \old(head_of(sc)->amount) >= budget ==> sc->refill_count == 1 && head_of(sc)->amount == budget &&
		head_of(sc)->time == later(\old(head_of(sc)->time), now);
	ensures total: period != 0 ==> total(sc) == budget;
	ensures positive: period != 0 ==> positive(sc);
	ensures slice: \old(head_of(sc)->amount) < budget && period == 0 ==> sc->refill_count == 1 && sc->refill_head == 0 &&
		ring_of(sc)->time == later(\old(head_of(sc)->time), now) && ring_of(sc)->amount ==
		(\old(head_of(sc)->amount) >= refill_min_budget ? \old(head_of(sc)->amount) : budget);
	ensures enough: head_of(sc)->amount >= refill_min_budget; exits \false; */
void refill_update(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);

/* GCC's __builtin_mul_overflow. */
/*@ requires \valid(product);
	assigns \result, *product \from a, b;
	ensures \result == 0 ==> *product == a * b;
	ensures \result == 0 <==> a * b <= 0xffffffffffffffff; exits \false; */
bool mul_overflow(uint64_t a, uint64_t b, uint64_t *product);
#define __builtin_mul_overflow mul_overflow
/*@ logic integer skip(integer periods, integer period) = periods * period <= 0x3fffffffffffffff ? periods * period : 0x3fffffffffffffff; */
/*@ assigns \nothing; ensures \result == skip(periods, period) && \result <= 0x3fffffffffffffff; exits \false; */
static ticks_t refill_skip(ticks_t periods, ticks_t period);
/* All move by the same time; the amounts stay. Less of the usage than a budget is left to be charged. */
/*@ requires ring(sc) && sc->budget > 0;
	assigns ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures times: \forall integer k; 0 <= k < sc->refill_count ==>
		at(sc, k)->time == (ticks_t)(\old(at(sc, k)->time) + skip(usage / sc->budget, sc->period));
	ensures near: \forall integer k; 0 <= k < sc->refill_count && near(\old(at(sc, k)->time)) ==> skipped(at(sc, k)->time);
	ensures positive: \old(positive(sc)) ==> positive(sc);
	ensures amounts: \forall integer k; 0 <= k < sc->refill_max ==> at(sc, k)->amount == \old(at(sc, k)->amount);
	ensures total: total(sc) == \old(total(sc));
	ensures rest: \result == usage % sc->budget && \result < sc->budget; exits \false; */
static ticks_t refill_skip_periods(struct sched_context *sc, ticks_t usage);

/* What is charged is taken from the front and comes back at the end: the amounts add up to the budget as before, and the head is not too small. */
/*@ requires ring(sc) && sound(sc->refill_max, sc->budget, sc->period) && refill_min_budget > 0;
	requires whole: sc->period != 0 ==> total(sc) == sc->budget && positive(sc);
	requires near(sc->budget) && near(sc->period) && \forall integer k; 0 <= k < sc->refill_count ==> near(at(sc, k)->time);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures total: sc->period != 0 ==> total(sc) == sc->budget && positive(sc);
	ensures enough: sc->period != 0 ==> head_of(sc)->amount >= refill_min_budget;
	ensures slice: sc->period == 0 ==> sc->refill_head == \old(sc->refill_head) && sc->refill_count == \old(sc->refill_count) &&
		head_of(sc)->amount == (\old(head_of(sc)->amount) >= usage + refill_min_budget ?
		\old(head_of(sc)->amount) - usage : sc->budget); exits \false; */
void refill_budget_check(struct sched_context *sc, ticks_t usage);

/* The head counts from now; what it meets becomes part of it. */
/*@ requires ring(sc) && now + refill_min_budget <= 0xffffffffffffffff;
	requires nearly(total(sc)) && positive(sc);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures ready: \result <==> sc->period != 0 && \old(head_of(sc)->time) <= now + refill_min_budget / 2;
	ensures total: total(sc) == \old(total(sc)) && positive(sc);
	ensures start: \result ==> head_of(sc)->time == later(\old(head_of(sc)->time), now);
	ensures apart: \result ==> sc->refill_count == 1 || at(sc, 1)->time > (uint64_t)(head_of(sc)->time + head_of(sc)->amount);
	ensures unchanged: !\result ==> sc->refill_head == \old(sc->refill_head) && sc->refill_count == \old(sc->refill_count) &&
		head_of(sc)->time == \old(head_of(sc)->time) && head_of(sc)->amount == \old(head_of(sc)->amount); exits \false; */
bool refill_unblock_check(struct sched_context *sc, ticks_t now);

#include "sched/refill.c"
