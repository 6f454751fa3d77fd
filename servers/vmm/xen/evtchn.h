/* The event-channel ports of the domain: evtchn.c owns them, event_op.c changes them by the guest's hypercalls. */
#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include "proto/vmm/vmm_start.h"
#include "servers/vmm/xen/evtchn_fifo.h"
#include "servers/vmm/xen/xen.h"

struct evtchn_port {
	uint8_t state; /* enum evtchn_state */
	uint8_t vcpu;  /* notified */
	uint16_t remote_domain; /* UNBOUND: who may bind; INTERDOMAIN, REMOTE: the other end's */
	uint32_t remote_port;   /* INTERDOMAIN, REMOTE */
	uint16_t virq;
	uint16_t peer, channel; /* REMOTE: proto/vmm/vmm_pair.h */
	struct evtchn_fifo_port fifo;
};
_Static_assert(sizeof(struct evtchn_port) <= VMM_PORT_BYTES, "the heap has room for as many as the domain may have");

/* Of ports below evtchn_valid(); others name port 0, which is never the guest's. */
struct evtchn_port *evtchn_port(uint32_t port);
/* Ports below were in use once (in steps of 64, as Xen counts): the guest may name them. */
uint32_t evtchn_valid(void);
/* A free port in this state, or -ENOSPC. */
int32_t evtchn_alloc(enum evtchn_state kind, uint32_t vcpu);
/* The port, which the domain manager chose before the vmm ran, is in use from now on. False: the domain may not have it. */
bool evtchn_reserve(uint32_t port);
/* Not in use any more, and not pending. */
void evtchn_free(uint32_t port);
/* What the domain manager is told of the port: after its kind or vCPU changed. */
void evtchn_tell(uint32_t port);
void evtchn_unmask(uint32_t port);
void evtchn_clear(uint32_t port);

/* ---- the FIFO ABI ---- */
/* 0, -ENOENT, -EINVAL. The first call of a domain makes it the domain's ABI. */
int64_t evtchn_fifo_control(uint32_t vcpu, uint64_t gfn, uint32_t offset);
/* 0, -EOPNOTSUPP (2-level ABI), -ENOSPC, -EINVAL. */
int64_t evtchn_fifo_expand(uint64_t gfn);
/* 0, -ENOSYS (2-level ABI), -EACCES (the port is free), -EINVAL. */
int64_t evtchn_fifo_set_priority(uint32_t port, uint32_t priority);
/* Back to the 2-level ABI, when all ports are closed. */
void evtchn_fifo_end(void);

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
