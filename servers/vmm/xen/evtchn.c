/*
 * Event channels, 2-level ABI (xen/include/public/event_channel.h): the ports, and delivery. The hypercall is event_op.c.
 * Under vmm_lock, but for what is atomic in guest memory. Bits in the shared page belong to the guest: nothing here trusts them.
 */
#include "servers/vmm/xen/evtchn.h"

#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

struct evtchn_port evtchn_ports[EVTCHN_PORTS];
static uint32_t evtchn_next = 1; /* ports below were all used once: where a search begins */

void evtchn_init(void)
{
	memset(evtchn_ports, 0, sizeof(evtchn_ports));
	evtchn_next = 1;
	evtchn_ports[0].state = EVTCHN_RESERVED;
	evtchn_remote_init();
	if (vmm.start->flags & VMM_START_BARE)
		evtchn_remote_changes();
}

int32_t evtchn_alloc(enum evtchn_state kind, uint32_t vcpu)
{
	for (uint32_t i = 0; i < EVTCHN_PORTS - 1; i++) {
		uint32_t port = 1 + (evtchn_next - 1 + i) % (EVTCHN_PORTS - 1);

		if (evtchn_ports[port].state != EVTCHN_FREE)
			continue;
		evtchn_next = port + 1;
		evtchn_ports[port] = (struct evtchn_port){.state = (uint8_t)kind, .vcpu = (uint16_t)vcpu};
		return (int32_t)port;
	}
	return -XEN_ENOSPC;
}

int32_t evtchn_alloc_server_port(enum evtchn_state kind)
{
	return evtchn_alloc(kind, 0);
}

static unsigned long *word(unsigned long *map, uint32_t port)
{
	return &map[port / 64];
}

static bool test(const unsigned long *w, uint32_t port)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE) >> (port % 64) & 1;
}

static bool test_and_set(unsigned long *w, uint32_t bit)
{
	unsigned long m = 1ul << (bit % 64);

	return __atomic_fetch_or(w, m, __ATOMIC_ACQ_REL) & m;
}

bool evtchn_is_pending(uint32_t port)
{
	struct shared_info *s = shared_info_page();

	return port < EVTCHN_PORTS && test(word(s->evtchn_pending, port), port);
}

void evtchn_upcall(struct vcpu *v)
{
	struct vcpu_info *vi = v->vcpu_info;

	if (__atomic_exchange_n(&vi->evtchn_upcall_pending, 1, __ATOMIC_ACQ_REL))
		return;
	/* an own vector goes through the LAPIC; the domain's callback is looked up at each entry */
	if (v->upcall_vector)
		(void)lapic_assert(&v->lapic, v->upcall_vector);
	vcpu_kick(v);
}

/* A port whose bit is set and not masked becomes visible to its vCPU. */
static void propagate(uint32_t port)
{
	struct shared_info *s = shared_info_page();
	struct vcpu *v = vmm.vcpu[evtchn_ports[port].vcpu];
	struct vcpu_info *vi = v->vcpu_info;

	if (!test(word(s->evtchn_mask, port), port) && !test_and_set(&vi->evtchn_pending_sel, port / 64))
		evtchn_upcall(v);
}

void evtchn_set_pending(uint32_t port)
{
	struct shared_info *s = shared_info_page();

	if (!test_and_set(word(s->evtchn_pending, port), port))
		propagate(port);
	/* whoever polls looks again, masked or not */
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		if (__atomic_load_n(&vmm.vcpu[i]->run, __ATOMIC_SEQ_CST) == VCPU_POLLING)
			vcpu_kick(vmm.vcpu[i]);
}

void evtchn_unmask(uint32_t port)
{
	struct shared_info *s = shared_info_page();

	__atomic_fetch_and(word(s->evtchn_mask, port), ~(1ul << (port % 64)), __ATOMIC_ACQ_REL);
	if (test(word(s->evtchn_pending, port), port))
		propagate(port);
}

void evtchn_clear(uint32_t port)
{
	struct shared_info *s = shared_info_page();

	__atomic_fetch_and(word(s->evtchn_pending, port), ~(1ul << (port % 64)), __ATOMIC_ACQ_REL);
}

void evtchn_vcpu_info_changed(struct vcpu *v)
{
	struct vcpu_info *vi = v->vcpu_info;

	/* whatever was pending in the old place is made pending in the new one: a spurious upcall does no harm */
	__atomic_store_n(&vi->evtchn_pending_sel, ~0ul, __ATOMIC_RELEASE);
	__atomic_store_n(&vi->evtchn_upcall_pending, 0, __ATOMIC_RELEASE);
	evtchn_upcall(v);
}

void evtchn_raise_virq(struct vcpu *v, unsigned virq)
{
	uint16_t port = virq < sizeof(v->virq_port) / sizeof(v->virq_port[0]) ? v->virq_port[virq] : 0;

	if (port)
		evtchn_set_pending(port);
}

bool xen_callback_pending(const struct vcpu *v)
{
	const struct vcpu_info *vi = v->vcpu_info;

	return !v->upcall_vector && hvm_callback_vector() && __atomic_load_n(&vi->evtchn_upcall_pending, __ATOMIC_ACQUIRE);
}

bool xen_callback_take(struct vcpu *v, uint8_t *vector)
{
	/* level-like: asserted until the guest clears evtchn_upcall_pending. It is offered once for each time it becomes so or
	 * the guest opens interrupts with it still set */
	if (!xen_callback_pending(v))
		return false;
	*vector = hvm_callback_vector();
	return true;
}

bool xen_poll_done(struct vcpu *v)
{
	for (uint32_t i = 0; i < v->poll_count; i++)
		if (evtchn_is_pending(v->poll_ports[i]))
			return true;
	return time_system_ns() >= v->poll_timeout_ns;
}
