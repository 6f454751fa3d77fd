/* Scheduling contexts as objects: configuration and binding, errors in their order. What time does: time.c.
 */
#include "roottask/conformance/worker.h"

static seL4_CPtr control;

static seL4_Error configure(seL4_CPtr sc, seL4_Word budget, seL4_Word period, seL4_Word extra,
			    seL4_Word flags)
{
	return seL4_SchedControl_ConfigureFlags(control, sc, budget, period, extra, 0x77, flags);
}

static void parameters(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), sc = object_new(seL4_SchedContextObject, 8);
	seL4_Word max;

	conformance_error1("sched.budget_19", configure(sc, 19, 1000, 0, 0), seL4_RangeError, 20);
	conformance_error1("sched.budget_0", configure(sc, 0, 1000, 0, 0), seL4_RangeError, 20);
	conformance_error1("sched.period_19", configure(sc, 20, 19, 0, 0), seL4_RangeError, 20);
	conformance_error2("sched.budget_above_period", configure(sc, 2000, 1000, 0, 0), seL4_RangeError, 20,
			   1000);
	conformance_error1("sched.budget_huge", configure(sc, ~0ull, ~0ull, 0, 0), seL4_RangeError, 20);
	max = seL4_GetMR(1);
	conformance_case("sched.max_is_long", max > 1000000ull * 3600, "less than an hour");
	conformance_ok("sched.budget_max", configure(sc, max, max, 0, 0));
	conformance_error2("sched.budget_above_max", configure(sc, max + 1, max, 0, 0), seL4_RangeError, 20,
			   max);
	conformance_error2("sched.period_above_max", configure(sc, 1000, max + 1, 0, 0), seL4_RangeError, 20,
			   max);
	conformance_ok("sched.budget_20", configure(sc, 20, 20, 0, 0));
	conformance_ok("sched.period_longer", configure(sc, 20, 1000000, 0, 0));
	conformance_error1("sched.no_sc", configure(ep, 1000, 1000, 0, 0), seL4_InvalidCapability, 1);
	conformance_error1("sched.empty_slot", configure(object_slot(), 1000, 1000, 0, 0),
			   seL4_InvalidCapability, 1);
	conformance_ok("sched.sporadic", configure(sc, 1000, 2000, 0, 1));
	conformance_ok("sched.unknown_flags", configure(sc, 1000, 2000, 0, ~0ull));
	for (seL4_Word bits = 7; bits <= 12; bits++) {
		seL4_CPtr sized = object_new(seL4_SchedContextObject, bits);
		const seL4_Word extra = ((1ull << bits) - 128) / 16;

		conformance_ok(conformance_name("sched.refills_max", bits),
			       configure(sized, 1000, 2000, extra, 1));
		conformance_error2(conformance_name("sched.refills_above", bits),
				   configure(sized, 1000, 2000, extra + 1, 1), seL4_RangeError, 0, extra);
		conformance_error2(conformance_name("sched.refills_huge", bits),
				   configure(sized, 1000, 1000, ~0ull, 0), seL4_RangeError, 0, extra);
	}
	conformance_error("sched.order_budget_kind", configure(ep, 19, 1000, 0, 0), seL4_RangeError);
	conformance_error1("sched.order_kind_refills", configure(ep, 1000, 1000, 99, 0),
			   seL4_InvalidCapability, 1);
}

