/*
 * What a guest can have of the domain manager, which all share: `calls` makes event channels and closes them without end, `copies` has pages of its own copied. `flooded` and `event_flood`: as many event channels
 * between two domains as there may be, all of them pending; the one makes ports for the other until it gets no more, and takes none before all are pending; the other
 * binds them and sends each twice. `with` is the other domain.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define INFO_GFN UINT64_C(0x6f000)
#define PORTS	 4096u
#define COPIES	 64u
#define COPY_TO	 UINT64_C(0x300) /* gfns */
#define COPY_OF	 UINT64_C(0x200)
#define REPORT	 UINT64_C(250000000) /* ns */

static volatile struct shared_info *flood_info(void)
{
	return (volatile struct shared_info *)(uintptr_t)(INFO_GFN * PAGE);
}

static int64_t flood_event(unsigned int op, volatile void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, address(argument));
}

static void flood_say(const char *what, uint64_t value)
{
	console_print(what);
	console_number(value);
}

static uint32_t flood_bits(uint64_t word)
{
	uint32_t n = 0;

	for (; word; word &= word - 1)
		n++;
	return n;
}

static void flooded(void)
{
	struct xen_add_to_physmap place = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = INFO_GFN };
	static uint64_t ours[PORTS / 64];
	uint32_t made = 0, pending, others, taken = 0;
	int64_t error;

	(void)hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&place));
	for (;; made++) {
		struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = (domid_t)payload_option("with", 2) };

		error = flood_event(EVTCHNOP_alloc_unbound, &unbound);
		if (error || unbound.port >= PORTS)
			break;
		ours[unbound.port / 64] |= UINT64_C(1) << unbound.port % 64;
	}
	flood_say("FLOOD made ", made);
	flood_say(" error ", (uint64_t)-error);
	console_print("\n");
	do {
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		pending = others = 0;
		for (uint32_t i = 0; i < PORTS / 64; i++) {
			uint64_t set = flood_info()->evtchn_pending[i];

			pending += flood_bits(set & ours[i]);
			others += flood_bits(set & ~ours[i]);
		}
	} while (pending < made);
	for (uint32_t port = 0; port < PORTS; port++) {
		struct evtchn_unmask unmask = { .port = port };

		if (!(ours[port / 64] >> port % 64 & 1))
			continue;
		(void)flood_event(EVTCHNOP_unmask, &unmask);
		if (__atomic_fetch_and(&flood_info()->evtchn_pending[port / 64], ~(1ul << (port % 64)), __ATOMIC_SEQ_CST) >> (port % 64) & 1)
			taken++;
	}
	flood_say("FLOOD taken ", taken);
	flood_say(" others ", others);
	flood_say(" upcall ", flood_info()->vcpu_info[0].evtchn_upcall_pending);
	console_print("\n");
}

static void event_flood(void)
{
	uint32_t bound = 0, sent = 0, last = 0;
	static uint32_t mine[PORTS];
	int64_t error = 0;

	for (uint32_t port = 1; port < PORTS; port++) {
		struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)payload_option("with", 1), .remote_port = port };

		error = flood_event(EVTCHNOP_bind_interdomain, &bind);
		if (error)
			continue;
		mine[bound++] = bind.local_port;
		last = port;
	}
	for (uint32_t i = 0; i < 2 * bound; i++) {
		struct evtchn_send send = { .port = mine[i % bound] };

		sent += flood_event(EVTCHNOP_send, &send) == 0;
	}
	flood_say("FLOOD bound ", bound);
	flood_say(" last ", last);
	flood_say(" sent ", sent);
	console_print("\n");
}

/* Four times a second: how often something was done, and the time. */
static void flood_report(const char *what, uint64_t done, uint64_t *next)
{
	struct vcpu_runstate_info r = { .state = 0 };
	uint64_t now;

	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, address(&r), 0, 0);
	now = r.time[RUNSTATE_running] + r.time[RUNSTATE_runnable] + r.time[RUNSTATE_blocked] + r.time[RUNSTATE_offline];
	if (now < *next)
		return;
	*next = now + REPORT;
	flood_say(what, now);
	flood_say(" done ", done);
	console_print("\n");
}

/* Event channels made and closed without end. */
static void calls(void)
{
	uint64_t next = 0;

	for (uint64_t done = 1;; done++) {
		struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = (domid_t)payload_option("with", 2) };
		struct evtchn_close close;

		if (flood_event(EVTCHNOP_alloc_unbound, &unbound))
			return;
		close.port = unbound.port;
		(void)flood_event(EVTCHNOP_close, &close);
		flood_report("CALLS at ", done, &next);
	}
}

/* Pages copied without end. */
static void copies(void)
{
	static struct gnttab_copy copy[COPIES];
	uint64_t next = 0;

	for (unsigned i = 0; i < COPIES; i++) {
		copy[i].source.domid = copy[i].dest.domid = DOMID_SELF;
		copy[i].source.u.gmfn = COPY_OF + i;
		copy[i].dest.u.gmfn = COPY_TO + i;
		copy[i].len = PAGE;
	}
	for (uint64_t done = COPIES;; done += COPIES) {
		if (payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, address(copy), COPIES, 0, 0) || copy[0].status != GNTST_okay)
			return;
		flood_report("COPIES at ", done, &next);
	}
}

const struct payload_mode flood_modes[] = {
	{ "calls", calls },
	{ "copies", copies },
	{ "flooded", flooded },
	{ "event_flood", event_flood },
	{ NULL, NULL },
};
