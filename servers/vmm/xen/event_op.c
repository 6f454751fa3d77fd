/* The event_channel_op hypercall. Channels to other domains are evtchn_remote.c's. */
#include "servers/vmm/xen/evtchn.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/xen.h>

static bool is_self(uint32_t domain)
{
	return domain == DOMID_SELF || domain == vmm.domid;
}

/* Its other end is, or may be, another domain's. */
static bool is_foreign(uint32_t port)
{
	const struct evtchn_port *p = evtchn_port(port);

	return p->state == EVTCHN_REMOTE || (p->state == EVTCHN_UNBOUND && p->remote_domain != vmm.domid);
}

static bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

static int64_t alloc_unbound(struct evtchn_alloc_unbound *a)
{
	int32_t port;

	port = evtchn_alloc(EVTCHN_UNBOUND, 0);
	if (port < 0)
		return port;
	evtchn_port((uint32_t)port)->remote_domain = is_self(a->remote_dom) ? (uint16_t)vmm.domid : a->remote_dom;
	if (is_foreign((uint32_t)port)) {
		int64_t r = evtchn_remote_unbound((uint32_t)port, a->remote_dom);

		if (r) {
			evtchn_free((uint32_t)port);
			return r;
		}
	}
	a->port = (uint32_t)port;
	return 0;
}

static int64_t bind_remote(struct evtchn_bind_interdomain *a)
{
	int32_t port = evtchn_alloc(EVTCHN_RESERVED, 0);
	int64_t r;

	if (port < 0)
		return port;
	r = evtchn_remote_bind((uint32_t)port, a->remote_dom, a->remote_port);
	if (r) {
		evtchn_free((uint32_t)port);
		return r;
	}
	a->local_port = (uint32_t)port;
	/* what was sent before it was bound is not lost */
	evtchn_set_pending((uint32_t)port);
	return 0;
}

static int64_t bind_interdomain(struct evtchn_bind_interdomain *a)
{
	int32_t port;

	if (!is_self(a->remote_dom))
		return bind_remote(a);
	if (evtchn_port(a->remote_port)->state != EVTCHN_UNBOUND || evtchn_port(a->remote_port)->remote_domain != vmm.domid)
		return -XEN_EINVAL;
	port = evtchn_alloc(EVTCHN_INTERDOMAIN, 0);
	if (port < 0)
		return port;
	evtchn_port((uint32_t)port)->remote_domain = (uint16_t)vmm.domid;
	evtchn_port((uint32_t)port)->remote_port = a->remote_port;
	evtchn_port(a->remote_port)->state = EVTCHN_INTERDOMAIN;
	evtchn_port(a->remote_port)->remote_port = (uint32_t)port;
	a->local_port = (uint32_t)port;
	/* what was sent before it was bound is not lost */
	evtchn_set_pending((uint32_t)port);
	return 0;
}

static int64_t bind_virq(struct evtchn_bind_virq *a)
{
	struct vcpu *v;
	int32_t port;

	if (a->virq >= NR_VIRQS || a->virq >= sizeof(v->virq_port) / sizeof(v->virq_port[0]))
		return -XEN_EINVAL;
	if (virq_is_global(a->virq) && a->vcpu != 0)
		return -XEN_EINVAL;
	if (a->vcpu >= vmm.vcpu_count)
		return -XEN_ENOENT;
	v = vmm.vcpu[a->vcpu];
	if (v->virq_port[a->virq])
		return -XEN_EEXIST;
	port = evtchn_alloc(EVTCHN_VIRQ, a->vcpu);
	if (port < 0)
		return port;
	evtchn_port((uint32_t)port)->virq = (uint16_t)a->virq;
	evtchn_tell((uint32_t)port);
	v->virq_port[a->virq] = (uint32_t)port;
	a->port = (uint32_t)port;
	return 0;
}

static int64_t bind_ipi(struct evtchn_bind_ipi *a)
{
	int32_t port;

	if (a->vcpu >= vmm.vcpu_count)
		return -XEN_ENOENT;
	port = evtchn_alloc(EVTCHN_IPI, a->vcpu);
	if (port < 0)
		return port;
	a->port = (uint32_t)port;
	return 0;
}

