/*
 * System calls: the way in, and the calls that matter most done in one piece when nothing unusual is asked
 * for: a Call to a waiting passive thread, and the ReplyRecv that answers it. The scheduling context goes
 * along, so neither time nor timer change. Called by the entry path with the user's registers in the current
 * thread's context.
 *
 * A fast path checks everything, then changes; where it refuses nothing was changed, and the general path,
 * which has the same effect, does it. A change to the rules in ipc/ has to be made here too (syscall_test.c
 * compares them).
 */
#include "api/syscall.h"
#include "api/lookup.h"
#include "arch/x86/switch.h"
#include "entry/entry.h"
#include "entry/lock.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "object/vcpu.h"
#include "sched/sched.h"

#define SYSCALL_INLINE	 static inline __attribute__((always_inline))
#define SYSCALL_NOINLINE static __attribute__((noinline))

/* ---- parts ---- */

/* Length and extraCaps of the tag: no capabilities, and at most so many words. */
SYSCALL_INLINE bool syscall_plain_message(const struct tcb *t, unsigned max)
{
	return (t->ctx.rsi & MASK(9)) <= max;
}

/* A long message goes from buffer to buffer. */
SYSCALL_INLINE bool syscall_buffers(const struct tcb *from, const struct tcb *to)
{
	return message_source(from) && message_target(to);
}

SYSCALL_INLINE void syscall_message(const struct tcb *from, struct tcb *to, word_t badge, bool is_long)
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

/* May `to` run in place of the current thread, which blocks? */
SYSCALL_INLINE bool syscall_may_switch(const struct percpu *p, const struct tcb *from, const struct tcb *to)
{
	return to->cpu == p->cpu && ready_is_highest(p, to->priority) && switch_is_plain(from, to);
}

SYSCALL_INLINE void syscall_switch(struct percpu *p, struct tcb *from, struct tcb *to)
{
	struct sched_context *sc = from->sc;

	from->sc = NULL;
	sc->tcb = to;
	to->sc = sc;
	to->state = THREAD_RUNNING;
	p->current = to;
	switch_plain(p, from, to);
}

/* Type and rights of a capability, compared in one step. */
SYSCALL_INLINE bool syscall_cap_has(cap_t cap, cap_t mask, cap_t want)
{
	return (cap.w[1] & mask.w[1]) == want.w[1];
}

SYSCALL_INLINE bool syscall_may_call(cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));
	const cap_t grants = cap_endpoint_with_can_grant_reply(cap_endpoint_with_can_grant(cap_null(), 1), 1);

	return syscall_cap_has(cap, cap_endpoint_with_can_send(type, 1),
			       cap_endpoint_with_can_send(cap_of_type(CAP_ENDPOINT), 1)) &&
	       (cap.w[1] & grants.w[1]);
}

SYSCALL_INLINE bool syscall_may_receive(cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));

	return syscall_cap_has(cap, cap_endpoint_with_can_receive(type, 1),
			       cap_endpoint_with_can_receive(cap_of_type(CAP_ENDPOINT), 1));
}

/* ---- Call ---- */

SYSCALL_INLINE void syscall_take_receiver(struct endpoint *ep, struct tcb *receiver)
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

SYSCALL_INLINE void syscall_push_reply(struct reply *r, struct sched_context *sc, struct tcb *caller)
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

SYSCALL_INLINE bool syscall_fast_call(struct percpu *p, struct tcb *t, bool is_long)
{
	struct tcb *receiver;
	struct endpoint *ep;
	struct cte *slot;
	struct reply *r;
	word_t badge;

	if (!syscall_plain_message(t, is_long ? seL4_MsgMaxLength : seL4_FastMessageRegisters))
		return false;
	slot = lookup_slot_short(t, t->ctx.rdi);
	if (unlikely(!slot) || !syscall_may_call(slot->cap))
		return false;
	badge = cap_endpoint_badge(slot->cap);
	ep = cap_endpoint_of(slot->cap);
	if (endpoint_state(ep) != ENDPOINT_RECV)
		return false;
	receiver = window_kv(paddr(ep->head - ENDPOINT_RECV));
	r = receiver->reply;
	if (!r || receiver->sc || !syscall_may_switch(p, t, receiver) ||
	    (is_long && !syscall_buffers(t, receiver)))
		return false;

	syscall_take_receiver(ep, receiver);
	receiver->reply = NULL;
	syscall_push_reply(r, t->sc, t);
	syscall_message(t, receiver, badge, is_long);
	syscall_switch(p, t, receiver);
	return true;
}

/* ---- ReplyRecv ---- */

/* r is the last call on the stack of the context that t runs on (so its caller waits), and the caller has no
 * other. */
