/* Threads that run: priorities, suspend and resume, spaces of their own, buffers, TLS, and who runs first. */
#include "roottask/conformance/worker.h"

static volatile seL4_Word trail;

/* Each leaves its digit when it runs. */
static void leaves(struct worker *w)
{
	trail = trail * 10 + w->label;
}

static void priorities(void)
{
	struct worker *a = worker_new(50, 0), *b = worker_new(60, 0), *c = worker_new(70, 0);

	a->label = 1;
	b->label = 2;
	c->label = 3;
	trail = 0;
	worker_start(a, leaves);
	worker_start(b, leaves);
	worker_start(c, leaves);
	worker_settle();
	conformance_equal("thread.highest_first", trail, 321);
	runtime_must(seL4_TCB_SetPriority(a->thread.tcb, SELF, 80), "a priority");
	trail = 0;
	worker_start(a, leaves);
	worker_start(b, leaves);
	worker_start(c, leaves);
	worker_settle();
	conformance_equal("thread.raised_is_first", trail, 132);
	/* raised while it is ready */
	trail = 0;
	worker_start(a, leaves);
	worker_start(b, leaves);
	worker_start(c, leaves);
	runtime_must(seL4_TCB_SetPriority(b->thread.tcb, SELF, 90), "a priority");
	worker_settle();
	conformance_equal("thread.raised_while_ready", trail, 213);
	runtime_must(seL4_TCB_SetPriority(a->thread.tcb, SELF, 60) |
			 seL4_TCB_SetPriority(b->thread.tcb, SELF, 60) |
			 seL4_TCB_SetPriority(c->thread.tcb, SELF, 60),
		     "priorities");
	trail = 0;
	worker_start(c, leaves);
	worker_start(a, leaves);
	worker_start(b, leaves);
	worker_settle();
	conformance_equal("thread.equals_in_order", trail, 312);
	worker_end(a);
	worker_end(b);
	worker_end(c);
}

/* A thread that is woken runs at once if its priority is higher, later if it is not. */
static void wakes(struct worker *w)
{
	trail = trail * 10 + 1;
	seL4_Signal(w->cap);
	trail = trail * 10 + 2;
}

static void woken(struct worker *w)
{
	(void)seL4_Wait(w->cap, &w->badge);
	trail = trail * 10 + 3;
}

static void preemption(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0);
	struct worker *waker = worker_new(100, 0), *sleeper = worker_new(101, 0);

	waker->cap = sleeper->cap = n;
	worker_run(sleeper, woken);
	trail = 0;
	worker_run(waker, wakes);
	conformance_equal("thread.higher_runs_at_once", trail, 132);
	runtime_must(seL4_TCB_SetPriority(sleeper->thread.tcb, SELF, 100), "a priority");
	worker_run(sleeper, woken);
	trail = 0;
	worker_run(waker, wakes);
	conformance_equal("thread.equal_runs_later", trail, 123);
	runtime_must(seL4_TCB_SetPriority(sleeper->thread.tcb, SELF, 99), "a priority");
	worker_run(sleeper, woken);
	trail = 0;
	worker_run(waker, wakes);
	conformance_equal("thread.lower_runs_later", trail, 123);
	worker_end(waker);
	worker_end(sleeper);
}

/* ---- suspend and resume ---- */

static void counts(struct worker *w)
{
	for (;;) {
		w->begun++;
		seL4_Yield();
		if (w->begun >= w->label)
			(void)seL4_Wait(w->cap, &w->badge);
	}
}

