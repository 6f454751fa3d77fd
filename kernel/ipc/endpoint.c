/*
 * Endpoints: synchronous messages. Send, receive, and taking threads out of them again. Called by the system
 * call layer, by faults (a fault is a call by the faulter) and by finalisation. It must never choose who
 * runs.
 */
#include "ipc/endpoint.h"
#include "arch/x86/arch.h"
#include "ipc/notification.h"
#include "ipc/queue.h"
#include "ipc/reply.h"
#include "ipc/transfer.h"
#include "panic.h"
#include "sched/sched.h"

/* ---- the queue ---- */

static struct queue endpoint_queue(const struct endpoint *ep)
{
	return (struct queue){endpoint_head(ep), endpoint_tail(ep)};
}

static void endpoint_store(struct endpoint *ep, struct queue q, enum endpoint_state state)
{
	ep->head = q.head ? window_pa(q.head).v | state : ENDPOINT_IDLE;
	ep->tail = q.tail ? window_pa(q.tail).v : 0;
}

static void endpoint_wait(struct endpoint *ep, struct tcb *t, enum endpoint_state state)
{
	struct queue q;

	t->blocking_object = ep;
	sched_set_state(t, state == ENDPOINT_SEND ? THREAD_BLOCKED_SEND : THREAD_BLOCKED_RECV);
	if (likely(!ep->head)) {
		ep->tail = window_pa(t).v;
		ep->head = ep->tail | state;
		return;
	}
	q = endpoint_queue(ep);
	queue_insert(&q, t);
	endpoint_store(ep, q, state);
}

/*
 * The CancelBadgedSends that was interrupted last. There is one record for all: a second one under way makes
 * the first begin anew, which costs those two callers only. `next` is kept right as threads leave the queue.
 */
static struct {
	const struct tcb *caller; /* NULL: none */
	struct endpoint *ep;
	word_t badge;
	uint64_t begun;	  /* senders that came later are not meant */
	struct tcb *next; /* who is looked at next; NULL: all have been */
} endpoint_scan;

static uint64_t endpoint_senders; /* how many ever began to wait */

static inline void endpoint_scan_passes(const struct tcb *t)
{
	if (unlikely(endpoint_scan.next == t))
		endpoint_scan.next = t->ipc_next;
}

static void endpoint_leave(struct endpoint *ep, struct tcb *t)
{
	struct queue q = endpoint_queue(ep);

	endpoint_scan_passes(t);
	queue_remove(&q, t);
	endpoint_store(ep, q, endpoint_state(ep));
	t->blocking_object = NULL;
}

/* The first waiting thread leaves. */
static struct tcb *endpoint_take_first(struct endpoint *ep)
{
	struct tcb *t = window_kv(paddr(ep->head & ~MASK(2))), *next = t->ipc_next;

	endpoint_scan_passes(t);
	if (likely(!next)) {
		ep->head = ep->tail = 0;
	} else {
		next->ipc_prev = NULL;
		t->ipc_next = NULL;
		ep->head = window_pa(next).v | endpoint_state(ep);
	}
	return t;
}

/* ---- send ---- */

/* The sender called (or faulted): it waits for an answer, if it may get one. */
static void endpoint_await_reply(struct tcb *caller, struct tcb *callee, struct reply *r, bool may_reply,
				 bool can_donate)
{
	if (r && may_reply)
		reply_push(caller, callee, r, can_donate);
	else
		sched_set_state(caller, THREAD_INACTIVE);
}

static void endpoint_send_wait(struct endpoint *ep, struct tcb *sender, cap_t ep_cap, bool call)
{
	sender->send_badge = cap_endpoint_badge(ep_cap);
	sender->send_time = endpoint_senders++;
	sender->can_grant = cap_endpoint_can_grant(ep_cap);
	sender->can_grant_reply = cap_endpoint_can_grant_reply(ep_cap);
	sender->is_call = call;
	endpoint_wait(ep, sender, ENDPOINT_SEND);
}

void ipc_send(bool blocking, bool call, cap_t ep_cap, bool can_donate, struct tcb *sender)
{
	struct endpoint *ep = cap_endpoint_of(ep_cap);
	bool can_grant = cap_endpoint_can_grant(ep_cap);
	struct tcb *receiver;
	struct reply *r;

	if (endpoint_state(ep) != ENDPOINT_RECV) {
		if (blocking)
			endpoint_send_wait(ep, sender, ep_cap, call);
		return;
	}

	receiver = endpoint_take_first(ep);
	r = receiver->reply;
	if (r)
		reply_unlink(r, receiver);
	transfer_message(sender, ep, cap_endpoint_badge(ep_cap), can_grant, receiver);

	if (call)
		endpoint_await_reply(sender, receiver, r, can_grant || cap_endpoint_can_grant_reply(ep_cap),
				     can_donate);
	else if (can_donate && !receiver->sc && sender->sc)
		sched_context_donate(sender->sc, receiver);
	sched_set_state(receiver, THREAD_RUNNING);
	sched_possible_switch_to(receiver);
}

/* ---- receive ---- */

static void endpoint_receive_from(struct tcb *receiver, struct endpoint *ep, struct reply *r)
{
	struct tcb *sender = endpoint_take_first(ep);
	struct notification *n = receiver->bound_notification;
	bool may_reply = sender->can_grant || sender->can_grant_reply;
	bool may_donate = sender->fault.type != seL4_Fault_Timeout;

	transfer_message(sender, ep, sender->send_badge, sender->can_grant, receiver);
	if (!sender->is_call) {
		sched_set_state(sender, THREAD_RUNNING);
		sched_possible_switch_to(sender);
		return;
	}
	/* the caller's context in place of one that the notification lent */
	if (n && r && may_reply && may_donate && sender->sc)
		notification_return_sc(n, receiver);
	endpoint_await_reply(sender, receiver, r, may_reply, may_donate);
}

