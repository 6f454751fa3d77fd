/*
 * Time: what a scheduling context lets run, what is charged, and faults of time. Durations are compared with
 * wide margins, always against the machine's own clock, so that a slow emulator changes nothing.
 */
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

#define BADGE 0x7777

static seL4_CPtr control;
static seL4_Word mhz; /* of the time stamp counter */

static seL4_Word now_us(void)
{
	return tsc_read() / mhz;
}

static void find_mhz(void)
{
	seL4_Word length;
	const void *chunk =
	    sel4_bootinfo_chunk(runtime_bootinfo(), SEL4_BOOTINFO_HEADER_X86_TSC_FREQ, &length);
	uint32_t rate = 0;

	runtime_must(chunk && length >= sizeof(rate) ? 0 : seL4_RangeError, "the clock's rate");
	__builtin_memcpy(&rate, chunk, sizeof(rate));
	mhz = rate;
}

static void configure(const struct worker *w, seL4_Word budget, seL4_Word period, seL4_Word extra,
		      seL4_Word flags)
{
	runtime_must(
	    seL4_SchedControl_ConfigureFlags(control, w->thread.sc, budget, period, extra, BADGE, flags),
	    "configure");
	(void)seL4_SchedContext_Consumed(w->thread.sc);
}

static seL4_Word consumed(const struct worker *w)
{
	return seL4_SchedContext_Consumed(w->thread.sc).consumed;
}

/* The others run, when they may, for so long; we in between. */
static void pass(seL4_Word us)
{
	seL4_Word end = now_us() + us;

	runtime_must(seL4_TCB_SetPriority(SELF, SELF, 1), "a low priority");
	while (now_us() < end)
		;
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
}

/* ---- charging ---- */

static void charging(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word used;

	configure(w, 2000, 60000000, 0, 0);
	worker_run(w, worker_spin);
	used = consumed(w);
	conformance_case("time.budget_is_used_up", used >= 1950, "stopped early");
	conformance_equal("time.consumed_is_cleared", consumed(w), 0);
	worker_settle();
	conformance_equal("time.no_budget_no_run", consumed(w), 0);
	/* new parameters while it waits for budget: it waits on; of one that is stopped, they are a new
	 * budget */
	configure(w, 3000, 60000000, 0, 0);
	used = w->begun;
	worker_settle();
	conformance_equal("time.configured_waits_on", w->begun, used);
	runtime_must(seL4_TCB_Suspend(w->thread.tcb), "suspend");
	configure(w, 3000, 60000000, 0, 0);
	runtime_must(seL4_TCB_Resume(w->thread.tcb), "resume");
	worker_settle();
	conformance_case("time.configured_anew_runs", w->begun > used, "did not run");
	used = seL4_SchedContext_Consumed(seL4_CapInitThreadSC).consumed;
	conformance_case("time.own_is_counted",
			 used > seL4_SchedContext_Consumed(seL4_CapInitThreadSC).consumed,
			 "not counted or not cleared");
	conformance_equal("time.never_ran",
			  seL4_SchedContext_Consumed(object_new(seL4_SchedContextObject, 8)).consumed, 0);
	worker_end(w);
}

/* Over many periods no more than the budget in each, whatever the kind of server. */
static void bandwidth(seL4_Word flags, seL4_Word extra, const char *name)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word start, elapsed, used, most;

	configure(w, 1000, 10000, extra, flags);
	worker_start(w, worker_spin);
	start = now_us();
	pass(200000);
	elapsed = now_us() - start;
	used = consumed(w);
	most = (elapsed / 10000 + 2) * 1000;
	conformance_case(conformance_name2(name, "at_most"), used <= most + 20000, "more than its share");
	conformance_case(conformance_name2(name, "at_least"), used + 6000 >= elapsed / 10000 * 1000 / 2,
			 "less than half of its share");
	worker_end(w);
}

/* Uses little, sleeps, and comes back within the period: it may use the rest, not more. */
static void naps(struct worker *w)
{
	for (;;) {
		seL4_Word end = now_us() + 300;

		while (now_us() < end)
			;
		w->begun++;
		(void)seL4_Wait(w->cap, &w->badge);
	}
}

static void sporadic(seL4_Word flags, const char *name)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word before;

	configure(w, 1000, 60000000, 4, flags);
	w->cap = object_new(seL4_NotificationObject, 0);
	worker_run(w, naps);
	conformance_equal(conformance_name2(name, "first"), w->begun, 2);
	seL4_Signal(w->cap);
	worker_settle();
	conformance_equal(conformance_name2(name, "rest"), w->begun, 3);
	for (unsigned i = 0; i < 6; i++) {
		seL4_Signal(w->cap);
		worker_settle();
	}
	before = w->begun;
	conformance_case(conformance_name2(name, "spent"), before <= 6 && consumed(w) <= 20000,
			 "went on beyond its budget");
	worker_end(w);
}

/* ---- round robin ---- */

