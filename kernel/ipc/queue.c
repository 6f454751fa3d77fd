/*
 * Ordered queues of waiting threads. Called by endpoint.c and notification.c. It must never look at more of a
 * thread than its priority and links.
 */
#include "ipc/queue.h"

void queue_insert(struct queue *q, struct tcb *t)
{
	struct tcb *before = q->tail, *after = NULL;

	while (before && before->priority < t->priority) {
		after = before;
		before = before->ipc_prev;
	}
	t->ipc_prev = before;
	t->ipc_next = after;
	if (before)
		before->ipc_next = t;
	else
		q->head = t;
	if (after)
		after->ipc_prev = t;
	else
		q->tail = t;
}

void queue_remove(struct queue *q, struct tcb *t)
{
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
