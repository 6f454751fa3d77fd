/*
 * Ordered queues of waiting threads. Called by endpoint.c and notification.c. It must never look at more of a
 * thread than its priority and links.
 */
#include "ipc/queue.h"

/* From the last of one priority to the last of the next higher; NULL from the highest. */
static struct tcb *queue_higher(const struct queue *q, const struct tcb *last)
{
	return last->priority == q->head->priority ? NULL : last->ipc_higher;
}

void queue_insert(struct queue *q, struct tcb *t)
{
	struct tcb *before = q->tail, *lower = NULL, *after;

	while (before && before->priority < t->priority) {
		lower = before;
		before = queue_higher(q, before);
	}
	after = before ? before->ipc_next : q->head;
	t->ipc_prev = before;
	t->ipc_next = after;
	t->ipc_higher = before && before->priority == t->priority ? before->ipc_higher : before;
	if (lower)
		lower->ipc_higher = t;
	if (before)
		before->ipc_next = t;
	else
		q->head = t;
	if (after)
		after->ipc_prev = t;
	else
		q->tail = t;
}

/* t, the last of its priority, is about to leave: the one before it is named in its place. */
static void queue_pass_on(const struct queue *q, struct tcb *t)
{
	struct tcb *lower = NULL, *before = t->ipc_prev;

	for (struct tcb *last = q->tail; last != t; last = queue_higher(q, last))
		lower = last;
	if (before && before->priority == t->priority)
		before->ipc_higher = t->ipc_higher;
	if (lower)
		lower->ipc_higher = before;
}

void queue_remove(struct queue *q, struct tcb *t)
{
	if (!t->ipc_next || t->ipc_next->priority != t->priority)
		queue_pass_on(q, t);
	if (t->ipc_prev)
		t->ipc_prev->ipc_next = t->ipc_next;
	else
		q->head = t->ipc_next;
	if (t->ipc_next)
		t->ipc_next->ipc_prev = t->ipc_prev;
	else
		q->tail = t->ipc_prev;
	t->ipc_next = t->ipc_prev = NULL;
}
