/* Notifications: the word of badges, waiting threads, the bound thread, the lent scheduling context. */
#include "roottask/conformance/worker.h"

static seL4_CPtr notification(void)
{
	return object_new(seL4_NotificationObject, 0);
}

static seL4_CPtr badged(seL4_CPtr n, seL4_Word badge)
{
	return object_mint(n, seL4_AllRights, badge);
}

static seL4_Word polled(seL4_CPtr n)
{
	seL4_Word badge = ~0ull;

	(void)seL4_Poll(n, &badge);
	return badge;
}

/* ---- the word ---- */

static void words(void)
{
	seL4_CPtr n = notification(), one = badged(n, 1), four = badged(n, 4);
	seL4_Word badge = 99;

	conformance_equal("notification.poll_empty", polled(n), 0);
	seL4_Signal(one);
	seL4_Signal(four);
	seL4_Signal(one);
	(void)seL4_Wait(n, &badge);
	conformance_equal("notification.badges_are_or_ed", badge, 5);
	conformance_equal("notification.taken", polled(n), 0);
	seL4_Signal(n);
	badge = 99;
	(void)seL4_Wait(n, &badge);
	conformance_equal("notification.unbadged", badge, 0);
	for (unsigned i = 0; i < 64; i++)
		seL4_Signal(badged(n, 1ull << i));
	conformance_equal("notification.all_bits", polled(n), ~0ull);
	/* by every way to send */
	seL4_NBSend(one, seL4_MessageInfo_new(77, 0, 0, 100));
	conformance_equal("notification.nbsend", polled(n), 1);
	seL4_Send(four, seL4_MessageInfo_new(77, 0, 0, 0));
	conformance_equal("notification.send", polled(n), 4);
	conformance_ok("notification.call_is_answered", conformance_raw(one, 77, 0, 3));
	conformance_equal("notification.call", polled(n), 1);
	/* NBRecv and Recv take it too, with any reply object */
	seL4_Signal(four);
	(void)seL4_NBRecv(n, &badge, 0);
	conformance_equal("notification.nbrecv", badge, 4);
	seL4_Signal(one);
	(void)seL4_Recv(n, &badge, 0);
	conformance_equal("notification.recv", badge, 1);
}

/* ---- waiting threads ---- */

static void waiting(void)
{
	seL4_CPtr n = notification();
	struct worker *a = worker_new(100, 0), *b = worker_new(100, 0), *c = worker_new(110, 0);

	a->cap = b->cap = c->cap = n;
	worker_run(a, worker_waits);
	worker_run(b, worker_waits);
	worker_run(c, worker_waits);
	seL4_Signal(badged(n, 2));
	worker_settle();
	conformance_equal("notification.highest_priority_first",
			  c->done == 1 && c->badge == 2 && a->done == 0 && b->done == 0, 1);
	seL4_Signal(badged(n, 3));
	worker_settle();
	conformance_equal("notification.then_first_come", a->done == 1 && a->badge == 3 && b->done == 0, 1);
	seL4_Signal(badged(n, 4));
	seL4_Signal(badged(n, 8));
	worker_settle();
	conformance_equal("notification.one_signal_one_thread", b->done == 1 && b->badge == 4, 1);
	conformance_equal("notification.next_signal_is_kept", polled(n), 8);
	/* a waiter that is suspended loses nothing of others' */
	worker_run(a, worker_waits);
	worker_run(b, worker_waits);
	runtime_must(seL4_TCB_Suspend(a->thread.tcb), "suspend");
	seL4_Signal(badged(n, 16));
	worker_settle();
	conformance_equal("notification.suspended_waiter_leaves", b->done == 1 && b->badge == 16, 1);
	conformance_ok("notification.resume", seL4_TCB_Resume(a->thread.tcb));
	worker_settle();
	seL4_Signal(badged(n, 32));
	worker_settle();
	conformance_equal("notification.resumed_waits_again", a->done == 1 && a->badge == 32, 1);
	/* the priority of a waiter changes */
	worker_run(a, worker_waits);
	worker_run(b, worker_waits);
	runtime_must(seL4_TCB_SetPriority(b->thread.tcb, SELF, 120), "a priority");
	seL4_Signal(n);
	worker_settle();
	conformance_equal("notification.raised_waiter_is_first", b->done == 1 && a->done == 0, 1);
	worker_end(a);
	worker_end(b);
	worker_end(c);
}

static void ends(void)
{
	seL4_CPtr n = notification(), fault = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault);
	seL4_Word badge;

	w->cap = n;
	worker_run(w, worker_waits);
	conformance_ok("notification.delete", seL4_CNode_Delete(ROOT, n, DEPTH));
	worker_settle();
	conformance_equal(
	    "notification.deleted_under_waiter",
	    seL4_MessageInfo_get_label(seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0))),
	    seL4_Fault_CapFault);
	worker_end(w);
}

