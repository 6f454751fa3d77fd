/*
 * System calls: the way in, and the calls that matter most done in one piece when nothing unusual is asked
 * for: a Call to a waiting passive thread, and the ReplyRecv that answers it. The scheduling context goes
 * along, so neither time nor timer change. Called by the entry path with the user's registers in the current
 * thread's context. Rules of fast paths: fast.h.
 */
#include "api/syscall.h"
#include "api/fast.h"
#include "entry/entry.h"
#include "object/vcpu.h"

/* The same with long messages and all else that is rare, as functions of their own: without that there is no
 * call in the middle, and nothing to be saved for one. */
static __attribute__((noinline)) struct context *syscall_rare_call(struct percpu *p, struct tcb *t);
static __attribute__((noinline)) struct context *syscall_rare_reply_recv(struct percpu *p, struct tcb *t);

/* ---- Call ---- */

FAST_INLINE struct context *syscall_refuse_call(struct percpu *p, struct tcb *t, bool was_rare)
{
	return was_rare ? syscall_other(p, t, seL4_SysCall) : syscall_rare_call(p, t);
}

FAST_INLINE void syscall_push_reply(struct reply *r, struct sched_context *sc, struct tcb *caller)
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

FAST_INLINE struct context *syscall_fast_call(struct percpu *p, struct tcb *t, bool is_long)
{
	struct tcb *receiver;
	struct endpoint *ep;
	struct cte *slot;
	struct reply *r;
	word_t badge;

	if (!fast_plain_message(t, is_long ? seL4_MsgMaxLength : seL4_FastMessageRegisters))
		return syscall_refuse_call(p, t, is_long);
	if (unlikely(!lookup_slot_short(t, t->ctx.rdi, &slot)))
		return syscall_refuse_call(p, t, is_long);
	if (!fast_may_call(slot->cap)) /* an invocation, in the main */
		return syscall_other(p, t, seL4_SysCall);
	badge = cap_endpoint_badge(slot->cap);
	ep = cap_endpoint_of(slot->cap);
	if (endpoint_state(ep) != ENDPOINT_RECV)
		return syscall_refuse_call(p, t, is_long);
	receiver = window_kv(paddr(ep->head - ENDPOINT_RECV));
	if (unlikely(receiver->sc))
		return fast_active_call(p, t, slot->cap, receiver);
	r = receiver->reply;
	if (!r || !fast_may_switch(p, t, receiver) || (is_long && !fast_buffers(t, receiver)))
		return syscall_refuse_call(p, t, is_long);

	fast_take_receiver(ep, receiver);
	receiver->reply = NULL;
	syscall_push_reply(r, t->sc, t);
	fast_message(t, receiver, badge, is_long);
	return fast_switch(p, t, receiver);
}

/* ---- ReplyRecv ---- */

FAST_INLINE struct context *syscall_refuse_reply_recv(struct percpu *p, struct tcb *t, bool was_rare)
{
	return was_rare ? syscall_other(p, t, seL4_SysReplyRecv) : syscall_rare_reply_recv(p, t);
}

/* r is the last call on the stack of the context that t runs on (so its caller waits), and the caller has no
 * other. */
FAST_INLINE bool syscall_may_reply(const struct tcb *t, const struct reply *r)
{
	return r->next == reply_top_link(t->sc) && !r->tcb->sc;
}

FAST_INLINE void syscall_pop_reply(struct reply *r, struct sched_context *sc)
{
	struct reply *below = r->prev;

	sc->reply = below;
	if (below)
		below->next = r->next;
	r->prev = r->next = NULL;
}

/*
 * `rare`: also long messages, answers to faults, and several receivers. (One text, compiled twice: without it
 * there is no call in the middle, and nothing to be saved for one.)
 */
FAST_INLINE struct context *syscall_fast_reply_recv(struct percpu *p, struct tcb *t, bool rare)
{
	struct tcb *caller;
	struct endpoint *ep;
	struct cte *slot;
	struct reply *r;
	bool fault;

	if (!fast_plain_message(t, rare ? seL4_MsgMaxLength : seL4_FastMessageRegisters))
		return syscall_refuse_reply_recv(p, t, rare);
	if (unlikely(!lookup_slot_short(t, t->ctx.r12, &slot)) || cap_type(slot->cap) != CAP_REPLY)
		return syscall_refuse_reply_recv(p, t, rare);
	r = cap_reply_of(slot->cap);
	if (unlikely(!syscall_may_reply(t, r)))
		return fast_active_reply_recv(p, t, r);
	caller = r->tcb;
	fault = caller->fault.type != seL4_Fault_NullFault;
	if (!fast_may_switch(p, t, caller) || (!rare && fault))
		return syscall_refuse_reply_recv(p, t, rare);
	if (rare && (fault ? message_label(t->ctx.rsi) != 0 : !fast_buffers(t, caller)))
		return syscall_refuse_reply_recv(p, t, rare);
	if (unlikely(!lookup_slot_short(t, t->ctx.rdi, &slot)) || !fast_may_receive(slot->cap))
		return syscall_refuse_reply_recv(p, t, rare);
	ep = cap_endpoint_of(slot->cap);
	if (!fast_may_wait(t, ep, rare))
		return syscall_refuse_reply_recv(p, t, rare);

	caller->reply = NULL;
	syscall_pop_reply(r, t->sc);
	fast_wait(t, ep, r, rare);
	if (rare && fault)
		fast_answer_fault(t, caller);
	else
		fast_message(t, caller, 0, rare);
	return fast_switch(p, t, caller);
}

/* ---- what the short forms refuse ---- */

static struct context *syscall_rare_call(struct percpu *p, struct tcb *t)
{
	return syscall_fast_call(p, t, true);
}

static struct context *syscall_rare_reply_recv(struct percpu *p, struct tcb *t)
{
	return syscall_fast_reply_recv(p, t, true);
}

struct context *syscall_other(struct percpu *p, struct tcb *t, int64_t number)
{
	if (number == seL4_SysVMEnter)
		vcpu_enter_syscall();
	else
		syscall_general(p, t, number);
	return kernel_exit();
}

/* ---- the way in ---- */

struct context *syscall_handle(int64_t number)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	switch (number) {
	case seL4_SysCall:
		return syscall_fast_call(p, t, false);
	case seL4_SysReplyRecv:
		return syscall_fast_reply_recv(p, t, false);
	case seL4_SysSend:
	case seL4_SysNBSend:
		return fast_signal_send(p, t, number);
	case seL4_SysWait:
	case seL4_SysNBWait:
		return fast_signal_wait(p, t, number);
	default:
		return syscall_other(p, t, number);
	}
}
