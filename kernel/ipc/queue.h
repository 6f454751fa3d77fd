/*
 * Queues of threads that wait for an endpoint or notification: by priority, first come first served among
 * equals, linked through ipc_next and ipc_prev. Pure list operations; none takes more steps than there are
 * priorities, however many threads wait.
 *
 * The last of each priority names the last of the next higher one in ipc_higher, so a place is found by going
 * from priority to priority. In the highest, ipc_higher means nothing: whoever takes the head away need not
 * look at it.
 */
#ifndef IPC_QUEUE_H
#define IPC_QUEUE_H

#include "object/tcb.h"

struct queue {
	struct tcb *head, *tail;
};

/* A thread's priority does not change while it is in a queue. */
void queue_insert(struct queue *q, struct tcb *t);
void queue_remove(struct queue *q, struct tcb *t);

#endif
