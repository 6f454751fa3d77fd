/*
 * Ready queues: one doubly linked list per priority, a two-level bitmap of those that are not empty, and the
 * highest. Called by the scheduler only. It must never look at budgets or states.
 */
#include "sched/sched.h"
#include "sched/remote.h"

static uint64_t ready_bit_set(uint64_t v, unsigned i)
{
	return v | BIT(i);
}

static uint64_t ready_bit_clear(uint64_t v, unsigned i)
{
	return v & ~BIT(i);
}

static void ready_mark(struct percpu *p, unsigned prio)
{
	p->ready_l1 = ready_bit_set(p->ready_l1, prio / 64);
	p->ready_l2[prio / 64] = ready_bit_set(p->ready_l2[prio / 64], prio % 64);
	if ((int32_t)prio > p->ready_top)
		p->ready_top = (int32_t)prio;
}

static int32_t ready_top_bit(uint64_t v)
{
	return 63 - __builtin_clzll(v);
}

static int32_t ready_find_top(const struct percpu *p)
{
	int32_t l1;

	if (!p->ready_l1)
		return -1;
	l1 = ready_top_bit(p->ready_l1);
	return l1 * 64 + ready_top_bit(p->ready_l2[l1]);
}

static void ready_unmark(struct percpu *p, unsigned prio)
{
	p->ready_l2[prio / 64] = ready_bit_clear(p->ready_l2[prio / 64], prio % 64);
	if (!p->ready_l2[prio / 64])
		p->ready_l1 = ready_bit_clear(p->ready_l1, prio / 64);
	if ((int32_t)prio == p->ready_top)
		p->ready_top = ready_find_top(p);
}

void ready_enqueue(struct tcb *t)
{
	struct percpu *p = remote_percpu(t->cpu);
	struct ready_queue *q = &p->ready[t->priority];

	if (t->queued)
		return;
	t->queue_prev = NULL;
	t->queue_next = q->head;
	if (q->head) {
		q->head->queue_prev = t;
	} else {
		q->tail = t;
		ready_mark(p, t->priority);
	}
	q->head = t;
	t->queued = true;
}

void ready_append(struct tcb *t)
{
	struct percpu *p = remote_percpu(t->cpu);
	struct ready_queue *q = &p->ready[t->priority];

	if (t->queued)
		return;
	t->queue_next = NULL;
	t->queue_prev = q->tail;
	if (q->tail) {
		q->tail->queue_next = t;
	} else {
		q->head = t;
		ready_mark(p, t->priority);
	}
	q->tail = t;
	t->queued = true;
}

void ready_unlink(struct tcb *t)
{
	struct percpu *p = remote_percpu(t->cpu);
	struct ready_queue *q = &p->ready[t->priority];

	if (t->queue_prev)
		t->queue_prev->queue_next = t->queue_next;
	else
		q->head = t->queue_next;
	if (t->queue_next)
		t->queue_next->queue_prev = t->queue_prev;
	else
		q->tail = t->queue_prev;
	if (!q->head)
		ready_unmark(p, t->priority);
	t->queue_next = t->queue_prev = NULL;
	t->queued = false;
}
