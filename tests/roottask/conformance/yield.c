/* SchedContext_YieldTo: whom one may yield to, who runs then, and the time that is reported. */
#include "roottask/conformance/worker.h"

static volatile seL4_Word trail;

static void leaves(struct worker *w)
{
	trail = trail * 10 + w->label;
}

static void yields_to(struct worker *w)
{
	seL4_SchedContext_YieldTo_t r = seL4_SchedContext_YieldTo(w->cap);

	w->error = (seL4_Error)r.error;
	w->word[0] = r.consumed;
	trail = trail * 10 + w->label;
}

static void errors(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *t = worker_new(WORKER_PRIORITY, 0);

	conformance_error("yield_to.nobody",
			  seL4_SchedContext_YieldTo(object_new(seL4_SchedContextObject, 8)).error,
			  seL4_IllegalOperation);
	conformance_error("yield_to.self", seL4_SchedContext_YieldTo(seL4_CapInitThreadSC).error,
			  seL4_IllegalOperation);
	/* not above one's maximum controlled priority */
	runtime_must(seL4_TCB_SetMCPriority(w->thread.tcb, SELF, 90), "a maximum");
	w->cap = t->thread.sc;
	worker_run(w, yields_to);
	conformance_equal("yield_to.above_mcp", w->done == 1 && w->error == seL4_IllegalOperation, 1);
	runtime_must(seL4_TCB_SetMCPriority(w->thread.tcb, SELF, WORKER_PRIORITY), "a maximum");
	worker_run(w, yields_to);
	conformance_equal("yield_to.at_mcp", w->done == 1 && w->error == 0, 1);
	/* a thread that does not run (here: inactive) is no error */
	conformance_ok("yield_to.inactive", seL4_SchedContext_YieldTo(t->thread.sc).error);
	worker_end(w);
	worker_end(t);
}

static void order(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *x = worker_new(WORKER_PRIORITY, 0),
		      *t = worker_new(WORKER_PRIORITY, 0);

	w->label = 1;
	x->label = 2;
	t->label = 3;
	w->cap = t->thread.sc;
	trail = 0;
	worker_start(w, yields_to);
	worker_start(x, leaves);
	worker_start(t, leaves);
	worker_settle();
	/* the target is first, then the caller, then who waited before */
	conformance_equal("yield_to.target_first", trail, 312);
	/* a target of lower priority only comes first among its equals */
	runtime_must(seL4_TCB_SetPriority(x->thread.tcb, SELF, 50) |
			 seL4_TCB_SetPriority(t->thread.tcb, SELF, 50),
		     "priorities");
	trail = 0;
	worker_start(w, yields_to);
	worker_start(x, leaves);
	worker_start(t, leaves);
	worker_settle();
	conformance_equal("yield_to.lower_first_of_equals", trail, 132);
	/* one of higher priority runs anyway */
	runtime_must(seL4_TCB_SetPriority(t->thread.tcb, SELF, 150), "a priority");
	trail = 0;
	worker_start(w, yields_to);
	worker_start(t, leaves);
	worker_settle();
	conformance_equal("yield_to.higher", trail, 31);
	worker_end(w);
	worker_end(x);
	worker_end(t);
}

static void works(struct worker *w)
{
	for (volatile unsigned i = 0; i < 3000000; i++)
		;
	trail = trail * 10 + w->label;
}

static void consumed(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *t = worker_new(WORKER_PRIORITY, 0);

	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, t->thread.sc,
						      1000000, 1000000, 0, 0, 0),
		     "a long slice");
	(void)seL4_SchedContext_Consumed(t->thread.sc);
	w->cap = t->thread.sc;
	t->label = 1;
	w->label = 2;
	trail = 0;
	worker_start(w, yields_to);
	worker_start(t, works);
	worker_settle();
	conformance_equal("yield_to.waits_for_the_target", trail, 12);
	conformance_case("yield_to.reports_time", w->word[0] > 100, "no time reported");
	conformance_case("yield_to.clears_time",
			 seL4_SchedContext_Consumed(t->thread.sc).consumed < w->word[0], "not cleared");
	worker_end(w);
	worker_end(t);
}

static void yields_by_send(struct worker *w)
{
	seL4_Send(w->cap, seL4_MessageInfo_new(SchedContextYieldTo, 0, 0, 0));
	trail = trail * 10 + w->label;
}

static void lets_the_other_in(struct worker *w)
{
	(void)seL4_TCB_SetPriority(w->cap, w->thread.tcb, WORKER_PRIORITY - 1);
	seL4_Yield();
	trail = trail * 10 + w->label;
}

/* Two to the same, one that is suspended meanwhile, one whose target goes away, one that wants no answer. */
static void several(void)
{
	struct worker *a = worker_new(WORKER_PRIORITY, 0), *b = worker_new(WORKER_PRIORITY, 0),
		      *t = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr n = object_new(seL4_NotificationObject, 0);

	a->cap = b->cap = t->thread.sc;
	a->label = 1;
	b->label = 2;
	t->label = 3;
	t->cap = a->thread.tcb;
	trail = 0;
	worker_start(a, yields_to);
	worker_start(b, yields_to);
	worker_start(t, lets_the_other_in);
	worker_settle();
	/* the second comes while the first waits still: the first one's wait is over then, but it has lost
	 * its turn */
	conformance_equal("yield_to.two_callers", trail, 321);
	conformance_equal("yield_to.two_callers_both_answered",
			  a->done == 1 && b->done == 1 && a->error == 0 && b->error == 0, 1);
	runtime_must(seL4_TCB_SetPriority(a->thread.tcb, SELF, WORKER_PRIORITY), "a priority");
	trail = 0;
	worker_start(a, yields_by_send);
	worker_start(t, leaves);
	worker_settle();
	conformance_equal("yield_to.by_send", trail, 31);
	/* the target blocks: the caller goes on */
	t->cap = n;
	trail = 0;
	worker_start(a, yields_to);
	worker_start(t, worker_waits);
	worker_settle();
	conformance_equal("yield_to.target_blocks", a->done == 1 && a->error == 0 && t->done == 0, 1);
	/* a spent target does not run; the caller does not wait */
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, t->thread.sc,
						      500, 60000000, 0, 0, 0),
		     "little");
	worker_run(t, worker_spin);
	worker_run(a, yields_to);
	conformance_equal("yield_to.spent_target", a->done == 1 && a->error == 0, 1);
	worker_end(a);
	worker_end(b);
	worker_end(t);
}

void yield_cases(void)
{
	errors();
	order();
	consumed();
	several();
}
