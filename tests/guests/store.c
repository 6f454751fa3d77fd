/*
 * The payload's end of the store's ring (xen/io/xs_wire.h): one request at a time, no watches, no transactions. It waits for the answer by looking.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>

static volatile struct xenstore_domain_interface *store_ring;
static uint32_t store_port;

static uint64_t store_param(uint32_t index)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

	return hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, address(&param)) == 0 ? param.value : 0;
}

void store_init(void)
{
	store_ring = (volatile struct xenstore_domain_interface *)(uintptr_t)(store_param(HVM_PARAM_STORE_PFN) * PAGE);
	store_port = (uint32_t)store_param(HVM_PARAM_STORE_EVTCHN);
}

static void store_notify(void)
{
	struct evtchn_send send = { .port = store_port };

	payload_fence();
	(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send));
}

static void store_put(const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		store_ring->req[MASK_XENSTORE_IDX(store_ring->req_prod + i)] = ((const char *)from)[i];
	payload_fence();
	store_ring->req_prod += (XENSTORE_RING_IDX)bytes;
}

static void store_get(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		char c;

		while (store_ring->rsp_prod == store_ring->rsp_cons)
			(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		payload_fence();
		c = store_ring->rsp[MASK_XENSTORE_IDX(store_ring->rsp_cons)];
		store_ring->rsp_cons++;
		if (to)
			((char *)to)[i] = c;
	}
}

size_t store_ask(uint32_t type, const char *words, size_t length, char *answer, size_t room)
{
	struct xsd_sockmsg m = { .type = type, .len = (uint32_t)length };
	size_t kept;

	store_put(&m, sizeof(m));
	store_put(words, length);
	store_notify();
	store_get(&m, sizeof(m));
	kept = m.len < room ? m.len : room;
	store_get(answer, kept);
	store_get(NULL, m.len - kept);
	store_notify(); /* there is room again */
	return m.type == type ? kept : 0;
}
