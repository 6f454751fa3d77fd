/* Insula's timer objects: docs/extensions.md. */
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

static seL4_Word polled(seL4_CPtr n)
{
	seL4_Word badge = ~0ull;

	(void)seL4_Poll(n, &badge);
	return badge;
}

void timer_cases(void)
{
	seL4_CPtr timer = object_new(insula_TimerObject, 0), n = object_new(seL4_NotificationObject, 0);
	seL4_CPtr badged = object_mint(n, seL4_AllRights, 0x10), deaf = object_mint(n, seL4_CanRead, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word deadline;

	conformance_equal("timer.type", conformance_type(timer), insula_CapTypeTimer);
	conformance_error("timer.unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	conformance_error1("timer.no_send", insula_Timer_Bind(timer, deaf), seL4_InvalidCapability, 1);
	conformance_error1("timer.endpoint", insula_Timer_Bind(timer, object_new(seL4_EndpointObject, 0)),
			   seL4_InvalidCapability, 1);
	conformance_ok("timer.bind", insula_Timer_Bind(timer, badged));
	conformance_ok("timer.past", insula_Timer_Set(timer, 1));
	conformance_equal("timer.past_signals", polled(n), 0x10);
	conformance_ok("timer.never", insula_Timer_Set(timer, ~0ull));
	conformance_equal("timer.never_waits", polled(n), 0);
	conformance_ok("timer.cancel", insula_Timer_Cancel(timer));
	conformance_ok("timer.cancel_again", insula_Timer_Cancel(timer));
	/* a thread is woken, not before the deadline */
	w->cap = n;
	worker_run(w, worker_waits);
	deadline = tsc_read() + 3000000;
	conformance_ok("timer.set", insula_Timer_Set(timer, deadline));
	while (!w->done && tsc_read() < deadline + 2000000000)
		worker_settle();
	conformance_equal("timer.wakes", w->done == 1 && w->badge == 0x10, 1);
	conformance_case("timer.not_early", tsc_read() >= deadline, "before the deadline");
	/* a later setting replaces the earlier */
	runtime_must(insula_Timer_Set(timer, tsc_read() + 2000000), "set");
	runtime_must(insula_Timer_Set(timer, ~0ull), "set again");
	for (deadline = tsc_read() + 10000000; tsc_read() < deadline;)
		;
	conformance_equal("timer.replaced", polled(n), 0);
	conformance_ok("timer.unbind", insula_Timer_Unbind(timer));
	conformance_error("timer.unbound_again", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	runtime_must(insula_Timer_Bind(timer, badged), "bind");
	conformance_ok("timer.revoke_notification", seL4_CNode_Revoke(ROOT, n, DEPTH));
	conformance_error("timer.revoked_is_unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	conformance_ok("timer.delete", seL4_CNode_Delete(ROOT, timer, DEPTH));
	worker_end(w);
}
