/* Scheduling contexts: configuration, binding. Time itself is measured elsewhere (bench/). */
#include "roottask/conformance/conformance.h"

void sched_cases(void)
{
	const seL4_CPtr control = runtime_bootinfo()->schedcontrol.start;
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8), other = object_new(seL4_SchedContextObject, 7);
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), ep = object_new(seL4_EndpointObject, 0), n = object_new(seL4_NotificationObject, 0);

	conformance_error1("sched.budget_small", seL4_SchedControl_ConfigureFlags(control, sc, 19, 1000, 0, 0, 0), seL4_RangeError, 20);
	conformance_error1("sched.period_small", seL4_SchedControl_ConfigureFlags(control, sc, 20, 19, 0, 0, 0), seL4_RangeError, 20);
	conformance_error("sched.budget_above_period", seL4_SchedControl_ConfigureFlags(control, sc, 2000, 1000, 0, 0, 0), seL4_RangeError);
	conformance_error("sched.budget_huge", seL4_SchedControl_ConfigureFlags(control, sc, ~0ull, ~0ull, 0, 0, 0), seL4_RangeError);
	conformance_error1("sched.no_sc", seL4_SchedControl_ConfigureFlags(control, ep, 1000, 1000, 0, 0, 0), seL4_InvalidCapability, 1);
	conformance_error2("sched.refills", seL4_SchedControl_ConfigureFlags(control, sc, 1000, 2000, 9, 0, 0), seL4_RangeError, 0, 8);
	conformance_error2("sched.refills_core", seL4_SchedControl_ConfigureFlags(control, other, 1000, 2000, 1, 0, 0), seL4_RangeError, 0, 0);
	conformance_error("sched.configure", seL4_SchedControl_ConfigureFlags(control, sc, 1000, 2000, 8, 77, 0), 0);
	conformance_error("sched.sporadic", seL4_SchedControl_ConfigureFlags(control, sc, 1000, 2000, 8, 77, 1), 0);
	conformance_error("sched.round_robin", seL4_SchedControl_ConfigureFlags(control, sc, 1000, 1000, 0, 0, 0), 0);
	conformance_error1("sched.bind_endpoint", seL4_SchedContext_Bind(sc, ep), seL4_InvalidCapability, 1);
	conformance_error("sched.unbind_object_free", seL4_SchedContext_UnbindObject(sc, tcb), seL4_IllegalOperation);
	conformance_error("sched.yield_no_tcb", seL4_SchedContext_YieldTo(sc).error, seL4_IllegalOperation);
	conformance_error("sched.bind", seL4_SchedContext_Bind(sc, tcb), 0);
	conformance_error("sched.bind_twice", seL4_SchedContext_Bind(sc, object_new(seL4_TCBObject, 0)), seL4_IllegalOperation);
	conformance_error("sched.tcb_has_one", seL4_SchedContext_Bind(other, tcb), seL4_IllegalOperation);
	conformance_error("sched.unbind_object", seL4_SchedContext_UnbindObject(sc, tcb), 0);
	conformance_error("sched.bind_notification", seL4_SchedContext_Bind(sc, n), 0);
	conformance_error("sched.bind_notification_twice", seL4_SchedContext_Bind(other, n), seL4_IllegalOperation);
	conformance_error("sched.unbind", seL4_SchedContext_Unbind(sc), 0);
	conformance_error("sched.unbind_own", seL4_SchedContext_Unbind(seL4_CapInitThreadSC), seL4_IllegalOperation);
	conformance_error("sched.yield_to_self", seL4_SchedContext_YieldTo(seL4_CapInitThreadSC).error, seL4_IllegalOperation);
	conformance_error("sched.consumed", seL4_SchedContext_Consumed(sc).error, 0);
	conformance_equal("sched.consumed_nothing", seL4_SchedContext_Consumed(sc).consumed, 0);
	{
		/* ours has run since; reading clears it */
		seL4_Word first = seL4_SchedContext_Consumed(seL4_CapInitThreadSC).consumed;
		seL4_Word second = seL4_SchedContext_Consumed(seL4_CapInitThreadSC).consumed;

		conformance_case("sched.consumed_own", first > second, "time consumed is not counted or not cleared");
	}
}
