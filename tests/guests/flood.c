/*
 * What a guest can have of the domain manager, which all share: `calls` makes event channels and closes them without end.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static int64_t flood_event(unsigned int op, volatile void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, address(argument));
}

static void flood_say(const char *what, uint64_t value)
{
	console_print(what);
	console_number(value);
}

/* Event channels made and closed without end: four times a second it says how many, and the time. */
static void calls(void)
{
	struct vcpu_runstate_info r = { .state = 0 };
	uint64_t next = 0;

	for (uint64_t done = 1;; done++) {
		struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = (domid_t)payload_option("with", 2) };
		struct evtchn_close close;
		uint64_t now;

		if (flood_event(EVTCHNOP_alloc_unbound, &unbound))
			return;
		close.port = unbound.port;
		(void)flood_event(EVTCHNOP_close, &close);
		(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, address(&r), 0, 0);
		now = r.time[RUNSTATE_running] + r.time[RUNSTATE_runnable] + r.time[RUNSTATE_blocked] + r.time[RUNSTATE_offline];
		if (now < next)
			continue;
		next = now + UINT64_C(250000000);
		flood_say("CALLS at ", now);
		flood_say(" done ", done);
		console_print("\n");
	}
}

const struct payload_mode flood_modes[] = {
	{ "calls", calls },
	{ NULL, NULL },
};