static void round_robin(void)
{
	struct worker *a = worker_new(WORKER_PRIORITY, 0), *b = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr handler = object_new(seL4_EndpointObject, 0);
	seL4_Word badge = 0;

	configure(a, 1000, 1000, 0, 0);
	configure(b, 2000, 2000, 0, 0);
	runtime_must(seL4_TCB_SetTimeoutEndpoint(a->thread.tcb, handler), "a timeout handler");
	worker_start(a, worker_spin);
	worker_start(b, worker_spin);
	/* among equals each yield of ours leaves them a slice each */
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, WORKER_PRIORITY), "their priority");
	for (unsigned i = 0; i < 4; i++)
		seL4_Yield();
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
	conformance_case("round_robin.first_had_its_slices", consumed(a) >= 2900, "less than three slices");
	conformance_case("round_robin.second_had_its_slices", consumed(b) >= 5900, "less than three slices");
	(void)seL4_NBRecv(handler, &badge, object_new(seL4_ReplyObject, 0));
	conformance_equal("round_robin.no_timeout_fault", badge, 0);
	worker_end(a);
	worker_end(b);
}

/* ---- Yield ---- */

static void yields(struct worker *w)
{
	for (;;) {
		w->begun++;
		seL4_Yield();
	}
}

static void yielding(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0), *other = worker_new(WORKER_PRIORITY, 0);

	/* the rest of the budget is given up, but not counted as used */
	configure(w, 50000, 60000000, 0, 0);
	worker_start(w, yields);
	worker_settle();
	conformance_equal("yield.waits_for_the_next_period", w->begun, 2);
	conformance_case("yield.counts_what_ran", consumed(w) < 50000, "the rest was counted");
	worker_end(w);
	/* round robin: behind its equals */
	w = worker_new(WORKER_PRIORITY, 0);
	worker_start(w, yields);
	worker_start(other, yields);
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, WORKER_PRIORITY), "their priority");
	for (unsigned i = 0; i < 10; i++)
		seL4_Yield();
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
	conformance_case("yield.takes_turns",
			 w->begun >= 8 && other->begun >= 8 && w->begun <= other->begun + 4 &&
			     other->begun <= w->begun + 4,
			 "not in turns");
	worker_end(w);
	worker_end(other);
}

/* ---- timeout faults ---- */

static volatile seL4_Word redirected;

static void elsewhere(void)
{
	redirected++;
	for (;;)
		(void)seL4_Wait(0, 0);
}

static void timeouts(void)
{
	seL4_CPtr handler = object_new(seL4_EndpointObject, 0),
		  badged = object_mint(handler, seL4_AllRights, 0x33);
	seL4_CPtr reply = object_new(seL4_ReplyObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word badge = 0, ran;
	seL4_MessageInfo_t info;

	runtime_must(seL4_TCB_SetTimeoutEndpoint(w->thread.tcb, badged), "a timeout handler");
	configure(w, 1000, 20000, 0, 0);
	worker_run(w, worker_spin);
	info = seL4_NBRecv(handler, &badge, reply);
	conformance_equal("timeout.label", seL4_MessageInfo_get_label(info), seL4_Fault_Timeout);
	conformance_equal("timeout.length", seL4_MessageInfo_get_length(info), 2);
	conformance_equal("timeout.handler_badge", badge, 0x33);
	conformance_equal("timeout.context_badge", seL4_GetMR(0), BADGE);
	conformance_case("timeout.consumed", seL4_GetMR(1) >= 950 && seL4_GetMR(1) < 1000000,
			 "not what it used");
	conformance_equal("timeout.consumed_is_cleared", consumed(w), 0);
	ran = w->begun;
	pass(60000);
	conformance_equal("timeout.stands_until_answered", w->begun, ran);
	/* answered: it goes on when there is budget, and then faults again */
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 0));
	pass(60000);
	conformance_case("timeout.answered_goes_on", w->begun > ran, "does not run");
	info = seL4_NBRecv(handler, &badge, reply);
	conformance_equal("timeout.again", seL4_MessageInfo_get_label(info), seL4_Fault_Timeout);
	/* the answer's words are its registers */
	{
		seL4_UserContext regs = {0};
		seL4_Word *word = (seL4_Word *)(void *)&regs;

		runtime_must(seL4_TCB_ReadRegisters(w->thread.tcb, false, 0, 20, &regs), "read");
		redirected = 0;
		regs.rip = (seL4_Word)(uintptr_t)elsewhere;
		regs.rsp &= ~15ull;
		regs.rsp -= 8;
		for (int i = 0; i < 19; i++)
			seL4_SetMR(i, word[i]);
		seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 19));
		pass(60000);
		conformance_equal("timeout.answer_moves_it", redirected, 1);
	}
	/* another label: it stays where it is */
	configure(w, 1000, 20000, 0, 0);
	worker_run(w, worker_spin);
	(void)seL4_NBRecv(handler, &badge, reply);
	ran = w->begun;
	seL4_Send(reply, seL4_MessageInfo_new(1, 0, 0, 0));
	pass(60000);
	conformance_equal("timeout.other_label_stops_it", w->begun, ran);
	/* the context may be taken away while it waits: the second word is missing in a later message */
	runtime_must(seL4_TCB_SetTimeoutEndpoint(w->thread.tcb, 0), "no timeout handler");
	configure(w, 1000, 20000, 0, 0);
	worker_start(w, worker_spin);
	pass(60000);
	(void)seL4_NBRecv(handler, &badge, reply);
	conformance_equal("timeout.no_handler_no_fault", badge, 0);
	worker_end(w);
}