/* ---- the bound thread ---- */

static void bound(void)
{
	seL4_CPtr n = notification(), ep = object_new(seL4_EndpointObject, 0),
		  fault = object_new(seL4_EndpointObject, 0);
	seL4_CPtr reply = object_new(seL4_ReplyObject, 0), server = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *other = worker_new(WORKER_PRIORITY, fault),
		      *sender = worker_new(WORKER_PRIORITY, 0);
	seL4_Word badge;

	conformance_ok("bound.bind", seL4_TCB_BindNotification(w->thread.tcb, n));
	w->cap = ep;
	w->reply = object_new(seL4_ReplyObject, 0);
	worker_run(w, worker_recv);
	w->label = w->length = 99;
	seL4_Signal(badged(n, 4));
	worker_settle();
	conformance_equal("bound.wakes_a_receiver", w->done == 1 && w->badge == 4, 1);
	/* and the endpoint no longer knows it */
	sender->cap = ep;
	worker_run(sender, worker_send);
	conformance_equal("bound.has_left_the_endpoint", sender->done, 0);
	/* pending: it wins over a waiting sender */
	seL4_Signal(badged(n, 8));
	worker_run(w, worker_recv);
	conformance_equal("bound.signal_before_sender", w->done == 1 && w->badge == 8 && sender->done == 0,
			  1);
	worker_run(w, worker_recv);
	conformance_equal("bound.then_the_sender", w->done == 1 && w->badge == 0 && sender->done == 1, 1);
	/* by Wait, NBRecv and NBWait on the endpoint as well */
	worker_run(w, worker_waits);
	seL4_Signal(badged(n, 16));
	worker_settle();
	conformance_equal("bound.wakes_wait", w->done == 1 && w->badge == 16, 1);
	seL4_Signal(badged(n, 32));
	worker_run(w, worker_nbrecv);
	conformance_equal("bound.nbrecv", w->badge, 32);
	seL4_Signal(badged(n, 64));
	worker_run(w, worker_nbwait);
	conformance_equal("bound.nbwait", w->badge, 64);
	/* waiting for the notification itself is fine for the bound thread, a fault for another */
	w->cap = n;
	worker_run(w, worker_waits);
	seL4_Signal(badged(n, 1));
	worker_settle();
	conformance_equal("bound.waits_itself", w->done == 1 && w->badge == 1, 1);
	other->cap = n;
	worker_run(other, worker_waits);
	conformance_equal("bound.others_may_not_wait",
			  seL4_MessageInfo_get_label(seL4_NBRecv(fault, &badge, reply)) ==
				  seL4_Fault_CapFault &&
			      seL4_GetMR(2) == 1 && seL4_GetMR(3) == seL4_MissingCapability,
			  1);
	worker_run(other, worker_nbwait);
	conformance_equal("bound.others_may_not_poll",
			  seL4_MessageInfo_get_label(seL4_NBRecv(fault, &badge, reply)), seL4_Fault_CapFault);
	/* in a call, and while it sends: the signal stays pending */
	w->cap = server;
	w->label = w->length = w->caps = 0;
	worker_run(w, worker_call);
	seL4_Signal(badged(n, 2));
	worker_settle();
	conformance_equal("bound.sender_is_not_woken", w->done, 0);
	(void)seL4_NBRecv(server, &badge, reply);
	seL4_Signal(badged(n, 128));
	worker_settle();
	conformance_equal("bound.caller_is_not_woken", w->done, 0);
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 0));
	worker_settle();
	conformance_equal("bound.caller_answered", w->done, 1);
	w->cap = ep;
	worker_run(w, worker_recv);
	conformance_equal("bound.signals_were_kept", w->done == 1 && w->badge == 130, 1);
	/* a running thread: kept until it receives */
	worker_start(w, worker_spin);
	seL4_Signal(badged(n, 1));
	worker_run(w, worker_recv);
	conformance_equal("bound.running_thread_receives_later", w->done == 1 && w->badge == 1, 1);
	/* unbound, it is an ordinary notification again */
	conformance_ok("bound.unbind", seL4_TCB_UnbindNotification(w->thread.tcb));
	worker_run(w, worker_recv);
	seL4_Signal(badged(n, 1));
	worker_settle();
	conformance_equal("bound.not_after_unbind", w->done, 0);
	conformance_equal("bound.kept_after_unbind", polled(n), 1);
	conformance_ok("bound.bind_again", seL4_TCB_BindNotification(w->thread.tcb, n));
	conformance_ok("bound.delete_notification",
		       seL4_CNode_Revoke(ROOT, n, DEPTH) | seL4_CNode_Delete(ROOT, n, DEPTH));
	conformance_error("bound.deleted_is_unbound", seL4_TCB_UnbindNotification(w->thread.tcb),
			  seL4_IllegalOperation);
	worker_end(w);
	worker_end(other);
	worker_end(sender);
}

