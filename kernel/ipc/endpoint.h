/*
 * Endpoints (16 bytes): structure and operations. Semantics: facts, section 11. Called by the system call
 * layer, the fault layer and object finalisation.
 */
#ifndef IPC_ENDPOINT_H
#define IPC_ENDPOINT_H

#include "object/tcb.h"

enum endpoint_state { ENDPOINT_IDLE, ENDPOINT_SEND, ENDPOINT_RECV };

/* A queue of threads, linked by ipc_next/ipc_prev, ordered by priority (FIFO among equals). */
struct endpoint {
	uint64_t head; /* physical address of the first TCB (4 KiB aligned) | enum endpoint_state */
	uint64_t tail; /* physical address of the last TCB */
};
_Static_assert(sizeof(struct endpoint) == 16, "endpoint size");

static inline struct endpoint *cap_endpoint_of(cap_t c)
{
	return window_kv(paddr(cap_endpoint_ptr(c)));
}

static inline enum endpoint_state endpoint_state(const struct endpoint *ep)
{
	return (enum endpoint_state)(ep->head & MASK(2));
}

/* First and last waiting thread, NULL if there is none. */
static inline struct tcb *endpoint_head(const struct endpoint *ep)
{
	return ep->head ? window_kv(paddr(ep->head & ~MASK(2))) : NULL;
}
static inline struct tcb *endpoint_tail(const struct endpoint *ep)
{
	return ep->tail ? window_kv(paddr(ep->tail)) : NULL;
}

/*
 * The sender's message goes to the first receiver; without one it waits (blocking) or nothing happens.
 * `call`: it waits for an answer afterwards. The capability says badge and grant rights; it can send.
 */
void ipc_send(bool blocking, bool call, cap_t ep_cap, bool can_donate, struct tcb *sender);
/* r: the reply object for a call, or NULL. */
void ipc_receive(struct tcb *receiver, struct endpoint *ep, bool blocking, struct reply *r);
/* Takes a blocked thread out of whatever it is blocked on (becomes INACTIVE). */
void ipc_cancel(struct tcb *t);
/*
 * All waiting threads are restarted (those that wait with a fault stop). EXC_PREEMPTED: call again; meanwhile
 * nobody may come to wait anew.
 */
exception_t ipc_cancel_all(struct endpoint *ep);
/*
 * For the current thread's invocation: all senders that wait with this badge are restarted. EXC_PREEMPTED:
 * the restarted invocation goes on where this one stopped; who came to wait in between stays.
 */
exception_t ipc_cancel_badged(struct endpoint *ep, word_t badge);
/* t is stopped or gets new registers: an invocation of ipc_cancel_badged() that it was in is over. */
void ipc_cancel_badged_forget(const struct tcb *t);
/* Sets t's priority; the queue that it waits in stays ordered. */
void ipc_set_priority(struct tcb *t, uint8_t priority);

#endif
