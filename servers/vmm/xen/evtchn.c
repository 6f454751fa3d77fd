/*
 * Event channels (xen/include/public/event_channel.h): the ports, and delivery by the 2-level ABI or, when the guest has asked for it, by the FIFO ABI's queues
 * (evtchn_fifo.h). The hypercall is event_op.c. Under vmm_lock, but for what is atomic in guest memory. Bits in the shared page belong to the guest: nothing here
 * trusts them.
 */
#include "servers/vmm/xen/evtchn.h"

#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#define STEP		64u /* what Xen allocates ports by */

static struct evtchn_port *ports; /* vmm.start->ports of them */
static uint32_t valid;
static uint32_t lowest; /* no port below is free */
static struct evtchn_fifo fifo;
static bool is_fifo;

static uint32_t limit(void)
{
	uint32_t most = is_fifo ? EVTCHN_FIFO_NR_CHANNELS : shared_info_ports();

	return vmm.start->ports < most ? vmm.start->ports : most;
}

static void use(uint32_t port)
{
	uint32_t n = (port / STEP + 1) * STEP;

	if (n > vmm.start->ports)
		n = vmm.start->ports;
	if (n > valid)
		valid = n;
	__atomic_store_n(&vmm.control->ports, valid, __ATOMIC_RELAXED);
}

void evtchn_init(void)
{
	free(ports);
	ports = calloc(vmm.start->ports ? vmm.start->ports : 1, sizeof(ports[0]));
	if (!ports)
		abort();
	memset(&fifo, 0, sizeof(fifo));
	is_fifo = false;
	valid = 0;
	lowest = 1;
	ports[0].state = EVTCHN_RESERVED;
	use(0);
	evtchn_remote_init();
	if (vmm.start->flags & VMM_START_BARE)
		evtchn_remote_changes();
}

struct evtchn_port *evtchn_port(uint32_t port)
{
	return &ports[port < valid ? port : 0];
}

uint32_t evtchn_valid(void)
{
	return valid;
}

void evtchn_tell(uint32_t port)
{
	const struct evtchn_port *p = &ports[port];
	struct vmm_port told = {.vcpu = p->vcpu};

	if (port >= VMM_PORTS_TOLD)
		return;
	if (p->state == EVTCHN_IPI)
		told.kind = VMM_PORT_IPI;
	else if (p->state == EVTCHN_VIRQ)
		told.kind = (uint8_t)(VMM_PORT_VIRQ + p->virq);
	vmm.control->port[port] = told;
}

static void begin(uint32_t port, enum evtchn_state kind, uint32_t vcpu)
{
	struct evtchn_port *p = &ports[port];
	struct evtchn_fifo_port last = p->fifo;

	*p = (struct evtchn_port){.state = (uint8_t)kind, .vcpu = (uint8_t)vcpu};
	p->fifo.priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	p->fifo.last_vcpu = last.last_vcpu;
	p->fifo.last_priority = last.last_priority;
	use(port);
	evtchn_tell(port);
}

int32_t evtchn_alloc(enum evtchn_state kind, uint32_t vcpu)
{
	uint32_t most = limit(), port;

	while (lowest < most && ports[lowest].state != EVTCHN_FREE)
		lowest++;
	/* one that the guest has not taken out of its queue yet has to wait */
	for (port = lowest; port < most && (ports[port].state != EVTCHN_FREE || (is_fifo && evtchn_fifo_is_linked(&fifo, port)));)
		port++;
	if (port >= most)
		return -XEN_ENOSPC;
	begin(port, kind, vcpu);
	return (int32_t)port;
}

bool evtchn_reserve(uint32_t port)
{
	if (port >= limit())
		return false;
	if (ports[port].state == EVTCHN_FREE)
		begin(port, EVTCHN_RESERVED, 0);
	return true;
}

