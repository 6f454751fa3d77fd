/*
 * An event channel between two domains, which both block with interrupts on, as an idle kernel does: `pong` answers each event, `ping` measures how long an event and its
 * answer take, the median of many. `with` is the other domain.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

#define INFO_GFN UINT64_C(0x6f000)
#define VECTOR	 UINT64_C(0xf3)
#define SAMPLES	 501u
#define PORTS	 16u /* of the other domain are tried */

static volatile struct shared_info *ping_info(void)
{
	return (volatile struct shared_info *)(uintptr_t)(INFO_GFN * PAGE);
}

static int64_t ping_event(unsigned int op, volatile void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, address(argument));
}

static void ping_prepare(void)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = INFO_GFN };
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR };

	(void)hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&a));
	(void)hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, address(&p));
	payload_upcall = &ping_info()->vcpu_info[0].evtchn_upcall_pending;
}

static bool ping_take(uint32_t port)
{
	return __atomic_fetch_and(&ping_info()->evtchn_pending[port / 64], ~(1ul << (port % 64)), __ATOMIC_SEQ_CST) >> (port % 64) & 1;
}

/* Until the port's event is there, which is taken. */
static void ping_wait(uint32_t port)
{
	for (;;) {
		payload_cli();
		ping_info()->vcpu_info[0].evtchn_pending_sel = 0;
		if (ping_take(port))
			return;
		payload_halt();
	}
}

static void ping_unmask(uint32_t port)
{
	struct evtchn_unmask unmask = { .port = port };

	(void)ping_event(EVTCHNOP_unmask, &unmask);
}

static void pong(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = (domid_t)payload_option("with", 2) };
	struct evtchn_send send;

	ping_prepare();
	if (ping_event(EVTCHNOP_alloc_unbound, &unbound))
		return;
	send.port = unbound.port;
	ping_unmask(send.port);
	console_print("PONG ready\n");
	for (;;) {
		ping_wait(send.port);
		(void)ping_event(EVTCHNOP_send, &send);
	}
}

static void ping(void)
{
	struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)payload_option("with", 1) };
	static uint64_t sample[SAMPLES];
	struct evtchn_send send;

	ping_prepare();
	while (bind.remote_port < PORTS && ping_event(EVTCHNOP_bind_interdomain, &bind))
		bind.remote_port++;
	if (bind.remote_port == PORTS)
		return;
	send.port = bind.local_port;
	(void)ping_take(send.port); /* what is bound is pending once */
	ping_unmask(send.port);
	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t start = payload_tsc();
		unsigned int at = i;

		(void)ping_event(EVTCHNOP_send, &send);
		ping_wait(send.port);
		start = payload_tsc() - start;
		for (; at > 0 && sample[at - 1] > start; at--)
			sample[at] = sample[at - 1];
		sample[at] = start;
	}
	console_print("BENCH event_round_trip=");
	console_number(sample[SAMPLES / 2]);
	console_print("\n");
}

const struct payload_mode ping_modes[] = {
	{ "pong", pong },
	{ "ping", ping },
	{ NULL, NULL },
};