SYSCALL_INLINE bool syscall_may_reply(const struct tcb *t, const struct reply *r)
{
	return r->next == reply_top_link(t->sc) && !r->tcb->sc;
}

/* Nothing waits to be received, and t comes last in the queue; without `rare` it is the only one there. */
SYSCALL_INLINE bool syscall_may_wait(const struct tcb *t, const struct endpoint *ep, bool rare)
{
	const struct notification *n = t->bound_notification;

	if (n && (n->state == NOTIFICATION_ACTIVE || n->sc == t->sc))
		return false;
	return !ep->head ||
	       (rare && endpoint_state(ep) == ENDPOINT_RECV && endpoint_tail(ep)->priority >= t->priority);
}

SYSCALL_INLINE void syscall_pop_reply(struct reply *r, struct sched_context *sc)
{
	struct reply *below = r->prev;

	sc->reply = below;
	if (below)
		below->next = r->next;
	r->prev = r->next = NULL;
}

SYSCALL_INLINE void syscall_wait(struct tcb *t, struct endpoint *ep, struct reply *r, bool rare)
{
	uint64_t self = window_pa(t).v;

	t->reply = r;
	r->tcb = t;
	t->blocking_object = ep;
	t->state = THREAD_BLOCKED_RECV;
	if (!rare || !ep->head) {
		ep->head = self | ENDPOINT_RECV;
	} else {
		t->ipc_prev = endpoint_tail(ep);
		t->ipc_prev->ipc_next = t;
	}
	ep->tail = self;
}

/* The answer to a fault whose label says that the thread goes on. */
static void syscall_answer_fault(struct tcb *t, struct tcb *caller)
{
	word_t tag = t->ctx.rsi;

	fault_reply(caller, t, message_label(tag), message_length(tag));
	caller->fault.type = seL4_Fault_NullFault;
	context_restart(&caller->ctx);
}

/*
 * `rare`: also long messages, answers to faults, and several receivers. (One text, compiled twice: without it
 * there is no call in the middle, and nothing to be saved for one.)
 */
SYSCALL_INLINE bool syscall_fast_reply_recv(struct percpu *p, struct tcb *t, bool rare)
{
	struct tcb *caller;
	struct endpoint *ep;
	struct cte *slot;
	struct reply *r;
	bool fault;

	if (!syscall_plain_message(t, rare ? seL4_MsgMaxLength : seL4_FastMessageRegisters))
		return false;
	slot = lookup_slot_short(t, t->ctx.r12);
	if (unlikely(!slot) || cap_type(slot->cap) != CAP_REPLY)
		return false;
	r = cap_reply_of(slot->cap);
	if (!syscall_may_reply(t, r))
		return false;
	caller = r->tcb;
	fault = caller->fault.type != seL4_Fault_NullFault;
	if (!syscall_may_switch(p, t, caller) || (!rare && fault))
		return false;
	if (rare && (fault ? message_label(t->ctx.rsi) != 0 : !syscall_buffers(t, caller)))
		return false;
	slot = lookup_slot_short(t, t->ctx.rdi);
	if (unlikely(!slot) || !syscall_may_receive(slot->cap))
		return false;
	ep = cap_endpoint_of(slot->cap);
	if (!syscall_may_wait(t, ep, rare))
		return false;

	caller->reply = NULL;
	syscall_pop_reply(r, t->sc);
	syscall_wait(t, ep, r, rare);
	if (rare && fault)
		syscall_answer_fault(t, caller);
	else
		syscall_message(t, caller, 0, rare);
	syscall_switch(p, t, caller);
	return true;
}

/* ---- the way in ---- */

/* What the short forms refused. */
SYSCALL_NOINLINE bool syscall_rare_call(struct percpu *p, struct tcb *t)
{
	return syscall_fast_call(p, t, true);
}

SYSCALL_NOINLINE bool syscall_rare_reply_recv(struct percpu *p, struct tcb *t)
{
	return syscall_fast_reply_recv(p, t, true);
}

SYSCALL_NOINLINE struct context *syscall_other(struct percpu *p, struct tcb *t, int64_t number)
{
	if (number == seL4_SysVMEnter)
		vcpu_enter_syscall();
	else
		syscall_general(p, t, number);
	return kernel_exit();
}

struct context *syscall_handle(int64_t number)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	if (number == seL4_SysCall) {
		if (likely(syscall_fast_call(p, t, false)) || syscall_rare_call(p, t)) {
			lock_leave();
			return p->context;
		}
	} else if (number == seL4_SysReplyRecv) {
		if (likely(syscall_fast_reply_recv(p, t, false)) || syscall_rare_reply_recv(p, t)) {
			lock_leave();
			return p->context;
		}
	}
	return syscall_other(p, t, number);
}
