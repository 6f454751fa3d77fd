/* The event-channel ports of the domain: evtchn.c owns them, event_op.c changes them by the guest's hypercalls. */
#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include "servers/vmm/xen/xen.h"

struct evtchn_port {
	uint8_t state; /* enum evtchn_state */
	uint8_t reserved;
	uint16_t vcpu;   /* notified */
	uint16_t remote_domain; /* UNBOUND: who may bind; INTERDOMAIN: the peer */
	uint16_t remote_port;   /* INTERDOMAIN within this domain */
	uint16_t virq;
	uint16_t pad;
};
extern struct evtchn_port evtchn_ports[EVTCHN_PORTS];

/* A free port in this state, or -ENOSPC. */
int32_t evtchn_alloc(enum evtchn_state kind, uint32_t vcpu);
void evtchn_unmask(uint32_t port);
void evtchn_clear(uint32_t port);

#endif