void evtchn_free(uint32_t port)
{
	ports[port].state = EVTCHN_FREE;
	ports[port].fifo.waits = false;
	evtchn_tell(port);
	if (port < lowest)
		lowest = port;
	evtchn_clear(port);
}

int32_t evtchn_alloc_server_port(enum evtchn_state kind)
{
	return evtchn_alloc(kind, 0);
}

static bool test(const uint32_t *w, uint32_t port)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE) >> (port % 32) & 1;
}

static bool test_and_set(uint32_t *w, uint32_t port)
{
	uint32_t m = 1u << (port % 32);

	return __atomic_fetch_or(w, m, __ATOMIC_ACQ_REL) & m;
}

static void clear(uint32_t *w, uint32_t port)
{
	__atomic_fetch_and(w, ~(1u << (port % 32)), __ATOMIC_ACQ_REL);
}

bool evtchn_is_pending(uint32_t port)
{
	if (__atomic_load_n(&is_fifo, __ATOMIC_ACQUIRE))
		return evtchn_fifo_is_pending(&fifo, port);
	return port < shared_info_ports() && test(shared_info_pending(port), port);
}

void evtchn_upcall(struct vcpu *v)
{
	if (__atomic_exchange_n(vcpu_info_upcall_pending(v), 1, __ATOMIC_ACQ_REL))
		return;
	/* an own vector goes through the LAPIC; the domain's callback is looked up at each entry */
	if (v->upcall_vector)
		(void)lapic_assert(&v->lapic, v->upcall_vector);
	vcpu_wake(v);
}

void evtchn_upcall_again(struct vcpu *v)
{
	if (!v->upcall_vector || !__atomic_load_n(vcpu_info_upcall_pending(v), __ATOMIC_ACQUIRE))
		return;
	(void)lapic_assert(&v->lapic, v->upcall_vector);
	vcpu_wake(v);
}

/* A port whose bit is set and not masked becomes visible to its vCPU. */
static void propagate(uint32_t port)
{
	struct vcpu *v = vmm.vcpu[ports[port].vcpu];

	if (!test(shared_info_mask(port), port) && !vcpu_info_select(v, port))
		evtchn_upcall(v);
}

/* Whoever polls looks again, masked or not. */
static void wake_pollers(void)
{
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		if (__atomic_load_n(&vmm.vcpu[i]->run, __ATOMIC_SEQ_CST) == VCPU_POLLING)
			vcpu_wake(vmm.vcpu[i]);
}

static void fifo_outcome(uint32_t port, unsigned outcome)
{
	if (outcome & EVTCHN_FIFO_UPCALL)
		evtchn_upcall(vmm.vcpu[ports[port].vcpu]);
	if (outcome & EVTCHN_FIFO_ROSE)
		wake_pollers();
}

void evtchn_set_pending(uint32_t port)
{
	if (is_fifo) {
		fifo_outcome(port, evtchn_fifo_set_pending(&fifo, &ports[port].fifo, port, ports[port].vcpu));
		return;
	}
	/* a port from the time when there were more */
	if (port >= shared_info_ports())
		return;
	if (!test_and_set(shared_info_pending(port), port))
		propagate(port);
	wake_pollers();
}

void evtchn_unmask(uint32_t port)
{
	if (is_fifo) {
		fifo_outcome(port, evtchn_fifo_unmask(&fifo, &ports[port].fifo, port, ports[port].vcpu));
		return;
	}
	if (port >= shared_info_ports())
		return;
	clear(shared_info_mask(port), port);
	if (test(shared_info_pending(port), port))
		propagate(port);
}

void evtchn_clear(uint32_t port)
{
	if (is_fifo)
		evtchn_fifo_clear(&fifo, port);
	else if (port < shared_info_ports())
		clear(shared_info_pending(port), port);
}

/* ---- the FIFO ABI ---- */

static void *frame_page(uint64_t gfn)
{
	return gfn >> 34 ? NULL : memory_at(gpa(gfn << 12), PAGE);
}

