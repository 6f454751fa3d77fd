/*
 * Fast paths of Call and ReplyRecv. Called by syscall_handle() before anything else. Check everything, then change: a
 * change to the rules in ipc/ has to be made here too.
 */
#include "api/fastpath.h"
#include "arch/x86/arch.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"

/* At most four words, no capabilities: length and extraCaps are the tag's low nine bits. */
static inline bool fastpath_message_short(word_t tag)
{
	return (tag & MASK(9)) <= seL4_FastMessageRegisters;
}

/* cnode_lookup_slot() where it succeeds; false where it does not. */
static inline bool fastpath_lookup(const struct tcb *t, cptr_t cptr, cap_t *out)
{
	cap_t c = t->slot[TCB_CSPACE].cap;
	unsigned left = seL4_WordBits;

	do {
		unsigned guard_bits = (unsigned)cap_cnode_guard_size(c), radix = (unsigned)cap_cnode_radix(c);
		const struct cte *slots = window_kv(paddr(cap_cnode_ptr(c)));

		if (cap_type(c) != CAP_CNODE || guard_bits + radix > left)
			return false;
		/* no guard: no bits are compared, and the word is 0 */
		if ((cptr >> ((left - guard_bits) & 63) & MASK(guard_bits)) != cap_cnode_guard(c))
			return false;
		left -= guard_bits + radix;
		c = slots[cptr >> left & MASK(radix)].cap;
	} while (unlikely(left && cap_type(c) == CAP_CNODE));
	*out = c;
	return true;
}

static inline void fastpath_message(const struct tcb *from, struct tcb *to, word_t tag, word_t badge)
{
	unsigned length = tag & MASK(7);

	if (length > 0)
		to->ctx.r10 = from->ctx.r10;
	if (length > 1)
		to->ctx.r8 = from->ctx.r8;
	if (length > 2)
		to->ctx.r9 = from->ctx.r9;
	if (length > 3)
		to->ctx.r15 = from->ctx.r15;
	to->ctx.rsi = tag & ~(MASK(5) << 7);
	to->ctx.rdi = badge;
}

/* May `to` run in place of `from`, which blocks? */
static inline bool fastpath_may_switch(const struct percpu *p, const struct tcb *from, const struct tcb *to)
{
	return to->cpu == p->cpu && (to->priority >= from->priority || ready_is_highest(p, to->priority));
}

static inline void fastpath_switch(struct percpu *p, struct sched_context *sc, struct tcb *from, struct tcb *to)
{
	from->sc = NULL;
	sc->tcb = to;
	to->sc = sc;
	to->state = THREAD_RUNNING;
	p->current = to;
	arch_switch_to(from, to);
}

static inline bool fastpath_may_call(cap_t cap)
{
	return cap_type(cap) == CAP_ENDPOINT && cap_endpoint_can_send(cap) &&
	       (cap_endpoint_can_grant(cap) || cap_endpoint_can_grant_reply(cap));
}

static inline void fastpath_take_receiver(struct endpoint *ep, struct tcb *receiver)
{
	struct tcb *next = receiver->ipc_next;

	if (likely(!next)) {
		ep->head = ep->tail = 0;
		return;
	}
	next->ipc_prev = NULL;
	receiver->ipc_next = NULL;
	ep->head = window_pa(next).v | ENDPOINT_RECV;
}

static inline void fastpath_push_reply(struct reply *r, struct sched_context *sc, struct tcb *caller)
{
	struct reply *top = sc->reply;

	r->tcb = caller;
	r->prev = top;
	r->next = reply_top_link(sc);
	if (top)
		top->next = r;
	sc->reply = r;
	caller->reply = r;
	caller->state = THREAD_BLOCKED_REPLY;
}

bool fastpath_call(struct percpu *p, struct tcb *t)
{
	word_t tag = t->ctx.rsi;
	struct endpoint *ep;
	struct tcb *receiver;
	struct reply *r;
	cap_t cap;

	if (!fastpath_message_short(tag) || !fastpath_lookup(t, t->ctx.rdi, &cap) || !fastpath_may_call(cap))
		return false;
	ep = cap_endpoint_of(cap);
	if (endpoint_state(ep) != ENDPOINT_RECV)
		return false;
	receiver = window_kv(paddr(ep->head - ENDPOINT_RECV));
	r = receiver->reply;
	if (!r || receiver->sc || !fastpath_may_switch(p, t, receiver))
		return false;

	fastpath_take_receiver(ep, receiver);
	receiver->reply = NULL;
	fastpath_push_reply(r, t->sc, t);
	fastpath_message(t, receiver, tag, cap_endpoint_badge(cap));
	fastpath_switch(p, t->sc, t, receiver);
	return true;
}

/* r is the last call on the stack of the context that t runs on, made by an unfaulted thread that lent it. */
static inline bool fastpath_may_reply(const struct tcb *t, const struct reply *r)
{
	const struct tcb *caller = r->tcb;

	return caller && r->next == reply_top_link(t->sc) && !caller->sc && caller->state == THREAD_BLOCKED_REPLY &&
	       caller->fault.type == seL4_Fault_NullFault;
}

/* Nothing waits to be received, and t comes last in the queue. */
static inline bool fastpath_may_wait(const struct tcb *t, const struct endpoint *ep)
{
	const struct notification *n = t->bound_notification;

	if (n && (n->state == NOTIFICATION_ACTIVE || n->sc == t->sc))
		return false;
	return !ep->head || (endpoint_state(ep) == ENDPOINT_RECV && endpoint_tail(ep)->priority >= t->priority);
}

static inline void fastpath_pop_reply(struct reply *r, struct sched_context *sc)
{
	struct reply *below = r->prev;

	sc->reply = below;
	if (below)
		below->next = r->next;
	r->prev = r->next = NULL;
}

static inline void fastpath_wait(struct tcb *t, struct endpoint *ep, struct reply *r)
{
	uint64_t self = window_pa(t).v;

	t->reply = r;
	r->tcb = t;
	t->blocking_object = ep;
	t->state = THREAD_BLOCKED_RECV;
	if (likely(!ep->head)) {
		ep->head = self | ENDPOINT_RECV;
	} else {
		t->ipc_prev = endpoint_tail(ep);
		t->ipc_prev->ipc_next = t;
	}
	ep->tail = self;
}

bool fastpath_reply_recv(struct percpu *p, struct tcb *t)
{
	struct sched_context *sc = t->sc;
	word_t tag = t->ctx.rsi;
	struct endpoint *ep;
	struct tcb *caller;
	struct reply *r;
	cap_t cap;

	if (!fastpath_message_short(tag) || !fastpath_lookup(t, t->ctx.r12, &cap) || cap_type(cap) != CAP_REPLY)
		return false;
	r = cap_reply_of(cap);
	caller = r->tcb;
	if (!fastpath_may_reply(t, r) || !fastpath_may_switch(p, t, caller))
		return false;
	if (!fastpath_lookup(t, t->ctx.rdi, &cap) || cap_type(cap) != CAP_ENDPOINT || !cap_endpoint_can_receive(cap))
		return false;
	ep = cap_endpoint_of(cap);
	if (!fastpath_may_wait(t, ep))
		return false;

	caller->reply = NULL;
	fastpath_pop_reply(r, sc);
	fastpath_wait(t, ep, r);
	fastpath_message(t, caller, tag, 0);
	fastpath_switch(p, sc, t, caller);
	return true;
}
