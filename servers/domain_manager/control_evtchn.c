/* event_channel_op (xen/include/public/event_channel.h) on other domains: what a toolstack prepares for one that it builds, and status. */
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <stddef.h>
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/evtchn.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/event_channel.h>

#define PORTS_AT_FIRST 64u /* Xen allocates them by so many */

static int64_t alloc_unbound(struct control *c, const uint64_t arg[5])
{
	const struct evtchn_alloc_unbound *given = control_in(c, arg[1], sizeof(*given));
	struct evtchn_alloc_unbound a;
	struct domain *d;
	int port;

	if (!given)
		return CONTROL_AGAIN;
	a = *given;
	d = domain_find(a.dom);
	if (!d)
		return -XEN_ESRCH;
	if (d->dying)
		return -XEN_EINVAL;
	port = evtchn_unbound_before_start(d, a.remote_dom == DOMID_SELF ? 0 : a.remote_dom);
	if (port < 0)
		return port;
	a.port = (evtchn_port_t)port;
	control_out(c, arg[1], &a, sizeof(a));
	return 0;
}

static int64_t status(struct control *c, const uint64_t arg[5])
{
	const struct evtchn_status *given = control_in(c, arg[1], sizeof(*given));
	struct evtchn_bound b;
	struct evtchn_status s;
	struct domain *d;
	uint32_t ports;

	if (!given)
		return CONTROL_AGAIN;
	s = *given;
	d = domain_find(s.dom);
	if (!d)
		return -XEN_ESRCH;
	/* of ports that do not concern another domain, and how far they go, we know what its vmm tells */
	ports = __atomic_load_n(&d->control->ports, __ATOMIC_RELAXED);
	if (s.port >= d->ports || (s.port >= ports && s.port >= PORTS_AT_FIRST))
		return -XEN_EINVAL;
	s.status = EVTCHNSTAT_closed;
	s.vcpu = 0;
	if (s.port < VMM_PORTS_TOLD && !d->dying) {
		struct vmm_port p = *(volatile const struct vmm_port *)&d->control->port[s.port];

		s.vcpu = p.vcpu;
		if (p.kind == VMM_PORT_IPI)
			s.status = EVTCHNSTAT_ipi;
		if (p.kind >= VMM_PORT_VIRQ) {
			s.status = EVTCHNSTAT_virq;
			s.u.virq = p.kind - VMM_PORT_VIRQ;
		}
	}
	if (evtchn_status(d, s.port, &b) == 0) {
		s.status = b.bound ? EVTCHNSTAT_interdomain : EVTCHNSTAT_unbound;
		s.u.interdomain.dom = (domid_t)b.remote;
		s.u.interdomain.port = b.remote_port;
		if (!b.bound)
			s.u.unbound.dom = (domid_t)b.remote;
	}
	control_out(c, arg[1], &s, sizeof(s));
	return 0;
}

int64_t control_event_channel_op(struct control *c, const uint64_t arg[5])
{
	switch ((uint32_t)arg[0]) {
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(c, arg);
	case EVTCHNOP_status:
		return status(c, arg);
	default:
		return -XEN_ENOSYS;
	}
}
