/*
 * The queues of the FIFO event-channel ABI (xen/include/public/event_channel.h): who links a port's event
 * word into which queue, and when its vCPU is to be told. Pure: it knows of guest memory only what it is
 * given, and of ports only struct evtchn_fifo_port. Callers serialize.
 *
 * Words and control blocks are the guest's, which changes them at any time, from any vCPU. They are touched
 * by single atomic operations; of what is read there only flags count, never a link. A guest that breaks the
 * protocol loses its own events. Retries are bounded.
 */
#ifndef XEN_EVTCHN_FIFO_H
#define XEN_EVTCHN_FIFO_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/event_channel.h>

#define EVTCHN_FIFO_VCPUS      32u
#define EVTCHN_FIFO_PAGE_WORDS 1024u
#define EVTCHN_FIFO_PAGES      (EVTCHN_FIFO_NR_CHANNELS / EVTCHN_FIFO_PAGE_WORDS)

struct evtchn_fifo {
	event_word_t *page[EVTCHN_FIFO_PAGES]; /* guest memory; the first `pages` */
	uint32_t pages;
	struct {
		struct evtchn_fifo_control_block *block;    /* guest memory; NULL: not set */
		evtchn_port_t tail[EVTCHN_FIFO_MAX_QUEUES]; /* the port linked last; 0: none */
	} vcpu[EVTCHN_FIFO_VCPUS];
};

/* What is kept of each port. last_*: the queue that it was linked into last; they outlive the port's being
 * closed and used again. */
struct evtchn_fifo_port {
	uint8_t priority;
	uint8_t last_priority, last_vcpu;
	bool waits; /* set pending while it had no word */
};

/* The port's word, NULL while the guest has not given its page. May be called without the lock. */
event_word_t *evtchn_fifo_word(const struct evtchn_fifo *f, evtchn_port_t port);

/* Bits of what evtchn_fifo_set_pending and evtchn_fifo_unmask say. */
#define EVTCHN_FIFO_ROSE   1u /* it was not pending before */
#define EVTCHN_FIFO_UPCALL 2u /* a queue of its vCPU became ready: the upcall is due */
/* vcpu < EVTCHN_FIFO_VCPUS: whom it notifies. */
unsigned evtchn_fifo_set_pending(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port,
				 uint32_t vcpu);
unsigned evtchn_fifo_unmask(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port,
			    uint32_t vcpu);
void evtchn_fifo_clear(const struct evtchn_fifo *f, evtchn_port_t port);
bool evtchn_fifo_is_pending(const struct evtchn_fifo *f, evtchn_port_t port);
/* Still in a queue: a closed port that is, may not be used again. */
bool evtchn_fifo_is_linked(const struct evtchn_fifo *f, evtchn_port_t port);

/* A control block, 8-byte aligned. False: the vCPU has one. */
bool evtchn_fifo_set_control(struct evtchn_fifo *f, uint32_t vcpu, struct evtchn_fifo_control_block *block);
/* The next page of words. False: all are there. */
bool evtchn_fifo_add_page(struct evtchn_fifo *f, event_word_t *page);

#endif
