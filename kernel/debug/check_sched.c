/* Scheduling contexts, timers, and what each CPU knows: queues, bitmap, current thread. Part of check.h's
 * walk. */
#include "arch/x86/mm/window.h"
#include "debug/check_private.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "object/timer.h"
#include "sched/sched.h"

#define SCHED_QUEUE_MAX 100000u

/* ---- scheduling contexts ---- */

static const struct refill *check_refill(const struct sched_context *sc, unsigned i)
{
	unsigned n = sc->refill_head + i;

	return &sc->refills[n >= sc->refill_max ? n - sc->refill_max : n];
}

/* A ring ordered by time, without overlap, whose amounts are the budget (refill.c). */
static void check_refills(const struct sched_context *sc)
{
	ticks_t sum = 0;

	for (unsigned i = 0; i < sc->refill_count; i++) {
		const struct refill *r = check_refill(sc, i), *before = i ? check_refill(sc, i - 1) : NULL;

		sum += r->amount;
		CHECK(!before || before->time + before->amount <= r->time, "refills overlap", check_at(sc), i,
		      r->time);
		CHECK(r->amount != 0, "an empty refill", check_at(sc), i, 0);
	}
	if (sc->period != 0)
		CHECK(sum == sc->budget, "refills do not add up to the budget", check_at(sc), sum,
		      sc->budget);
	else
		CHECK(sc->refill_count == 1 && sum <= sc->budget,
		      "a round robin slice is longer than its budget", check_at(sc), sum, sc->budget);
	CHECK(check_refill(sc, 0)->amount >= refill_min_budget, "a head refill below the minimum budget",
	      check_at(sc), check_refill(sc, 0)->amount, refill_min_budget);
}

void check_sched_context(cap_t cap)
{
	const struct sched_context *sc = cap_sched_context_of(cap);
	uint64_t room = (BIT(cap_sched_context_bits(cap)) - sizeof(*sc)) / sizeof(struct refill);

	CHECK(!sc->tcb || sc->tcb->sc == sc, "a scheduling context's thread has another", check_at(sc),
	      check_at(sc->tcb), 0);
	CHECK(!sc->notification || sc->notification->sc == sc,
	      "a scheduling context's notification has another", check_at(sc), check_at(sc->notification), 0);
	CHECK(!sc->reply || (reply_is_top(sc->reply) && reply_top_sc(sc->reply) == sc),
	      "a scheduling context's call stack is not its own", check_at(sc), check_at(sc->reply), 0);
	CHECK(!sc->yield_from || sc->yield_from->yield_to == sc,
	      "a context is yielded to by a thread that does not know", check_at(sc),
	      check_at(sc->yield_from), 0);
	CHECK(sc->cpu < check_cpu_count(), "a scheduling context on a CPU that is not there", check_at(sc),
	      sc->cpu, 0);
	if (!sc->refill_max || !check_ok())
		return;
	CHECK(sc->refill_max >= 2 && sc->refill_max <= room && sc->refill_max <= SCHED_CONTEXT_MAX_REFILLS,
	      "more refills than there is room for", check_at(sc), sc->refill_max, room);
	CHECK(sc->refill_count >= 1 && sc->refill_count <= sc->refill_max && sc->refill_head < sc->refill_max,
	      "a ring of refills is no ring", check_at(sc), sc->refill_head, sc->refill_count);
	if (check_ok())
		check_refills(sc);
}

/* ---- timers ---- */

void check_timer(cap_t cap)
{
	const struct timer *t = cap_timer_of(cap);

	check_count.armed += t->armed;
	CHECK(t->armed <= 1 && rbtree_linked(&t->node) == (t->armed != 0),
	      "an armed timer is in no tree, or the reverse", check_at(t), t->armed, rbtree_linked(&t->node));
	CHECK(cap_is_null(t->notification.cap) || cap_type(t->notification.cap) == CAP_NOTIFICATION,
	      "a timer would signal something else", check_at(t), t->notification.cap.w[1], 0);
}

/* ---- CPUs ---- */

static void check_ready_queue(const struct percpu *p, unsigned priority)
{
	const struct ready_queue *q = &p->ready[priority];
	const struct tcb *prev = NULL, *t;
	bool marked = p->ready_l2[priority / 64] & BIT(priority % 64);
	uint64_t n = 0;

	CHECK(marked == (q->head != NULL) && !q->head == !q->tail,
	      "the ready bitmap does not agree with a queue", p->cpu, priority, marked);
	for (t = q->head; t && check_ok(); prev = t, t = t->queue_next) {
		CHECK(t->queue_prev == prev, "a ready queue's links do not agree", check_at(t),
		      check_at(t->queue_prev), check_at(prev));
		CHECK(t->queued && t->priority == priority && t->cpu == p->cpu,
		      "a thread is in a ready queue that is not its own", check_at(t), t->priority, priority);
		CHECK(++n < SCHED_QUEUE_MAX, "a ready queue is a ring", p->cpu, priority, 0);
	}
	if (check_ok())
		CHECK(q->tail == prev, "a ready queue's tail is not its last", p->cpu, priority,
		      check_at(q->tail));
	check_count.ready += n;
}

