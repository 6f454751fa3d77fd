/*
 * Call and ReplyRecv between two threads that each have a scheduling context: nothing is donated, each is
 * charged for its own time. Called by syscall.c, which has found that out. Rules of fast paths: fast.h.
 */
#include "api/fast.h"
#include "sel4/constants.h"

/* Words beyond the registers need both buffers. */
static inline bool fast_active_message_fits(const struct tcb *from, const struct tcb *to)
{
	return fast_plain_message(from, seL4_FastMessageRegisters) ||
	       (fast_plain_message(from, seL4_MsgMaxLength) && fast_buffers(from, to));
}

struct context *fast_active_call(struct percpu *p, struct tcb *t, cap_t ep_cap, struct tcb *receiver)
{
	struct fast_time time = fast_time(p);
	struct reply *r = receiver->reply;

	if (!r || !fast_active_message_fits(t, receiver) || !fast_may_switch(p, t, receiver) ||
	    !fast_may_stop(t, time) || !fast_may_start(receiver, time.now))
		return syscall_other(p, t, seL4_SysCall);

	fast_take_receiver(cap_endpoint_of(ep_cap), receiver);
	receiver->reply = NULL;
	r->tcb = t;
	t->reply = r;
	t->state = THREAD_BLOCKED_REPLY;
	fast_message(t, receiver, cap_endpoint_badge(ep_cap), true);
	receiver->state = THREAD_RUNNING;
	return fast_run(p, t, receiver, time);
}

/* r is in no stack of calls, and its thread waits for the answer. */
static inline bool fast_active_may_reply(const struct reply *r)
{
	const struct tcb *caller = r->tcb;

	return caller && !r->next && !r->prev && caller->state == THREAD_BLOCKED_REPLY && caller->sc &&
	       caller->fault.type != seL4_Fault_Timeout;
}

static inline bool fast_active_answer_fits(const struct tcb *t, const struct tcb *caller, bool fault)
{
	if (fault)
		return fast_plain_message(t, seL4_MsgMaxLength) && message_label(t->ctx.rsi) == 0;
	return fast_active_message_fits(t, caller);
}

struct context *fast_active_reply_recv(struct percpu *p, struct tcb *t, struct reply *r)
{
	struct fast_time time = fast_time(p);
	struct tcb *caller = r->tcb;
	struct endpoint *ep;
	struct cte *slot;
	bool fault;

	if (!fast_active_may_reply(r) || !lookup_slot_short(t, t->ctx.rdi, &slot) ||
	    !fast_may_receive(slot->cap))
		return syscall_other(p, t, seL4_SysReplyRecv);
	ep = cap_endpoint_of(slot->cap);
	fault = caller->fault.type != seL4_Fault_NullFault;
	if (!fast_active_answer_fits(t, caller, fault) || !fast_may_wait(t, ep, true) ||
	    !fast_may_switch(p, t, caller) || !fast_may_stop(t, time) || !fast_may_start(caller, time.now))
		return syscall_other(p, t, seL4_SysReplyRecv);

	caller->reply = NULL;
	fast_wait(t, ep, r, true);
	if (fault)
		fast_answer_fault(t, caller);
	else
		fast_message(t, caller, 0, true);
	caller->state = THREAD_RUNNING;
	return fast_run(p, t, caller, time);
}
