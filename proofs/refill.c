/*
 * Refills (kernel/sched/refill.c, refill_* of sched_context.h): whatever is done to a ring, it stays one, its indices stay inside it, its
 * refills stay in order and do not overlap, no invariant that the code asserts can fail, and each step moves exactly the amounts that it says.
 */
// proves: refill_head refill_capacity refill_sufficient refill_ready refill_at refill_tail refill_pop refill_set_only refill_give_back
// proves: refill_merge_small refill_new refill_use_slice refill_update refill_skip_periods refill_unblock_check
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
/*@ requires \false; assigns \nothing; ensures \false; */
void panic(const char *format, ...);

/* Where a scheduling context's refills are: memory of their own. */
/*@ axiomatic rings { logic struct refill *ring_of(struct sched_context *sc) reads \nothing; } */
/*@ assigns \result \from sc; ensures \result == ring_of(sc); */
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
/*@ predicate near(integer t) = t <= 0x1fffffffffffffff; */
/*@ predicate nearly(integer t) = t <= 0x3fffffffffffffff; */

/*@ requires ring(sc); assigns \result \from sc; ensures \result == head_of(sc); */
static inline struct refill *refill_head(const struct sched_context *sc);
/* Never below 0. */
/*@ requires ring(sc);
	assigns \nothing;
	ensures \result == (head_of(sc)->amount > usage ? head_of(sc)->amount - usage : 0); */
static inline ticks_t refill_capacity(const struct sched_context *sc, ticks_t usage);
/*@ requires ring(sc);
	assigns \nothing;
	ensures \result <==> (head_of(sc)->amount > usage ? head_of(sc)->amount - usage : 0) >= refill_min_budget; */
static inline bool refill_sufficient(const struct sched_context *sc, ticks_t usage);
/*@ requires ring(sc) && now + refill_min_budget <= 0xffffffffffffffff;
	assigns \nothing;
	ensures \result <==> sc->period == 0 || head_of(sc)->time <= now + refill_min_budget / 2; */
static inline bool refill_ready(const struct sched_context *sc, ticks_t now);

/*@ requires ring(sc) && i < sc->refill_max;
	assigns \result \from sc, i;
	ensures \result == at(sc, i); */
static struct refill *refill_at(struct sched_context *sc, unsigned i);
/*@ requires ring(sc); assigns \result \from sc; ensures \result == tail_of(sc); */
static struct refill *refill_tail(struct sched_context *sc);
/* The first leaves, the others stay where they are. */
/*@ requires ring(sc) && sc->refill_count > 1;
	assigns sc->refill_head, sc->refill_count;
	ensures ring: indices(sc);
	ensures first: \result.time == \old(head_of(sc)->time) && \result.amount == \old(head_of(sc)->amount);
	ensures count: sc->refill_count == \old(sc->refill_count) - 1;
	ensures head: head_of(sc) == \old(at(sc, 1)); */
static struct refill refill_pop(struct sched_context *sc);
/*@ requires room(sc, sc->refill_max);
	assigns sc->refill_head, sc->refill_count, *ring_of(sc);
	ensures only: sc->refill_head == 0 && sc->refill_count == 1 && head_of(sc)->time == time && head_of(sc)->amount == amount; */
static void refill_set_only(struct sched_context *sc, ticks_t time, ticks_t amount);
/* All of the amount, and nothing else, is added: to the tail where it meets it or the ring is full, else behind it. The tail then ends where
 * it ended before or the amount was due, whatever is later, and that amount after. */
/*@ requires ring(sc) && nearly(tail_of(sc)->time) && nearly(tail_of(sc)->amount) && nearly(time) && nearly(amount);
	assigns sc->refill_count, *tail_of(sc), *at(sc, sc->refill_count);
	ensures ring: indices(sc);
	ensures joined: sc->refill_count == \old(sc->refill_count) ==> tail_of(sc) == \old(tail_of(sc)) &&
		tail_of(sc)->amount == \old(tail_of(sc)->amount) + amount && tail_of(sc)->time >= \old(tail_of(sc)->time);
	ensures end: sc->refill_count == \old(sc->refill_count) ==>
		tail_of(sc)->time + tail_of(sc)->amount == later(\old(tail_of(sc)->time + tail_of(sc)->amount), time) + amount;
	ensures behind: sc->refill_count != \old(sc->refill_count) ==> sc->refill_count == \old(sc->refill_count) + 1 &&
		tail_of(sc) == \old(at(sc, sc->refill_count)) && tail_of(sc)->amount == amount && tail_of(sc)->time == time;
	ensures gap: sc->refill_count != \old(sc->refill_count) ==> \old(tail_of(sc)->time + tail_of(sc)->amount) < time; */
