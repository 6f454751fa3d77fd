/* Reply objects: the link between a caller and who may answer it; the call stack of a donated SC. */
#ifndef IPC_REPLY_H
#define IPC_REPLY_H

#include "object/tcb.h"

struct reply {
	struct tcb *tcb;    /* BLOCKED_REPLY caller, or BLOCKED_RECV thread that waits with it */
	struct reply *prev; /* earlier call on the donated SC's stack */
	struct reply *next; /* later call; for the top of the stack bit 0 is set and it is the SC */
	word_t reserved;
};
_Static_assert(sizeof(struct reply) == 32, "reply size");

static inline struct reply *cap_reply_of(cap_t c)
{
	return window_kv(paddr(cap_reply_ptr(c)));
}

/* caller waits on r for callee's answer; donates its SC if callee is passive and `can_donate`. */
void reply_push(struct tcb *caller, struct tcb *callee, struct reply *r, bool can_donate);
/* Answers: message transfer, or fault-reply handling, then returns the SC. */
void reply_send(struct tcb *sender, struct reply *r, bool can_grant);
/* Takes r away from its thread without an answer (its last capability is gone). */
void reply_clear(struct reply *r);
/* t, blocked on its answer, is taken off: the call stack breaks there. It becomes INACTIVE. */
void reply_remove_tcb(struct tcb *t);
/* t and r, which name each other, let go. */
static inline void reply_unlink(struct reply *r, struct tcb *t)
{
	t->reply = NULL;
	r->tcb = NULL;
}

/* The top of a scheduling context's stack names it in `next`. */
#define REPLY_TOP UINT64_C(1)
static inline struct reply *reply_top_link(struct sched_context *sc)
{
	return (struct reply *)((uintptr_t)sc | REPLY_TOP);
}
static inline bool reply_is_top(const struct reply *r)
{
	return (uintptr_t)r->next & REPLY_TOP;
}
static inline struct sched_context *reply_top_sc(const struct reply *r)
{
	return (struct sched_context *)((uintptr_t)r->next & ~REPLY_TOP);
}

#endif