static void endpoint_receive_wait(struct tcb *receiver, struct endpoint *ep, struct reply *r)
{
	if (receiver->bound_notification)
		notification_return_sc(receiver->bound_notification, receiver);
	receiver->reply = r;
	if (r)
		r->tcb = receiver;
	endpoint_wait(ep, receiver, ENDPOINT_RECV);
}

void ipc_receive(struct tcb *receiver, struct endpoint *ep, bool blocking, struct reply *r)
{
	struct notification *n = receiver->bound_notification;

	/* another thread that still uses the reply object loses it */
	if (unlikely(r && r->tcb && r->tcb != receiver))
		ipc_cancel(r->tcb);
	if (n && notification_complete(n, receiver))
		return;
	if (endpoint_state(ep) == ENDPOINT_SEND)
		endpoint_receive_from(receiver, ep, r);
	else if (blocking)
		endpoint_receive_wait(receiver, ep, r);
	else
		receiver->ctx.rdi = 0;
}

/* ---- cancelling ---- */

static void endpoint_cancel(struct tcb *t)
{
	endpoint_leave(t->blocking_object, t);
	if (t->state == THREAD_BLOCKED_RECV && t->reply)
		reply_unlink(t->reply, t);
	sched_set_state(t, THREAD_INACTIVE);
}

void ipc_cancel(struct tcb *t)
{
	switch (t->state) {
	case THREAD_BLOCKED_SEND:
	case THREAD_BLOCKED_RECV:
		endpoint_cancel(t);
		break;
	case THREAD_BLOCKED_NOTIFICATION:
		notification_cancel(t);
		break;
	case THREAD_BLOCKED_REPLY:
		reply_remove_tcb(t);
		break;
	default:
		break;
	}
	t->fault.type = seL4_Fault_NullFault;
}

/* t waited here and shall try again; one that waited with a fault has nothing to try, and stays where it
 * stopped. */
static void endpoint_restart(struct tcb *t)
{
	bool faulted = t->fault.type != seL4_Fault_NullFault;

	endpoint_cancel(t);
	t->fault.type = seL4_Fault_NullFault;
	if (faulted)
		return;
	sched_set_state(t, THREAD_RESTART);
	sched_possible_switch_to(t);
}

/* Units of work (preempt_point) that taking a thread off costs, and passing by another's. */
#define ENDPOINT_RESTART_UNITS	 2u
#define ENDPOINT_PASSED_PER_UNIT 8u

exception_t ipc_cancel_all(struct endpoint *ep)
{
	if (endpoint_scan.ep == ep)
		endpoint_scan.caller = NULL;
	while (endpoint_state(ep) != ENDPOINT_IDLE) {
		endpoint_restart(endpoint_head(ep));
		if (endpoint_state(ep) != ENDPOINT_IDLE && preempt_point(ENDPOINT_RESTART_UNITS))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

/* Where the caller's scan goes on, or the beginning of a new one. */
static void endpoint_scan_begin(const struct tcb *caller, struct endpoint *ep, word_t badge)
{
	if (endpoint_scan.caller == caller && endpoint_scan.ep == ep && endpoint_scan.badge == badge)
		return;
	endpoint_scan.caller = caller;
	endpoint_scan.ep = ep;
	endpoint_scan.badge = badge;
	endpoint_scan.begun = endpoint_senders;
	endpoint_scan.next = endpoint_state(ep) == ENDPOINT_SEND ? endpoint_head(ep) : NULL;
}

static bool endpoint_scan_wants(const struct tcb *t)
{
	return t->send_badge == endpoint_scan.badge && t->send_time < endpoint_scan.begun;
}

exception_t ipc_cancel_badged(struct endpoint *ep, word_t badge)
{
	unsigned passed = 0;
	struct tcb *t;

	endpoint_scan_begin(percpu_self()->current, ep, badge);
	while ((t = endpoint_scan.next) != NULL) {
		unsigned units = 0;

		endpoint_scan.next = t->ipc_next;
		if (endpoint_scan_wants(t)) {
			endpoint_restart(t);
			units = ENDPOINT_RESTART_UNITS;
		} else if (++passed % ENDPOINT_PASSED_PER_UNIT == 0) {
			units = 1;
		}
		if (units && endpoint_scan.next && preempt_point(units))
			return EXC_PREEMPTED;
	}
	endpoint_scan.caller = NULL;
	return EXC_NONE;
}

void ipc_cancel_badged_forget(const struct tcb *t)
{
	if (unlikely(endpoint_scan.caller == t))
		endpoint_scan.caller = NULL;
}

/* ---- priorities ---- */

void ipc_set_priority(struct tcb *t, uint8_t priority)
{
	struct endpoint *ep;
	enum endpoint_state state;
	struct queue q;

	if (t->state == THREAD_BLOCKED_NOTIFICATION) {
		notification_set_priority(t, priority);
		return;
	}
	if (t->state != THREAD_BLOCKED_SEND && t->state != THREAD_BLOCKED_RECV) {
		t->priority = priority;
		return;
	}
	ep = t->blocking_object;
	state = endpoint_state(ep);
	q = endpoint_queue(ep);
	/* t may come to where an interrupted scan has been already */
	if (endpoint_scan.ep == ep)
		endpoint_scan.caller = NULL;
	endpoint_scan_passes(t);
	queue_remove(&q, t);
	t->priority = priority;
	queue_insert(&q, t);
	endpoint_store(ep, q, state);
}
