/*
 * Ready queues (kernel/sched/ready.c, ready_highest of sched.h): the bitmap, the highest priority and the queues agree after every step,
 * so what is taken next is of the highest priority that is ready.
 */
// proves: ready_bit_set ready_bit_clear ready_mark ready_top_bit ready_find_top ready_unmark ready_highest ready_is_highest ready_enqueue ready_append ready_unlink
// What these functions do not call, and Frama-C warns of: assembler and what else is in headers.
// wp: -kernel-warn-key
// wp: asm:clobber=inactive
// wp: -kernel-warn-key
// wp: annot:missing-spec=inactive
// wp: -kernel-warn-key
// wp: typing:implicit-function-declaration=inactive
// wp: -wp-warn-key
// wp: pedantic-assigns=inactive
#include "proofs/bits.h"
#include "sched/sched.h"
#include "sched/remote.h"

/* Bit i of a word, for sets of bits whose places are not known. */
/*@ axiomatic bit {
	predicate bit(integer w, integer i);
	axiom bit_zero: \forall integer i; 0 <= i <= 63 ==> !bit(0, i);
	axiom bit_set: \forall integer w, i, j; word(w) && 0 <= i <= 63 && 0 <= j <= 63 ==>
		(bit((w | (uint64_t)(1 << i)), j) <==> (bit(w, j) || i == j));
	axiom bit_set_swapped: \forall integer i, w, j; word(w) && 0 <= i <= 63 && 0 <= j <= 63 ==>
		(bit(((uint64_t)(1 << i) | w), j) <==> (bit(w, j) || i == j));
	axiom bit_set_some: \forall integer w, i; word(w) && 0 <= i <= 63 ==> 1 <= (w | (uint64_t)(1 << i)) <= 0xffffffffffffffff;
	axiom bit_set_some_swapped: \forall integer i, w; word(w) && 0 <= i <= 63 ==> 1 <= ((uint64_t)(1 << i) | w) <= 0xffffffffffffffff;
	axiom bit_clear: \forall integer w, i, j; word(w) && 0 <= i <= 63 && 0 <= j <= 63 ==>
		(bit((w & (uint64_t)(~(uint64_t)(1 << i))), j) <==> (bit(w, j) && i != j));
	axiom bit_clear_swapped: \forall integer i, w, j; word(w) && 0 <= i <= 63 && 0 <= j <= 63 ==>
		(bit(((uint64_t)(~(uint64_t)(1 << i)) & w), j) <==> (bit(w, j) && i != j));
} */

/*@ requires i <= 63;
	assigns \nothing;
	ensures \result != 0 && \forall integer j; 0 <= j <= 63 ==> (bit(\result, j) <==> (bit(v, j) || i == j)); */
static uint64_t ready_bit_set(uint64_t v, unsigned i);
/*@ requires i <= 63;
	assigns \nothing;
	ensures \forall integer j; 0 <= j <= 63 ==> (bit(\result, j) <==> (bit(v, j) && i != j));
	ensures v == 0 ==> \result == 0; */
static uint64_t ready_bit_clear(uint64_t v, unsigned i);

/* GCC's __builtin_clzll: the leading zeros of what is not 0. */
/*@ requires x != 0;
	assigns \nothing;
	ensures 0 <= \result <= 63 && bit(x, 63 - \result);
	ensures \forall integer i; 63 - \result < i <= 63 ==> !bit(x, i); */
int leading_zeros(unsigned long long x);
#define __builtin_clzll leading_zeros

/*@ predicate marked(struct percpu *p, integer prio) = bit(p->ready_l2[prio / 64], prio % 64); */
/* The summary says which words are not 0. */
/*@ predicate summed(struct percpu *p) = (\forall integer i; 0 <= i <= 3 ==> (bit(p->ready_l1, i) <==> p->ready_l2[i] != 0)) &&
	(\forall integer i; 4 <= i <= 63 ==> !bit(p->ready_l1, i)); */
/*@ predicate topped(struct percpu *p) = -1 <= p->ready_top <= 255 && (p->ready_top >= 0 ==> marked(p, p->ready_top)) &&
	(\forall integer i; p->ready_top < i <= 255 && 0 <= i ==> !marked(p, i)); */
/*@ predicate agree(struct percpu *p) = summed(p) && topped(p); */

/*@ requires \valid(p) && prio <= 255 && agree(p);
	assigns p->ready_l1, p->ready_l2[prio / 64], p->ready_top;
	ensures agree: agree(p);
	ensures this: marked(p, prio);
	ensures others: \forall integer i; 0 <= i <= 255 && i != prio ==> (marked(p, i) <==> \at(marked(p, i), Pre)); */
static void ready_mark(struct percpu *p, unsigned prio);
/*@ requires v != 0;
	assigns \nothing;
	ensures 0 <= \result <= 63 && bit(v, \result) && (\forall integer i; \result < i <= 63 ==> !bit(v, i)); */
static int32_t ready_top_bit(uint64_t v);
/*@ requires \valid_read(p) && summed(p);
	assigns \nothing;
	ensures -1 <= \result <= 255 && (\result >= 0 ==> marked(p, \result));
	ensures \forall integer i; \result < i <= 255 && 0 <= i ==> !marked(p, i); */
