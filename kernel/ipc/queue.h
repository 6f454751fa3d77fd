/*
 * Queues of threads that wait for an endpoint or notification: by priority, first come first served among
 * equals, linked through ipc_next and ipc_prev. Pure list operations.
 */
#ifndef IPC_QUEUE_H
#define IPC_QUEUE_H

#include "object/tcb.h"

struct queue {
	struct tcb *head, *tail;
};

void queue_insert(struct queue *q, struct tcb *t);
void queue_remove(struct queue *q, struct tcb *t);

#endif
