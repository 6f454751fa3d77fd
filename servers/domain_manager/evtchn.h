/*
 * Event channels between domains: who is bound to whom. Ports are numbers of their domain's vmm, which has the whole table of its own; here is only what concerns
 * two domains. A bound channel is a bit in a page that the two vmms share (proto/vmm/vmm_pair.h) and a capability to signal the other: sending needs no server.
 */
#ifndef DOMAIN_MANAGER_EVTCHN_H
#define DOMAIN_MANAGER_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

/* The caller's port waits for a bind by `remote`. 0, -EINVAL, -EEXIST, -ENOMEM. */
int evtchn_unbound(struct domain *d, uint32_t port, uint32_t remote);
/* A port of a domain whose vmm does not run yet: the next number, for a bind by `remote`. The port, or a negative errno. */
int evtchn_unbound_before_start(struct domain *d, uint32_t remote);

struct evtchn_bound {
	uint32_t port, remote, remote_port;
	uint32_t peer, channel; /* of the caller. Not bound: those it had last, where what was sent may still be; or peer is VMM_PEERS */
	bool bound;		/* else it waits for a bind by remote */
};
/* The caller's port is bound to remote's, which must wait for it. 0, -ESRCH (no such domain), -EINVAL (a dying one's too: its ports are closed), -ENOMEM, -ENOSPC (too many pairs of domains, neither of them domain 0). */
int evtchn_bind(struct domain *d, uint32_t port, uint32_t remote, uint32_t remote_port, struct evtchn_bound *out);
/* The caller's port is closed; what was bound to it waits again. */
void evtchn_close(struct domain *d, uint32_t port);
/*
 * A port of the caller's whose state another has changed, each told once. -ENOENT: none (more); then the caller's vmm uses no page any more that it shared with a
 * domain that is gone: it asks under the lock under which it sends and receives. By asking again it says that it has taken what was in the channel of the one before.
 */
int evtchn_changed(struct domain *d, struct evtchn_bound *out);
/* What is known of a domain's port. -ENOENT: nothing. */
int evtchn_status(const struct domain *d, uint32_t port, struct evtchn_bound *out);
/* All ports of a domain that ends. */
void evtchn_domain_gone(struct domain *d);

#endif
