/*
 * What a guest can have of the servers that all share: `copies` has pages of its own copied without end, `calls` makes event channels and closes them.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define COPIES 256u

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

static void copies(void)
{
	static struct gnttab_copy copy[COPIES];
	uint64_t gfn = address(image_end) / PAGE + 16;

	for (unsigned int i = 0; i < COPIES; i++)
		copy[i] = (struct gnttab_copy){
			.source = { .u.gmfn = gfn, .domid = DOMID_SELF }, .dest = { .u.gmfn = gfn + 1, .domid = DOMID_SELF }, .len = PAGE
		};
	do
		(void)payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, address(copy), COPIES, 0, 0);
	while (copy[0].status == GNTST_okay);
}

const struct payload_mode flood_modes[] = {
	{ "calls", calls },
	{ "copies", copies },
	{ NULL, NULL },
};