static void stops(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), ep = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word badge;

	w->cap = n;
	w->label = 10;
	worker_run(w, counts);
	conformance_equal("thread.runs", w->begun, 10);
	/* suspended while ready: it does not run */
	w->label = 20;
	seL4_Signal(n);
	conformance_ok("thread.suspend_ready", seL4_TCB_Suspend(w->thread.tcb));
	worker_settle();
	conformance_equal("thread.suspended_does_not_run", w->begun, 10);
	conformance_ok("thread.resume", seL4_TCB_Resume(w->thread.tcb));
	worker_settle();
	conformance_equal("thread.resumed_runs_on", w->begun, 20);
	conformance_ok("thread.resume_blocked", seL4_TCB_Resume(w->thread.tcb));
	worker_settle();
	conformance_equal("thread.resumed_waits_again", w->begun, 20);
	seL4_Signal(n);
	conformance_ok("thread.resume_ready", seL4_TCB_Resume(w->thread.tcb));
	worker_settle();
	conformance_equal("thread.resume_of_ready_is_nothing", w->begun, 21);
	/* a sender that is suspended has not sent; resumed, it sends */
	w->cap = ep;
	w->label = 6;
	w->length = 0;
	worker_run(w, worker_send);
	runtime_must(seL4_TCB_Suspend(w->thread.tcb), "suspend");
	badge = 9;
	conformance_equal(
	    "thread.suspended_sender_has_not_sent",
	    seL4_MessageInfo_get_label(seL4_NBRecv(ep, &badge, object_new(seL4_ReplyObject, 0))) == 6, 0);
	runtime_must(seL4_TCB_Resume(w->thread.tcb), "resume");
	worker_settle();
	conformance_equal(
	    "thread.resumed_sender_sends",
	    seL4_MessageInfo_get_label(seL4_NBRecv(ep, &badge, object_new(seL4_ReplyObject, 0))), 6);
	worker_end(w);
}

/* A thread without a scheduling context runs when it gets one. */
static void contexts(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8);

	w->label = 5;
	trail = 0;
	thread_make_passive(&w->thread);
	worker_run(w, leaves);
	conformance_equal("thread.no_context_no_run", trail, 0);
	/* one that was never configured has no budget */
	conformance_ok("thread.bind_empty_context", seL4_SchedContext_Bind(sc, w->thread.tcb));
	worker_settle();
	conformance_equal("thread.empty_context_no_run", trail, 0);
	conformance_ok("thread.configure_makes_it_run",
		       seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, sc, 10000,
							10000, 0, 0, 0));
	worker_settle();
	conformance_equal("thread.configured_runs", trail, 5);
	conformance_ok("thread.context_deleted", seL4_CNode_Delete(ROOT, sc, DEPTH));
	trail = 0;
	worker_run(w, leaves);
	conformance_equal("thread.deleted_context_no_run", trail, 0);
	conformance_ok("thread.bind_its_own", seL4_SchedContext_Bind(w->thread.sc, w->thread.tcb));
	worker_settle();
	conformance_equal("thread.its_own_runs", trail, 5);
	worker_end(w);
}

/* ---- another address space ---- */

static void spaces(void)
{
	seL4_CPtr space = space_new(), ep = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new_in(space, WORKER_PRIORITY, 0);
	seL4_Word badge;

	*w = (struct worker){
	    .thread = w->thread, .cap = ep, .label = 4, .length = 20, .word = {1, 2, 3, 4, 5}};
	worker_run(w, worker_send);
	conformance_equal(
	    "thread.other_space_sends",
	    seL4_MessageInfo_get_length(seL4_NBRecv(ep, &badge, object_new(seL4_ReplyObject, 0))), 20);
	conformance_equal("thread.other_space_words", seL4_GetMR(4) == 5 && seL4_GetMR(19) == 19, 1);
	w->reply = object_new(seL4_ReplyObject, 0);
	worker_run(w, worker_recv);
	seL4_SetMR(5, 0x1234567);
	seL4_NBSend(ep, seL4_MessageInfo_new(4, 0, 0, 6));
	worker_settle();
	conformance_equal("thread.other_space_receives", w->done == 1 && w->length == 6, 1);
	/* its address space goes away under it */
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, w->thread.sc,
						      1000, 60000000, 0, 0, 0),
		     "little");
	worker_run(w, worker_spin);
	worker_end(w);
	conformance_ok("thread.delete_space", seL4_CNode_Delete(ROOT, space, DEPTH));
}

static void space_goes(void)
{
	seL4_CPtr space = space_new(), fault = object_new(seL4_EndpointObject, 0),
		  n = object_new(seL4_NotificationObject, 0);
	struct worker *w = worker_new_in(space, WORKER_PRIORITY, fault);
	seL4_Word badge;

	w->cap = n;
	worker_run(w, worker_waits);
	/* revoked: the thread's copy of the capability goes too */
	conformance_ok("thread.revoke_space",
		       seL4_CNode_Revoke(ROOT, space, DEPTH) | seL4_CNode_Delete(ROOT, space, DEPTH));
	seL4_Signal(n);
	worker_settle();
	conformance_equal(
	    "thread.space_gone_faults",
	    seL4_MessageInfo_get_label(seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0))),
	    seL4_Fault_VMFault);
	conformance_equal("thread.space_gone_fetch", seL4_GetMR(2), 1);
	worker_end(w);
}