static int32_t ready_find_top(const struct percpu *p);
/*@ requires \valid(p) && prio <= 255 && agree(p);
	assigns p->ready_l1, p->ready_l2[prio / 64], p->ready_top;
	ensures summed: summed(p);
	ensures topped: topped(p);
	ensures this: !marked(p, prio);
	ensures others: \forall integer i; 0 <= i <= 255 && i != prio ==> (marked(p, i) <==> \at(marked(p, i), Pre)); */
static void ready_unmark(struct percpu *p, unsigned prio);

/* Marked are the queues that have a first thread; those have a last one too. */
/*@ predicate heads(struct percpu *p) = \forall integer i; 0 <= i <= 255 ==>
	(p->ready[i].head != \null <==> marked(p, i)) && (p->ready[i].head == \null <==> p->ready[i].tail == \null); */
/*@ predicate queues(struct percpu *p) = agree(p) && heads(p); */
/*@ requires \valid_read(p) && queues(p);
	assigns \result \from p->ready[0 .. 255], p->ready_top;
	ensures none: \result == \null ==> \forall integer i; 0 <= i <= 255 ==> p->ready[i].head == \null;
	ensures highest: \result != \null ==> 0 <= p->ready_top <= 255 && \result == p->ready[p->ready_top].head &&
		\forall integer i; p->ready_top < i <= 255 ==> p->ready[i].head == \null; */
static inline struct tcb *ready_highest(struct percpu *p);
/*@ requires \valid_read(p) && queues(p);
	assigns \nothing;
	ensures \result <==> \forall integer i; priority < i <= 255 ==> p->ready[i].head == \null; */
static inline bool ready_is_highest(const struct percpu *p, uint8_t priority);

/*@ axiomatic cpus { logic struct percpu *percpu_of(integer cpu) reads \nothing; } */
/*@ assigns \result \from index; ensures \result == percpu_of(index); */
static inline struct percpu *remote_percpu(uint32_t index);

/* The queue of t, and t's neighbours: threads of their own. */
/*@ logic struct ready_queue *queue_of(struct tcb *t) = &percpu_of(t->cpu)->ready[t->priority]; */
/*@ predicate other(struct tcb *a, struct tcb *t) = a == \null || (\valid(a) && \separated(a, t) && \separated(a, percpu_of(t->cpu))); */
/*@ predicate ready_for(struct tcb *t) = \valid(t) && \valid(percpu_of(t->cpu)) && \separated(t, percpu_of(t->cpu)) &&
	queues(percpu_of(t->cpu)); */
/*@ requires ready_for(t) && (t->queued == 0 ==> other(queue_of(t)->head, t));
	assigns t->queue_prev, t->queue_next, t->queued, *queue_of(t), queue_of(t)->head->queue_prev, percpu_of(t->cpu)->ready_l1,
		percpu_of(t->cpu)->ready_l2[t->priority / 64], percpu_of(t->cpu)->ready_top;
	ensures queues: queues(percpu_of(t->cpu));
	ensures first: \old(t->queued) == 0 ==> t->queued != 0 && t->queue_prev == \null && queue_of(t)->head == t &&
		t->queue_next == \old(queue_of(t)->head);
	ensures linked: \old(t->queued) == 0 && t->queue_next != \null ==> t->queue_next->queue_prev == t; */
void ready_enqueue(struct tcb *t);
/*@ requires ready_for(t) && (t->queued == 0 ==> other(queue_of(t)->tail, t));
	assigns t->queue_prev, t->queue_next, t->queued, *queue_of(t), queue_of(t)->tail->queue_next, percpu_of(t->cpu)->ready_l1,
		percpu_of(t->cpu)->ready_l2[t->priority / 64], percpu_of(t->cpu)->ready_top;
	ensures queues: queues(percpu_of(t->cpu));
	ensures last: \old(t->queued) == 0 ==> t->queued != 0 && t->queue_next == \null && queue_of(t)->tail == t &&
		t->queue_prev == \old(queue_of(t)->tail);
	ensures linked: \old(t->queued) == 0 && t->queue_prev != \null ==> t->queue_prev->queue_next == t; */
void ready_append(struct tcb *t);
/*@ requires ready_for(t) && other(t->queue_prev, t) && other(t->queue_next, t);
	requires t->queue_prev != \null && t->queue_next != \null ==> \separated(t->queue_prev, t->queue_next);
	requires queue_of(t)->head != \null && (t->queue_prev == \null <==> queue_of(t)->head == t) &&
		(t->queue_next == \null <==> queue_of(t)->tail == t);
	assigns t->queue_prev, t->queue_next, t->queued, *queue_of(t), t->queue_prev->queue_next, t->queue_next->queue_prev,
		percpu_of(t->cpu)->ready_l1, percpu_of(t->cpu)->ready_l2[t->priority / 64], percpu_of(t->cpu)->ready_top;
	ensures agree: agree(percpu_of(t->cpu));
	ensures queues: heads(percpu_of(t->cpu));
	ensures out: t->queued == 0 && t->queue_prev == \null && t->queue_next == \null;
	ensures gone: queue_of(t)->head != t && queue_of(t)->tail != t;
	ensures closed: (\old(t->queue_prev) != \null ==> \old(t->queue_prev)->queue_next == \old(t->queue_next)) &&
		(\old(t->queue_next) != \null ==> \old(t->queue_next)->queue_prev == \old(t->queue_prev)); */
void ready_unlink(struct tcb *t);

#include "sched/ready.c"
