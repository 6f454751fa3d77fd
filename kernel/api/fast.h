/*
 * Parts of the fast paths, which do in one piece what ipc/ and sched/ do step by step when nothing unusual is
 * asked for: syscall.c has those on which the scheduling context goes along, fast_active.c those between
 * threads that have their own, fast_signal.c notifications.
 *
 * A fast path checks everything, then changes; where it refuses nothing was changed, and the general path,
 * which has the same effect, does it. A change to the rules in ipc/ or sched/ has to be made here too
 * (syscall_test.c compares them).
 */
#ifndef API_FAST_H
#define API_FAST_H

#include "api/lookup.h"
#include "arch/x86/switch.h"
#include "entry/lock.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched_switch.h"

#define FAST_INLINE static inline __attribute__((always_inline))

/*
 * Whole system calls of the current thread t: what they do not do themselves goes the general way. The
 * context to be loaded.
 */
struct context *syscall_other(struct percpu *p, struct tcb *t, int64_t number);
/* Call to `receiver`, which waits first in the endpoint's queue and has a scheduling context of its own. */
struct context *fast_active_call(struct percpu *p, struct tcb *t, cap_t ep_cap, struct tcb *receiver);
/* ReplyRecv whose caller has a scheduling context of its own. */
struct context *fast_active_reply_recv(struct percpu *p, struct tcb *t, struct reply *r);
/* Send and NBSend; Wait and NBWait. */
struct context *fast_signal_send(struct percpu *p, struct tcb *t, int64_t number);
struct context *fast_signal_wait(struct percpu *p, struct tcb *t, int64_t number);

/* ---- messages ---- */

/* Length and extraCaps of the tag: no capabilities, and at most so many words. */
FAST_INLINE bool fast_plain_message(const struct tcb *t, unsigned max)
{
	return (t->ctx.rsi & MASK(9)) <= max;
}

/* A long message goes from buffer to buffer. */
FAST_INLINE bool fast_buffers(const struct tcb *from, const struct tcb *to)
{
	return message_source(from) && message_target(to);
}

FAST_INLINE void fast_message(const struct tcb *from, struct tcb *to, word_t badge, bool is_long)
{
	word_t tag = from->ctx.rsi;
	unsigned length = tag & MASK(7);

	if (length > 0) {
		to->ctx.r10 = from->ctx.r10;
		if (length > 1)
			to->ctx.r8 = from->ctx.r8;
		if (length > 2)
			to->ctx.r9 = from->ctx.r9;
		if (length > 3)
			to->ctx.r15 = from->ctx.r15;
	}
	if (is_long && length > seL4_FastMessageRegisters) {
		const word_t *words = message_source(from) + MESSAGE_BUFFER_MR;
		word_t *target = message_target(to) + MESSAGE_BUFFER_MR;

		for (unsigned i = seL4_FastMessageRegisters; i < length; i++)
			target[i] = words[i];
	}
	to->ctx.rsi = tag & ~(MASK(5) << 7);
	to->ctx.rdi = badge;
}

/* ---- switching ---- */

/* The end of a fast path: t's registers are loaded. */
FAST_INLINE struct context *fast_leave(struct tcb *t)
{
	lock_leave();
	return &t->ctx;
}

/* May `to` run in place of the current thread, which blocks? */
FAST_INLINE bool fast_may_switch(const struct percpu *p, const struct tcb *from, const struct tcb *to)
{
	return to->cpu == p->cpu && ready_is_highest(p, to->priority) && switch_is_plain(from, to);
}

/* `to`, which is passive, runs on the scheduling context of `from`. */
FAST_INLINE struct context *fast_switch(struct percpu *p, struct tcb *from, struct tcb *to)
{
	struct sched_context *sc = from->sc;

	from->sc = NULL;
	sc->tcb = to;
	to->sc = sc;
	to->state = THREAD_RUNNING;
	p->current = to;
	switch_plain(p, from, to);
	return fast_leave(to);
}

/* ---- capabilities ---- */