static int64_t close_port(uint32_t port)
{
	struct evtchn_port *p = evtchn_port(port);

	if (is_foreign(port))
		evtchn_remote_close(port);
	switch (p->state) {
	case EVTCHN_FREE:
	case EVTCHN_RESERVED:
	case EVTCHN_CONSOLE: /* Xen's own consumers are not the guest's to close */
		return -XEN_EINVAL;
	case EVTCHN_VIRQ:
		/* a global one is vCPU 0's, whichever it notifies now (bind_vcpu) */
		vmm.vcpu[virq_is_global(p->virq) ? 0 : p->vcpu]->virq_port[p->virq] = 0;
		break;
	case EVTCHN_INTERDOMAIN:
		evtchn_port(p->remote_port)->state = EVTCHN_UNBOUND;
		evtchn_port(p->remote_port)->remote_domain = (uint16_t)vmm.domid;
		break;
	default:
		break;
	}
	evtchn_free(port);
	return 0;
}

static int64_t send(uint32_t port)
{
	switch (evtchn_port(port)->state) {
	case EVTCHN_INTERDOMAIN:
		evtchn_set_pending(evtchn_port(port)->remote_port);
		return 0;
	case EVTCHN_IPI:
		evtchn_set_pending(port);
		return 0;
	case EVTCHN_REMOTE:
		evtchn_remote_send(port);
		return 0;
	case EVTCHN_UNBOUND:
		/* it may have been bound, and we were not told yet; else the event is dropped, as Xen does */
		if (is_foreign(port))
			evtchn_remote_changes();
		if (evtchn_port(port)->state == EVTCHN_REMOTE)
			evtchn_remote_send(port);
		return 0;
	case EVTCHN_CONSOLE:
		console_service();
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

static int64_t status(struct evtchn_status *a)
{
	const struct evtchn_port *p;

	if (a->port >= evtchn_valid())
		return -XEN_EINVAL;
	/* what its peer has done counts at once */
	if (is_foreign(a->port))
		evtchn_remote_changes();
	p = evtchn_port(a->port);
	a->vcpu = p->vcpu;
	switch (p->state) {
	case EVTCHN_UNBOUND:
		a->status = EVTCHNSTAT_unbound;
		a->u.unbound.dom = p->remote_domain;
		break;
	case EVTCHN_INTERDOMAIN:
	case EVTCHN_REMOTE:
	case EVTCHN_CONSOLE:
		a->status = EVTCHNSTAT_interdomain;
		a->u.interdomain.dom = p->remote_domain;
		a->u.interdomain.port = p->remote_port;
		break;
	case EVTCHN_VIRQ:
		a->status = EVTCHNSTAT_virq;
		a->u.virq = p->virq;
		break;
	case EVTCHN_IPI:
		a->status = EVTCHNSTAT_ipi;
		break;
	default:
		a->status = EVTCHNSTAT_closed;
		break;
	}
	return 0;
}

static int64_t bind_vcpu(const struct evtchn_bind_vcpu *a)
{
	struct evtchn_port *p = evtchn_port(a->port);

	if (a->vcpu >= vmm.vcpu_count)
		return -XEN_ENOENT;
	switch (p->state) {
	case EVTCHN_VIRQ:
		if (!virq_is_global(p->virq))
			return -XEN_EINVAL;
		break;
	case EVTCHN_UNBOUND:
	case EVTCHN_INTERDOMAIN:
	case EVTCHN_REMOTE:
	case EVTCHN_CONSOLE:
		break;
	default:
		return -XEN_EINVAL;
	}
	p->vcpu = (uint8_t)a->vcpu;
	evtchn_tell(a->port);
	return 0;
}

static int64_t unmask(uint32_t port)
{
	if (port >= evtchn_valid())
		return -XEN_EINVAL;
	if (evtchn_port(port)->state != EVTCHN_FREE && evtchn_port(port)->state != EVTCHN_RESERVED)
		evtchn_unmask(port);
	return 0;
}

static int64_t reset(const struct evtchn_reset *a)
{
	if (!is_self(a->dom))
		return xen_other_domain(a->dom);
	for (uint32_t port = 1; port < evtchn_valid(); port++)
		(void)close_port(port);
	evtchn_fifo_end();
	return 0;
}

union argument {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

static const uint8_t sizes[] = {
	[EVTCHNOP_bind_interdomain] = sizeof(struct evtchn_bind_interdomain),
	[EVTCHNOP_bind_virq] = sizeof(struct evtchn_bind_virq),
	[EVTCHNOP_close] = sizeof(struct evtchn_close),
	[EVTCHNOP_send] = sizeof(struct evtchn_send),
	[EVTCHNOP_status] = sizeof(struct evtchn_status),
	[EVTCHNOP_alloc_unbound] = sizeof(struct evtchn_alloc_unbound),
	[EVTCHNOP_bind_ipi] = sizeof(struct evtchn_bind_ipi),
	[EVTCHNOP_bind_vcpu] = sizeof(struct evtchn_bind_vcpu),
	[EVTCHNOP_unmask] = sizeof(struct evtchn_unmask),
	[EVTCHNOP_reset] = sizeof(struct evtchn_reset),
	[EVTCHNOP_init_control] = sizeof(struct evtchn_init_control),
	[EVTCHNOP_expand_array] = sizeof(struct evtchn_expand_array),
	[EVTCHNOP_set_priority] = sizeof(struct evtchn_set_priority),
};

static int64_t perform(uint64_t op, union argument *a)
{
	switch (op) {
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(&a->alloc_unbound);
	case EVTCHNOP_bind_interdomain:
		return bind_interdomain(&a->bind_interdomain);
	case EVTCHNOP_bind_virq:
		return bind_virq(&a->bind_virq);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(&a->bind_ipi);
	case EVTCHNOP_close:
		return close_port(a->close.port);
	case EVTCHNOP_send:
		return send(a->send.port);
	case EVTCHNOP_status:
		return status(&a->status);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(&a->bind_vcpu);
	case EVTCHNOP_unmask:
		return unmask(a->unmask.port);
	case EVTCHNOP_reset:
		return reset(&a->reset);
	case EVTCHNOP_init_control:
		a->init_control.link_bits = EVTCHN_FIFO_LINK_BITS;
		return evtchn_fifo_control(a->init_control.vcpu, a->init_control.control_gfn, a->init_control.offset);
	case EVTCHNOP_expand_array:
		return evtchn_fifo_expand(a->expand_array.array_gfn);
	case EVTCHNOP_set_priority:
		return evtchn_fifo_set_priority(a->set_priority.port, a->set_priority.priority);
	default:
		return -XEN_ENOSYS;
	}
}

static bool writes_back(uint64_t op)
{
	return op == EVTCHNOP_alloc_unbound || op == EVTCHNOP_bind_interdomain || op == EVTCHNOP_bind_virq ||
	       op == EVTCHNOP_bind_ipi || op == EVTCHNOP_status || op == EVTCHNOP_init_control;
}

int64_t event_channel_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t op = (uint32_t)arg[0], size = op < sizeof(sizes) ? sizes[op] : 0;
	union argument a;
	int64_t r;

	(void)abi32;
	if (!size) {
		xen_log_once("event_channel_op", op);
		return -XEN_ENOSYS;
	}
	if (!guest_read(v, gva(arg[1]), &a, size))
		return -XEN_EFAULT;
	/* a toolstack's on another domain */
	if ((op == EVTCHNOP_alloc_unbound && !is_self(a.alloc_unbound.dom)) || (op == EVTCHNOP_status && !is_self(a.status.dom))) {
		domid_t of = op == EVTCHNOP_status ? a.status.dom : a.alloc_unbound.dom;

		return control_allowed() ? control_call(v, __HYPERVISOR_event_channel_op, arg) : xen_other_domain(of);
	}
	vmm_lock();
	r = perform(op, &a);
	vmm_unlock();
	if (r == 0 && writes_back(op) && !guest_write(v, gva(arg[1]), &a, size))
		return -XEN_EFAULT;
	return r;
}
