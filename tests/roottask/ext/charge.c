/* A server's time charged to its caller: errors, what is moved, and what the caller's turn is worth then. This thread serves; two others, below it, call and compute. */
#include "roottask/ext/ext.h"
#include "roottask/runtime/tsc_hw.h"

#define SLICE_US   1000
#define BELOW	   90
#define SERVED	   300000 /* ticks */
#define CALLS	   200
#define FIRST	   3 /* calls that do not count: both have computed then */

static struct thread_memory caller_memory, other_memory;
static seL4_CPtr charge_endpoint, charge_reply;
static volatile uint64_t other_done;

static void caller_body(void *nothing)
{
	(void)nothing;
	for (;;)
		(void)seL4_Call(charge_endpoint, seL4_MessageInfo_new(0, 0, 0, 0));
}

static void other_body(void *nothing)
{
	(void)nothing;
	for (;;)
		other_done++;
}

static seL4_Word consumed(seL4_CPtr sc)
{
	return seL4_SchedContext_Consumed(sc).consumed;
}

static seL4_Word tsc_mhz(void)
{
	uint64_t length = 0;
	const uint32_t *mhz = sel4_bootinfo_chunk(runtime_bootinfo(), SEL4_BOOTINFO_HEADER_X86_TSC_FREQ, &length);

	return mhz && length >= sizeof(*mhz) && *mhz ? *mhz : 1;
}

static void turns(seL4_CPtr sc)
{
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, sc, SLICE_US, 2 * SLICE_US, 0, 0, insula_SchedContext_WakeFirst),
		     "configure");
}

static void serve(uint64_t ticks)
{
	for (uint64_t end = tsc_read() + ticks; tsc_read() < end;)
		;
}

static void errors(void)
{
	check_error("charge.short", raw(seL4_CapInitThreadSC, InsulaSchedContextCharge, 0, 1, charge_reply, 0), seL4_TruncatedMessage);
	check_error("charge.no_reply", raw(seL4_CapInitThreadSC, InsulaSchedContextCharge, 1, 0, 0, 0), seL4_TruncatedMessage);
	check_error1("charge.of_an_endpoint", insula_SchedContext_Charge(seL4_CapInitThreadSC, charge_endpoint, 1).error, seL4_InvalidCapability, 1);
	check_error("charge.nobody_calls", insula_SchedContext_Charge(seL4_CapInitThreadSC, charge_reply, 1).error, seL4_IllegalOperation);
}

/* The caller waits for the answer. */
static void moved(const struct thread *caller)
{
	insula_SchedContext_Charge_t c;
	seL4_Word us, mhz = tsc_mhz();

	check_error("charge.its_own", insula_SchedContext_Charge(caller->sc, charge_reply, 1).error, seL4_IllegalOperation);
	(void)consumed(caller->sc);
	(void)consumed(seL4_CapInitThreadSC);
	serve(2 * SERVED);
	c = insula_SchedContext_Charge(seL4_CapInitThreadSC, charge_reply, SERVED);
	check_equal("charge.moved", c.error ? (seL4_Word)-1 : c.moved, SERVED);
	us = consumed(caller->sc);
	check("charge.caller_has_it", us + 1 >= SERVED / mhz && us <= SERVED / mhz + 1, "the caller has consumed something else");
	c = insula_SchedContext_Charge(seL4_CapInitThreadSC, charge_reply, UINT64_MAX);
	check("charge.no_more_than_there_is", !c.error && c.moved >= SERVED && c.moved < 2 * SERVED, "more was moved than was consumed");
}

/* One that has much done for it, and one that computes: each has half of the time. */
static void halves(seL4_CPtr caller, seL4_CPtr other)
{
	seL4_Word badge, a, b;

	for (unsigned i = 0; i < CALLS; i++) {
		if (i == FIRST) {
			(void)consumed(caller);
			(void)consumed(other);
		}
		serve(SERVED);
		if (i >= FIRST)
			(void)insula_SchedContext_Charge(seL4_CapInitThreadSC, charge_reply, UINT64_MAX);
		(void)seL4_ReplyRecv(charge_endpoint, seL4_MessageInfo_new(0, 0, 0, 0), &badge, charge_reply);
	}
	a = consumed(caller);
	b = consumed(other);
	print("charge: %u us for the caller, %u us for the other\n", a, b);
	check("charge.halves", a < b * 11 / 10 && b < a * 11 / 10, "not half of the time for each");
}

void charge_cases(void)
{
	struct thread caller = thread_new(&caller_memory, HERE, BELOW, SLICE_US, 0), other = thread_new(&other_memory, HERE, BELOW, SLICE_US, 0);
	seL4_Word badge;

	charge_endpoint = object_new(seL4_EndpointObject, 0);
	charge_reply = object_new(seL4_ReplyObject, 0);
	errors();
	turns(caller.sc);
	turns(other.sc);
	thread_run(&caller, caller_body, 0);
	thread_run(&other, other_body, 0);
	(void)seL4_Recv(charge_endpoint, &badge, charge_reply);
	moved(&caller);
	halves(caller.sc, other.sc);
	check("charge.other_ran", other_done != 0, "the other did not compute");
	thread_suspend(&caller);
	thread_suspend(&other);
}