static void refill_give_back(struct sched_context *sc, ticks_t time, ticks_t amount);
/*@ requires ring(sc);
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures enough: head_of(sc)->amount >= refill_min_budget || sc->refill_count == 1;
	ensures big: \old(head_of(sc)->amount) >= refill_min_budget ==> sc->refill_head == \old(sc->refill_head) &&
		sc->refill_count == \old(sc->refill_count) && head_of(sc)->time == \old(head_of(sc)->time) &&
		head_of(sc)->amount == \old(head_of(sc)->amount); */
static void refill_merge_small(struct sched_context *sc);

/*@ predicate sound(integer max, integer budget, integer period) = 2 <= max <= 1024 && budget >= refill_min_budget &&
	(period == 0 || period > budget); */
/*@ requires room(sc, max) && sound(max, budget, period);
	assigns sc->refill_max, sc->budget, sc->period, sc->refill_head, sc->refill_count, *ring_of(sc);
	ensures ring: sc->refill_head == 0 && sc->refill_count == 1;
	ensures all: head_of(sc)->time == now && head_of(sc)->amount == budget;
	ensures kept: sc->refill_max == max && sc->budget == budget && sc->period == period; */
void refill_new(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);
/* Round robin: a slice that is left is as much as was and was not used, else a new one begins. */
/*@ requires ring(sc) && sc->refill_head == 0 && refill_min_budget > 0;
	assigns ring_of(sc)->amount;
	ensures ring_of(sc)->amount == (\old(ring_of(sc)->amount) >= usage + refill_min_budget ?
		\old(ring_of(sc)->amount) - usage : sc->budget); */
static void refill_use_slice(struct sched_context *sc, ticks_t usage);
/* What was left is kept, but never more than the new budget; the rest comes back a period later. */
/*@ requires ring(sc) && room(sc, max) && sound(max, budget, period);
	requires near(now) && near(head_of(sc)->time) && near(budget) && near(period);
	assigns sc->refill_max, sc->budget, sc->period, sc->refill_head, sc->refill_count, ring_of(sc)[0 .. max - 1];
	ensures ring: indices(sc);
	ensures max: sc->refill_max == max;
	ensures all: \old(head_of(sc)->amount) >= budget ==> sc->refill_count == 1 && head_of(sc)->amount == budget &&
		head_of(sc)->time == later(\old(head_of(sc)->time), now);
	ensures slice: \old(head_of(sc)->amount) < budget && period == 0 ==> sc->refill_count == 1 && sc->refill_head == 0 &&
		ring_of(sc)->time == later(\old(head_of(sc)->time), now) && ring_of(sc)->amount ==
		(\old(head_of(sc)->amount) >= refill_min_budget ? \old(head_of(sc)->amount) : budget);
	ensures enough: head_of(sc)->amount >= refill_min_budget || sc->refill_count == 1; */
void refill_update(struct sched_context *sc, uint16_t max, ticks_t budget, ticks_t period, ticks_t now);

/* GCC's __builtin_mul_overflow. */
/*@ requires \valid(product);
	assigns \result, *product \from a, b;
	ensures \result == 0 ==> *product == a * b;
	ensures \result == 0 <==> a * b <= 0xffffffffffffffff; */
bool mul_overflow(uint64_t a, uint64_t b, uint64_t *product);
#define __builtin_mul_overflow mul_overflow
/* The amounts stay, and where they are; less of the usage than a budget is left to be charged. */
/*@ requires ring(sc) && sc->budget > 0;
	assigns ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures amounts: \forall integer k; 0 <= k < sc->refill_max ==> ring_of(sc)[k].amount == \old(ring_of(sc)[k].amount);
	ensures rest: \result == usage % sc->budget && \result < sc->budget; */
static ticks_t refill_skip_periods(struct sched_context *sc, ticks_t usage);

/* The head counts from now; what it meets becomes part of it. */
/*@ requires ring(sc) && now + refill_min_budget <= 0xffffffffffffffff;
	assigns sc->refill_head, sc->refill_count, ring_of(sc)[0 .. sc->refill_max - 1];
	ensures ring: indices(sc);
	ensures ready: \result <==> sc->period != 0 && \old(head_of(sc)->time) <= now + refill_min_budget / 2;
	ensures start: \result ==> head_of(sc)->time == later(\old(head_of(sc)->time), now);
	ensures apart: \result ==> sc->refill_count == 1 || at(sc, 1)->time > (uint64_t)(head_of(sc)->time + head_of(sc)->amount);
	ensures unchanged: !\result ==> sc->refill_head == \old(sc->refill_head) && sc->refill_count == \old(sc->refill_count) &&
		head_of(sc)->time == \old(head_of(sc)->time) && head_of(sc)->amount == \old(head_of(sc)->amount); */
bool refill_unblock_check(struct sched_context *sc, ticks_t now);

#include "sched/refill.c"