static void binding(void)
{
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8), other = object_new(seL4_SchedContextObject, 7);
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), second = object_new(seL4_TCBObject, 0),
		  ep = object_new(seL4_EndpointObject, 0);
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), m = object_new(seL4_NotificationObject, 0);

	conformance_error1("sched.bind_endpoint", seL4_SchedContext_Bind(sc, ep), seL4_InvalidCapability, 1);
	conformance_error1("sched.bind_empty", seL4_SchedContext_Bind(sc, 0), seL4_InvalidCapability, 1);
	conformance_error1("sched.unbind_object_endpoint", seL4_SchedContext_UnbindObject(sc, ep),
			   seL4_InvalidCapability, 1);
	conformance_error("sched.unbind_object_not_bound", seL4_SchedContext_UnbindObject(sc, tcb),
			  seL4_IllegalOperation);
	conformance_error("sched.unbind_notification_not_bound", seL4_SchedContext_UnbindObject(sc, n),
			  seL4_IllegalOperation);
	conformance_ok("sched.unbind_nothing", seL4_SchedContext_Unbind(sc));
	conformance_ok("sched.bind", seL4_SchedContext_Bind(sc, tcb));
	conformance_error("sched.bind_second", seL4_SchedContext_Bind(sc, second), seL4_IllegalOperation);
	conformance_error("sched.bind_same_again", seL4_SchedContext_Bind(sc, tcb), seL4_IllegalOperation);
	conformance_error("sched.tcb_has_one", seL4_SchedContext_Bind(other, tcb), seL4_IllegalOperation);
	conformance_error("sched.unbind_other_object", seL4_SchedContext_UnbindObject(sc, second),
			  seL4_IllegalOperation);
	/* a thread and a notification at once */
	conformance_ok("sched.bind_notification_too", seL4_SchedContext_Bind(sc, n));
	conformance_error("sched.bind_second_notification", seL4_SchedContext_Bind(sc, m),
			  seL4_IllegalOperation);
	conformance_error("sched.notification_has_one", seL4_SchedContext_Bind(other, n),
			  seL4_IllegalOperation);
	conformance_ok("sched.unbind_object", seL4_SchedContext_UnbindObject(sc, tcb));
	conformance_error("sched.notification_stays_bound", seL4_SchedContext_Bind(other, n),
			  seL4_IllegalOperation);
	conformance_ok("sched.unbind_notification", seL4_SchedContext_UnbindObject(sc, n));
	conformance_ok("sched.notification_is_free", seL4_SchedContext_Bind(other, n));
	conformance_ok("sched.unbind_all", seL4_SchedContext_Unbind(other));
	conformance_ok("sched.all_are_free", seL4_SchedContext_Bind(sc, n) | seL4_SchedContext_Bind(sc, tcb));
	conformance_error("sched.unbind_own", seL4_SchedContext_Unbind(seL4_CapInitThreadSC),
			  seL4_IllegalOperation);
	conformance_error("sched.unbind_own_object",
			  seL4_SchedContext_UnbindObject(seL4_CapInitThreadSC, SELF), seL4_IllegalOperation);
	/* an end of either side */
	conformance_ok("sched.delete_thread", seL4_CNode_Delete(ROOT, tcb, DEPTH));
	conformance_ok("sched.thread_gone_is_unbound", seL4_SchedContext_Bind(sc, second));
	conformance_ok("sched.delete_notification", seL4_CNode_Delete(ROOT, n, DEPTH));
	conformance_ok("sched.notification_gone_is_unbound", seL4_SchedContext_Bind(sc, m));
	conformance_ok("sched.delete_context", seL4_CNode_Delete(ROOT, sc, DEPTH));
	conformance_ok("sched.context_gone_is_unbound",
		       seL4_SchedContext_Bind(other, second) | seL4_SchedContext_Bind(other, m));
}

/* A blocked thread may only get a context whose budget can be used at once. */
static void blocked(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *burner = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), sc = object_new(seL4_SchedContextObject, 8);

	runtime_must(configure(sc, 500, 60000000, 0, 0), "half a millisecond a minute");
	thread_make_passive(&burner->thread);
	runtime_must(seL4_SchedContext_Bind(sc, burner->thread.tcb), "bind");
	worker_run(burner, worker_spin);
	runtime_must(seL4_SchedContext_Unbind(sc), "unbind");
	w->cap = n;
	worker_run(w, worker_waits);
	thread_make_passive(&w->thread);
	conformance_error("sched.bind_blocked_spent", seL4_SchedContext_Bind(sc, w->thread.tcb),
			  seL4_IllegalOperation);
	conformance_error("sched.params_blocked_spent",
			  seL4_TCB_SetSchedParams(w->thread.tcb, SELF, 255, WORKER_PRIORITY, sc, 0),
			  seL4_IllegalOperation);
	conformance_ok("sched.bind_blocked_fresh", seL4_SchedContext_Bind(w->thread.sc, w->thread.tcb));
	/* an inactive thread may have it: it waits for the budget */
	runtime_must(seL4_TCB_Suspend(burner->thread.tcb), "suspend");
	conformance_ok("sched.bind_inactive_spent", seL4_SchedContext_Bind(sc, burner->thread.tcb));
	worker_end(w);
	worker_end(burner);
}

static void copies(void)
{
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8), copy = object_copy(sc),
		  tcb = object_new(seL4_TCBObject, 0);

	conformance_ok("sched.copy_configures", configure(copy, 1000, 1000, 0, 0));
	conformance_ok("sched.copy_binds", seL4_SchedContext_Bind(copy, tcb));
	conformance_error("sched.copy_is_the_same", seL4_SchedContext_Bind(sc, object_new(seL4_TCBObject, 0)),
			  seL4_IllegalOperation);
	conformance_ok("sched.control_copy",
		       seL4_SchedControl_ConfigureFlags(object_copy(control), sc, 1000, 1000, 0, 0, 0));
	conformance_ok("sched.delete_copy", seL4_CNode_Delete(ROOT, copy, DEPTH));
	conformance_error("sched.delete_copy_keeps_it", seL4_SchedContext_Bind(sc, tcb),
			  seL4_IllegalOperation);
}

void sched_cases(void)
{
	control = runtime_bootinfo()->schedcontrol.start;
	parameters();
	binding();
	blocked();
	copies();
}