static void thread_goes(void)
{
	seL4_CPtr n = notification();
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	runtime_must(seL4_TCB_BindNotification(w->thread.tcb, n), "bind");
	worker_end(w);
	w = worker_new(WORKER_PRIORITY, 0);
	conformance_ok("bound.thread_deleted_unbinds", seL4_TCB_BindNotification(w->thread.tcb, n));
	w->cap = notification();
	worker_end(w);
}

/* ---- the lent scheduling context ---- */

static void receive_twice(struct worker *w)
{
	(void)seL4_Wait(w->cap, &w->badge);
	w->done++;
	(void)seL4_Wait(w->other, &w->badge);
	w->done++;
	(void)seL4_Wait(w->cap, &w->badge);
}

static bool bound_to(seL4_CPtr sc, const struct worker *w)
{
	if (seL4_SchedContext_UnbindObject(sc, w->thread.tcb))
		return false;
	runtime_must(seL4_SchedContext_Bind(sc, w->thread.tcb), "bind again");
	return true;
}

static void lent(void)
{
	seL4_CPtr n = notification(), plain = notification(), sc = object_new(seL4_SchedContextObject, 8);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, sc, 10000,
						      10000, 0, 0, 0),
		     "a context");
	w->cap = n;
	w->other = plain;
	worker_run(w, receive_twice);
	thread_make_passive(&w->thread);
	conformance_ok("lent.bind", seL4_SchedContext_Bind(sc, n));
	conformance_equal("lent.not_yet", bound_to(sc, w), 0);
	seL4_Signal(badged(n, 5));
	worker_settle();
	conformance_equal("lent.passive_waiter_runs", w->done == 1 && w->badge == 5, 1);
	/* it waits elsewhere: it has the context still */
	conformance_equal("lent.still_has_it", bound_to(sc, w), 1);
	seL4_Signal(plain);
	worker_settle();
	conformance_equal("lent.runs_on_it", w->done, 2);
	/* waiting here again it is passive again */
	conformance_equal("lent.given_back", bound_to(sc, w), 0);
	/* without the context a signal only wakes */
	conformance_ok("lent.unbind", seL4_SchedContext_UnbindObject(sc, n));
	seL4_Signal(badged(n, 6));
	worker_settle();
	conformance_equal("lent.no_context_no_run", w->done, 2);
	conformance_ok("lent.bind_to_thread", seL4_SchedContext_Bind(sc, w->thread.tcb));
	worker_settle();
	conformance_equal("lent.runs_with_its_own", w->done == 3 && w->badge == 6, 1);
	worker_end(w);
}

/* The same for a bound thread that receives on an endpoint; a call brings its own. */
static void lent_to_bound(void)
{
	seL4_CPtr n = notification(), sc = object_new(seL4_SchedContextObject, 8),
		  ep = object_new(seL4_EndpointObject, 0);
	struct worker *s = worker_new(WORKER_PRIORITY + 1, 0), *c = worker_new(WORKER_PRIORITY, 0);

	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, sc, 10000,
						      10000, 0, 0, 0),
		     "a context");
	runtime_must(seL4_SchedContext_Bind(sc, n), "bind");
	runtime_must(seL4_TCB_BindNotification(s->thread.tcb, n), "bind");
	s->cap = ep;
	s->reply = object_new(seL4_ReplyObject, 0);
	worker_run(s, worker_serve);
	thread_make_passive(&s->thread);
	seL4_Signal(badged(n, 9));
	worker_settle();
	conformance_equal("lent.bound_thread_runs", s->done == 1 && s->badge == 9, 1);
	conformance_equal("lent.bound_thread_gives_back", bound_to(sc, s), 0);
	*c = (struct worker){.thread = c->thread, .cap = ep, .label = 3, .length = 1, .word = {5}};
	worker_run(c, worker_call);
	conformance_equal("lent.call_brings_its_own", c->done == 1 && c->word[0] == 6, 1);
	conformance_equal("lent.call_takes_its_own_back", bound_to(c->thread.sc, c), 1);
	worker_end(s);
	worker_end(c);
}

void notification_cases(void)
{
	words();
	waiting();
	ends();
	bound();
	thread_goes();
	lent();
	lent_to_bound();
}
