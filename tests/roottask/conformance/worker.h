/*
 * Threads that do what is to be judged, one piece of work at a time, and say how far they came. They share
 * the root CNode and (unless made otherwise) the first thread's VSpace. While the first thread runs they do
 * not: worker_settle() lets all of them (of its node) run until none can go on.
 */
#ifndef WORKER_H
#define WORKER_H

#include "roottask/conformance/conformance.h"

#define WORKER_PRIORITY 100

struct worker {
	struct thread thread; /* its TCB and scheduling context: round robin, 10 ms */
	void (*work)(struct worker *);
	/* For `work`: what it uses, what it sends, and what came. */
	seL4_CPtr cap, other, reply;
	seL4_Word label, caps, length; /* of the message that it sends */
	seL4_Word word[5];	       /* sent, or received */
	seL4_Word badge, sum;
	seL4_MessageInfo_t info; /* received */
	seL4_Error error;
	volatile seL4_Word begun, done; /* how often `work` began and came to its end */
};

/* A new one, not running. `fault`: its fault endpoint, or 0. */
struct worker *worker_new(seL4_Word priority, seL4_CPtr fault);
struct worker *worker_new_in(seL4_CPtr vspace, seL4_Word priority, seL4_CPtr fault);
/* It does `work` from now on, and sleeps for ever after. What it was doing is given up. */
void worker_start(struct worker *w, void (*work)(struct worker *));
/* Starts, and lets all run. */
void worker_run(struct worker *w, void (*work)(struct worker *));
/* Its thread and context are deleted, its place is free again. */
void worker_end(struct worker *w);

/* The first thread steps down until no other can run, then judges again. */
void worker_settle(void);
/* Waits until *word is at least `least`, yielding, for some virtual seconds at most; false if it never was.
 * For other nodes. */
bool worker_wait(const volatile seL4_Word *word, seL4_Word least);

/* Pieces of work. */
void worker_send(struct worker *w);   /* Send of label and words to cap */
void worker_nbsend(struct worker *w); /* NBSend */
void worker_call(struct worker *w);   /* Call */
void worker_recv(struct worker *w);   /* Recv from cap with reply */
void worker_nbrecv(struct worker *w);
void worker_waits(struct worker *w); /* Wait on cap */
void worker_nbwait(struct worker *w);
void worker_signal(struct worker *w);
/* Receives, and answers every message with its words plus one, for ever. */
void worker_serve(struct worker *w);
/* The same, after the notification `other` was signalled, so that its context can be taken away before. */
void worker_spin(struct worker *w); /* counts `begun` up for ever */

/* One of its registers, in ReadRegisters' order. The caller's message words stay as they are. */
seL4_Word worker_register(const struct worker *w, unsigned index);

#endif