/* ---- a CSpace of its own ---- */

static void cspaces(void)
{
	seL4_CPtr cnode = object_new(seL4_CapTableObject, 5), n = object_new(seL4_NotificationObject, 0),
		  fault = object_new(seL4_EndpointObject, 0);
	seL4_CPtr guarded = object_slot();
	struct worker *w = worker_new(WORKER_PRIORITY, fault);
	seL4_Word badge = 0;

	runtime_must(seL4_CNode_Mint(cnode, 17, 5, ROOT, n, DEPTH, seL4_AllRights, 0x20), "a badge");
	/* the data word makes the guard; 0 leaves it as it is */
	conformance_ok("thread.cspace_data", seL4_TCB_SetSpace(w->thread.tcb, fault, cnode,
							       seL4_CNode_CapData_new(3, 59), HERE, 0));
	w->cap = 3 << 5 | 17;
	worker_run(w, worker_signal);
	(void)seL4_Poll(n, &badge);
	conformance_equal("thread.cspace_guard", badge, 0x20);
	runtime_must(seL4_CNode_Mint(ROOT, guarded, DEPTH, ROOT, cnode, DEPTH, seL4_AllRights,
				     seL4_CNode_CapData_new(7, 59)),
		     "a guard");
	conformance_ok("thread.cspace_no_data", seL4_TCB_SetSpace(w->thread.tcb, fault, guarded, 0, HERE, 0));
	w->cap = 7 << 5 | 17;
	worker_run(w, worker_signal);
	(void)seL4_Poll(n, &badge);
	conformance_equal("thread.cspace_guard_kept", badge, 0x20);
	/* not all bits resolved: the capability that is found early is it */
	conformance_ok("thread.cspace_short", seL4_TCB_SetSpace(w->thread.tcb, fault, cnode, 0, HERE, 0));
	w->cap = 17ull << 59 | 0x123;
	worker_run(w, worker_signal);
	(void)seL4_Poll(n, &badge);
	conformance_equal("thread.cspace_bits_left_over", badge, 0x20);
	/* two levels */
	runtime_must(
	    seL4_CNode_Mint(cnode, 2, 5, ROOT, cnode, DEPTH, seL4_AllRights, seL4_CNode_CapData_new(0, 54)),
	    "itself");
	w->cap = 2ull << 59 | 17;
	worker_run(w, worker_signal);
	(void)seL4_Poll(n, &badge);
	conformance_equal("thread.cspace_two_levels", badge, 0x20);
	worker_end(w);
}

/* A thread whose CSpace went away before it looked anything up: its first call finds no root, whatever it
 * names. */
static void cspace_goes(const char *name, void (*work)(struct worker *))
{
	seL4_CPtr cnode = object_new(seL4_CapTableObject, 5), fault = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault);
	seL4_MessageInfo_t info;
	seL4_Word badge;

	runtime_must(seL4_TCB_SetSpace(w->thread.tcb, fault, cnode, seL4_CNode_CapData_new(0, 59), HERE, 0),
		     "a CSpace");
	runtime_must(seL4_CNode_Revoke(ROOT, cnode, DEPTH) | seL4_CNode_Delete(ROOT, cnode, DEPTH),
		     "no CSpace");
	worker_run(w, work);
	info = seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0));
	conformance_equal(name,
			  seL4_MessageInfo_get_label(info) == seL4_Fault_CapFault &&
			      seL4_GetMR(seL4_CapFault_Addr) == 0 &&
			      seL4_GetMR(seL4_CapFault_LookupFailureType) == seL4_InvalidRoot,
			  1);
	worker_end(w);
}

void thread_cases(void)
{
	priorities();
	preemption();
	stops();
	contexts();
	spaces();
	space_goes();
	cspaces();
	cspace_goes("thread.cspace_gone_call", worker_call);
	cspace_goes("thread.cspace_gone_wait", worker_waits);
	cspace_goes("thread.cspace_gone_recv", worker_recv);
}
