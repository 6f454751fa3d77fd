/*
 * Reply objects: who waits for whose answer, and the stack of calls that a donated scheduling context came
 * along. Called by endpoint operations, by invocation of reply capabilities, and by finalisation.
 *
 * r->tcb and tcb->reply name each other. On a stack, sc->reply is the last call; prev leads to the earlier
 * ones. Taking a reply out of the middle breaks the stack there: those below answer without getting the
 * context back.
 */
#include "ipc/reply.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/transfer.h"
#include "panic.h"
#include "sched/sched.h"

void reply_push(struct tcb *caller, struct tcb *callee, struct reply *r, bool can_donate)
{
	struct sched_context *sc = caller->sc;

	INVARIANT(!r->tcb && !r->prev && !r->next);
	r->tcb = caller;
	caller->reply = r;
	sched_set_state(caller, THREAD_BLOCKED_REPLY);
	if (!sc || !can_donate || callee->sc)
		return;
	r->prev = sc->reply;
	if (r->prev)
		r->prev->next = r;
	r->next = reply_top_link(sc);
	sc->reply = r;
	sched_context_donate(sc, callee);
}

/* r leaves the stack at its top; its caller gets the scheduling context back. */
static void reply_pop(struct reply *r, struct tcb *caller)
{
	struct sched_context *sc = reply_top_sc(r);

	sc->reply = r->prev;
	if (r->prev)
		r->prev->next = r->next;
	r->prev = r->next = NULL;
	if (!caller->sc)
		sched_context_donate(sc, caller);
}

/* r leaves a place that is not the top, or no stack at all. */
static void reply_break(struct reply *r)
{
	if (r->next && reply_is_top(r))
		reply_top_sc(r)->reply = NULL;
	else if (r->next)
		r->next->prev = NULL;
	if (r->prev)
		r->prev->next = NULL;
	r->prev = r->next = NULL;
}

static void reply_remove(struct reply *r)
{
	struct tcb *caller = r->tcb;

	reply_unlink(r, caller);
	if (reply_is_top(r))
		reply_pop(r, caller);
	else
		reply_break(r);
}

/* A caller that has its answer goes on, if its budget allows. */
static void reply_resume(struct tcb *t, enum sel4_fault answered)
{
	struct sched_context *sc = t->sc;

	if (sc && sc->refill_max && sc != percpu_self()->current_sc && answered != seL4_Fault_Timeout) {
		if (sc->sporadic)
			refill_unblock_check(sc, percpu_self()->now);
		if (!sched_context_released(sc) && fault_timeout_handler_set(t)) {
			fault_timeout(t);
			return;
		}
	}
	sched_possible_switch_to(t);
}

void reply_send(struct tcb *sender, struct reply *r, bool can_grant)
{
	struct tcb *t = r->tcb;
	enum sel4_fault fault;
	bool restart;
	word_t tag;

	if (!t || t->state != THREAD_BLOCKED_REPLY)
		return;
	reply_remove(r);
	fault = t->fault.type;
	if (likely(fault == seL4_Fault_NullFault)) {
		transfer_message(sender, NULL, 0, can_grant, t);
		sched_set_state(t, THREAD_RUNNING);
	} else {
		tag = sender->ctx.rsi;
		restart = fault_reply(t, sender, message_label(tag), message_length(tag));
		t->fault.type = seL4_Fault_NullFault;
		sched_set_state(t, restart ? THREAD_RESTART : THREAD_INACTIVE);
	}
	if (sched_runnable(t))
		reply_resume(t, fault);
}

void reply_remove_tcb(struct tcb *t)
{
	struct reply *r = t->reply;

	reply_unlink(r, t);
	reply_break(r);
	sched_set_state(t, THREAD_INACTIVE);
}

void reply_clear(struct reply *r)
{
	struct tcb *t = r->tcb;

	if (!t)
		return;
	if (t->state == THREAD_BLOCKED_REPLY) {
		reply_remove(r);
		t->fault.type = seL4_Fault_NullFault;
		sched_set_state(t, THREAD_INACTIVE);
	} else {
		ipc_cancel(t);
	}
}