static void without_context(void)
{
	seL4_CPtr handler = object_new(seL4_EndpointObject, 0), reply = object_new(seL4_ReplyObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word badge;
	seL4_MessageInfo_t info;

	runtime_must(seL4_TCB_SetTimeoutEndpoint(w->thread.tcb, handler), "a timeout handler");
	configure(w, 1000, 20000, 0, 0);
	worker_run(w, worker_spin);
	thread_make_passive(&w->thread);
	info = seL4_NBRecv(handler, &badge, reply);
	conformance_equal("timeout.without_context", seL4_MessageInfo_get_label(info), seL4_Fault_Timeout);
	conformance_equal("timeout.without_context_length", seL4_MessageInfo_get_length(info), 1);
	conformance_equal("timeout.without_context_badge", seL4_GetMR(0), BADGE);
	worker_end(w);
}

/* ---- on another's time ---- */

static void serves_slowly(struct worker *w)
{
	seL4_MessageInfo_t info = seL4_Recv(w->cap, &w->badge, w->reply);

	for (;;) {
		seL4_Word end = now_us() + w->word[0];

		while (now_us() < end)
			;
		w->done++;
		info = seL4_ReplyRecv(w->cap, info, &w->badge, w->reply);
	}
}

static void donated(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), handler = object_new(seL4_EndpointObject, 0),
		  reply = object_new(seL4_ReplyObject, 0);
	struct worker *s = worker_new(WORKER_PRIORITY + 1, 0), *c = worker_new(WORKER_PRIORITY, 0);
	seL4_Word badge = 0;
	seL4_MessageInfo_t info;

	s->cap = ep;
	s->reply = object_new(seL4_ReplyObject, 0);
	s->word[0] = 3000;
	worker_run(s, serves_slowly);
	thread_make_passive(&s->thread);
	configure(c, 1000, 10000, 0, 0);
	c->cap = ep;
	worker_run(c, worker_call);
	conformance_equal("donated.spent_in_the_server", s->done | c->done, 0);
	conformance_case("donated.charged_to_the_caller", consumed(c) >= 950, "not charged");
	pass(100000);
	conformance_equal("donated.comes_to_its_end", s->done == 1 && c->done == 1, 1);
	/* with a timeout handler of the server */
	runtime_must(seL4_TCB_SetTimeoutEndpoint(s->thread.tcb, handler), "a timeout handler");
	configure(c, 1000, 100000, 0, 0);
	worker_run(c, worker_call);
	info = seL4_NBRecv(handler, &badge, reply);
	conformance_equal("donated.timeout_of_the_server", seL4_MessageInfo_get_label(info),
			  seL4_Fault_Timeout);
	conformance_equal("donated.timeout_badge", seL4_GetMR(0), BADGE);
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 0));
	worker_end(s);
	worker_end(c);
}

/* ---- changing parameters ---- */

static void changes(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_Word before;

	configure(w, 1000, 60000000, 0, 0);
	worker_run(w, worker_spin);
	before = w->begun;
	/* to round robin: it runs from now on */
	runtime_must(seL4_SchedControl_ConfigureFlags(control, w->thread.sc, 1000, 1000, 0, 0, 0),
		     "round robin");
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, WORKER_PRIORITY), "its priority");
	for (unsigned i = 0; i < 3; i++)
		seL4_Yield();
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
	conformance_case("time.to_round_robin", w->begun > before, "does not run");
	runtime_must(seL4_TCB_Suspend(w->thread.tcb), "suspend");
	conformance_ok("time.own_parameters",
		       seL4_SchedControl_ConfigureFlags(control, seL4_CapInitThreadSC, 5000, 5000, 0, 0, 0));
	worker_end(w);
}

void time_cases(void)
{
	control = runtime_bootinfo()->schedcontrol.start;
	find_mhz();
	charging();
	bandwidth(0, 0, "bandwidth.constant");
	bandwidth(0, 8, "bandwidth.constant_refills");
	bandwidth(1, 0, "bandwidth.sporadic");
	bandwidth(1, 8, "bandwidth.sporadic_refills");
	sporadic(0, "naps.constant");
	sporadic(1, "naps.sporadic");
	round_robin();
	yielding();
	timeouts();
	without_context();
	donated();
	changes();
}