/* Type and rights of a capability, compared in one step. */
FAST_INLINE bool fast_cap_has(cap_t cap, cap_t mask, cap_t want)
{
	return (cap.w[1] & mask.w[1]) == want.w[1];
}

FAST_INLINE bool fast_may_call(cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));
	const cap_t grants = cap_endpoint_with_can_grant_reply(cap_endpoint_with_can_grant(cap_null(), 1), 1);

	return fast_cap_has(cap, cap_endpoint_with_can_send(type, 1),
			    cap_endpoint_with_can_send(cap_of_type(CAP_ENDPOINT), 1)) &&
	       (cap.w[1] & grants.w[1]);
}

FAST_INLINE bool fast_may_receive(cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));

	return fast_cap_has(cap, cap_endpoint_with_can_receive(type, 1),
			    cap_endpoint_with_can_receive(cap_of_type(CAP_ENDPOINT), 1));
}

/* ---- queues ---- */

/* The first in the queue leaves. */
FAST_INLINE void fast_take_receiver(struct endpoint *ep, struct tcb *receiver)
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

/* Nothing waits to be received, and t comes last in the queue; without `rare` it is the only one there. */
FAST_INLINE bool fast_may_wait(const struct tcb *t, const struct endpoint *ep, bool rare)
{
	const struct notification *n = t->bound_notification;

	if (n && (n->state == NOTIFICATION_ACTIVE || n->sc == t->sc))
		return false;
	return !ep->head ||
	       (rare && endpoint_state(ep) == ENDPOINT_RECV && endpoint_tail(ep)->priority >= t->priority);
}

FAST_INLINE void fast_wait(struct tcb *t, struct endpoint *ep, struct reply *r, bool rare)
{
	uint64_t self = window_pa(t).v;

	t->reply = r;
	r->tcb = t;
	t->blocking_object = ep;
	t->state = THREAD_BLOCKED_RECV;
	if (!rare || !ep->head) {
		ep->head = self | ENDPOINT_RECV;
	} else {
		struct tcb *tail = endpoint_tail(ep);

		t->ipc_prev = tail;
		t->ipc_higher = tail->priority == t->priority ? tail->ipc_higher : tail;
		tail->ipc_next = t;
	}
	ep->tail = self;
}

/* The answer to a fault whose label says that the thread goes on. */
static inline void fast_answer_fault(struct tcb *t, struct tcb *caller)
{
	word_t tag = t->ctx.rsi;

	fault_reply(caller, t, message_label(tag), message_length(tag));
	caller->fault.type = seL4_Fault_NullFault;
	context_restart(&caller->ctx);
}

/* ---- between threads that have scheduling contexts of their own ---- */

/* The time of the system call, before it is certain that it is going to be the kernel's. */
struct fast_time {
	ticks_t now, used; /* used: by the current context, not charged yet */
};

FAST_INLINE struct fast_time fast_time(const struct percpu *p)
{
	ticks_t now = cpu_rdtsc();

	return (struct fast_time){now, p->consumed + (now - p->now)};
}

/* The current context has budget left: its slice goes on later. */
FAST_INLINE bool fast_may_stop(const struct tcb *t, struct fast_time time)
{
	return t->sc->refill_max && refill_sufficient(t->sc, time.used);
}

/* The context has budget at once, and its turn. (A sporadic one's budget would have to be changed to know.) */
FAST_INLINE bool fast_may_start(const struct tcb *to, ticks_t now)
{
	const struct sched_context *sc = to->sc;

	return !to->released_queued && sc->refill_max && !sc->sporadic && !sc->behind && refill_ready(sc, now) &&
	       refill_sufficient(sc, 0);
}

/* `to`, for which all of the above hold, runs in place of t. */
FAST_INLINE struct context *fast_run(struct percpu *p, struct tcb *t, struct tcb *to, struct fast_time time)
{
	p->now = time.now;
	p->consumed = time.used;
	sched_switch_context(p, to->sc);
	p->current = to;
	sched_switch_alarm(p);
	switch_plain(p, t, to);
	return fast_leave(to);
}

#endif
