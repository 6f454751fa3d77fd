/* The event-channel ports of the domain: evtchn.c owns them, event_op.c changes them by the guest's hypercalls. */
#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include "servers/vmm/xen/xen.h"

struct evtchn_port {
	uint8_t state; /* enum evtchn_state */
	uint8_t reserved;
	uint16_t vcpu;   /* notified */
	uint16_t remote_domain; /* UNBOUND: who may bind; INTERDOMAIN, REMOTE: the other end's */
	uint16_t virq;
	uint32_t remote_port;   /* INTERDOMAIN, REMOTE */
	uint16_t peer, channel; /* REMOTE: proto/vmm/vmm_pair.h */
};
extern struct evtchn_port evtchn_ports[EVTCHN_PORTS];

/* A free port in this state, or -ENOSPC. */
int32_t evtchn_alloc(enum evtchn_state kind, uint32_t vcpu);
void evtchn_unmask(uint32_t port);
void evtchn_clear(uint32_t port);

/* ---- evtchn_remote.c: ports whose other end is, or may be, in another domain ---- */
void evtchn_remote_init(void);
/* A port in state UNBOUND is announced. 0 or a negative errno. */
int64_t evtchn_remote_unbound(uint32_t port, uint32_t remote);
/* A fresh port becomes REMOTE. 0 or a negative errno: then it is as it was. */
int64_t evtchn_remote_bind(uint32_t port, uint32_t remote, uint32_t remote_port);
/* Before a port in state UNBOUND (with another domain) or REMOTE is freed. */
void evtchn_remote_close(uint32_t port);
/* Of a port in state REMOTE. */
void evtchn_remote_send(uint32_t port);
/* What others changed about our ports since this was last called. */
void evtchn_remote_changes(void);

#endif