/* 64 queues without a thread. */
static bool check_ready_empty(const struct ready_queue *q)
{
	const uint64_t *words = (const uint64_t *)(const void *)q;
	bool empty = true;

	_Static_assert(sizeof(*q) == 2 * sizeof(uint64_t), "a queue is two words");
	for (unsigned i = 0; i < 128; i += CHECK_WORDS)
		empty = empty && check_words_zero(words + i);
	return empty;
}

static void check_ready(const struct percpu *p)
{
	int32_t top = -1;

	for (unsigned i = 0; i < PRIORITIES && check_ok(); i++) {
		if (i % 64 == 0 && !p->ready_l2[i / 64] && check_ready_empty(&p->ready[i])) {
			i += 63;
			continue;
		}
		check_ready_queue(p, i);
		if (p->ready[i].head)
			top = (int32_t)i;
	}
	for (unsigned i = 0; i < PRIORITIES / 64; i++)
		CHECK(!(p->ready_l1 & BIT(i)) == !p->ready_l2[i],
		      "the two levels of the ready bitmap do not agree", p->cpu, p->ready_l1, i);
	CHECK(p->ready_top == top, "the highest ready priority is another", p->cpu, p->ready_top, top);
}

static void check_release(const struct percpu *p)
{
	size_t count = 0;

	CHECK(rbtree_valid(&p->release, &count), "the release queue is no tree", p->cpu, count, 0);
	if (!check_ok())
		return;
	check_count.released += count;
	for (const struct rbtree_node *n = rbtree_first(&p->release); n; n = rbtree_next(n)) {
		const struct tcb *t = RBTREE_OWNER(n, struct tcb, release_node);

		CHECK(t->released_queued && t->cpu == p->cpu && t->sc,
		      "a thread is in a release queue that is not its own", check_at(t), t->cpu, p->cpu);
		if (!check_ok())
			return;
		CHECK(n->key == check_refill(t->sc, 0)->time,
		      "a thread waits for another time than its budget's", check_at(t), n->key,
		      check_refill(t->sc, 0)->time);
	}
}

static void check_timers(const struct percpu *p)
{
	size_t count = 0;

	CHECK(rbtree_valid(&p->timers, &count), "the timers are no tree", p->cpu, count, 0);
	if (!check_ok())
		return;
	check_count.timers += count;
	for (const struct rbtree_node *n = rbtree_first(&p->timers); n; n = rbtree_next(n)) {
		const struct timer *t = RBTREE_OWNER(n, struct timer, node);

		CHECK(t->armed && t->cpu == p->cpu, "a timer is in another CPU's tree", check_at(t), t->cpu,
		      p->cpu);
	}
}

/* The current thread of the CPU on which the walk runs is in the middle of nothing. */
static void check_current(const struct percpu *p)
{
	const struct tcb *t = p->current;

	CHECK(p->context == &t->ctx, "the entry path would store another thread's registers", p->cpu,
	      check_at(p->context), check_at(t));
	if (t->state == THREAD_IDLE)
		return;
	CHECK(t->state == THREAD_RUNNING && !t->queued && !t->released_queued,
	      "the current thread does not run", check_at(t), t->state, t->queued);
	CHECK(t->sc && t->sc == p->current_sc, "the current thread runs on another's time", check_at(t),
	      check_at(t->sc), check_at(p->current_sc));
	CHECK(p->ready_top <= (int32_t)t->priority,
	      "a thread of higher priority than the current one is ready", check_at(t), t->priority,
	      p->ready_top);
}

void check_cpus(void)
{
	for (uint32_t i = 0; i < check_cpu_count() && check_ok(); i++) {
		const struct percpu *p = check_cpu(i);

		CHECK(p->cpu == i && p->current && p->idle && p->idle->state == THREAD_IDLE &&
			  !p->idle->queued && !p->idle->sc,
		      "a CPU without a current or idle thread", i, check_at(p->current), check_at(p->idle));
		if (!check_ok())
			return;
		CHECK(p->current->cpu == i, "a CPU runs another's thread", i, check_at(p->current),
		      p->current->cpu);
		check_ready(p);
		check_release(p);
		check_timers(p);
		if (check_ok() && p == percpu_self())
			check_current(p);
	}
}