/* What is pending goes over as soon as its word is there. */
static void fifo_begin(void)
{
	for (uint32_t port = 1; port < valid; port++) {
		ports[port].fifo = (struct evtchn_fifo_port){.priority = EVTCHN_FIFO_PRIORITY_DEFAULT};
		ports[port].fifo.waits = ports[port].state != EVTCHN_FREE && port < shared_info_ports() && test(shared_info_pending(port), port);
	}
	__atomic_store_n(&is_fifo, true, __ATOMIC_RELEASE);
}

int64_t evtchn_fifo_control(uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
	uint8_t *page;

	if (vcpu >= vmm.vcpu_count)
		return -XEN_ENOENT;
	if (offset > PAGE - sizeof(struct evtchn_fifo_control_block) || offset % 8)
		return -XEN_EINVAL;
	page = frame_page(gfn);
	if (!page || !evtchn_fifo_set_control(&fifo, vcpu, (struct evtchn_fifo_control_block *)(void *)(page + offset)))
		return -XEN_EINVAL;
	if (!is_fifo)
		fifo_begin();
	return 0;
}

int64_t evtchn_fifo_expand(uint64_t gfn)
{
	uint32_t first = fifo.pages * EVTCHN_FIFO_PAGE_WORDS;
	event_word_t *page;

	if (!is_fifo)
		return -XEN_EOPNOTSUPP;
	if (fifo.pages == EVTCHN_FIFO_PAGES)
		return -XEN_ENOSPC;
	page = frame_page(gfn);
	if (!page || !evtchn_fifo_add_page(&fifo, page))
		return -XEN_EINVAL;
	for (uint32_t port = first; port < first + EVTCHN_FIFO_PAGE_WORDS && port < valid; port++)
		if (ports[port].fifo.waits) {
			ports[port].fifo.waits = false;
			evtchn_set_pending(port);
		}
	return 0;
}

int64_t evtchn_fifo_set_priority(uint32_t port, uint32_t priority)
{
	if (port >= valid)
		return -XEN_EINVAL;
	if (!is_fifo)
		return -XEN_ENOSYS;
	if (ports[port].state == EVTCHN_FREE || ports[port].state == EVTCHN_RESERVED)
		return -XEN_EACCES;
	if (priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -XEN_EINVAL;
	/* where it is queued now it stays */
	ports[port].fifo.priority = (uint8_t)priority;
	return 0;
}

void evtchn_fifo_end(void)
{
	__atomic_store_n(&is_fifo, false, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < EVTCHN_FIFO_PAGES; i++)
		__atomic_store_n(&fifo.page[i], NULL, __ATOMIC_RELEASE);
	memset(&fifo, 0, sizeof(fifo));
	for (uint32_t port = 0; port < valid; port++)
		ports[port].fifo = (struct evtchn_fifo_port){.priority = EVTCHN_FIFO_PRIORITY_DEFAULT};
}

void evtchn_vcpu_info_changed(struct vcpu *v)
{
	/* whatever was pending in the old place is made pending in the new one: a spurious upcall does no harm */
	vcpu_info_select_all(v);
	__atomic_store_n(vcpu_info_upcall_pending(v), 0, __ATOMIC_RELEASE);
	evtchn_upcall(v);
}

void evtchn_raise_virq(struct vcpu *v, unsigned virq)
{
	uint32_t port = virq < sizeof(v->virq_port) / sizeof(v->virq_port[0]) ? v->virq_port[virq] : 0;

	if (port)
		evtchn_set_pending(port);
}

bool xen_callback_pending(const struct vcpu *v)
{
	return !v->upcall_vector && hvm_callback_vector() && __atomic_load_n(vcpu_info_upcall_pending(v), __ATOMIC_ACQUIRE);
}

bool xen_callback_take(struct vcpu *v, uint8_t *vector)
{
	/* level-like: asserted until the guest clears evtchn_upcall_pending, and offered at each entry that can take it */
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
