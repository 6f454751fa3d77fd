#include "servers/vmm/xen/evtchn_fifo.h"

#include <stddef.h>

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED	(1u << EVTCHN_FIFO_MASKED)
#define LINKED	(1u << EVTCHN_FIFO_LINKED)
#define BUSY	(1u << EVTCHN_FIFO_BUSY)
#define LINK	((uint32_t)EVTCHN_FIFO_LINK_MASK)
#define TRIES	4u /* against a guest that changes the word each time */

event_word_t *evtchn_fifo_word(const struct evtchn_fifo *f, evtchn_port_t port)
{
	event_word_t *page;

	if (port >= EVTCHN_FIFO_NR_CHANNELS)
		return NULL;
	page = __atomic_load_n(&f->page[port / EVTCHN_FIFO_PAGE_WORDS], __ATOMIC_ACQUIRE);
	return page ? &page[port % EVTCHN_FIFO_PAGE_WORDS] : NULL;
}

static uint32_t load(const event_word_t *w)
{
	return __atomic_load_n(w, __ATOMIC_SEQ_CST);
}

static bool set(event_word_t *w, uint32_t bit)
{
	return __atomic_fetch_or(w, bit, __ATOMIC_SEQ_CST) & bit;
}

static void clear(event_word_t *w, uint32_t bit)
{
	__atomic_fetch_and(w, ~bit, __ATOMIC_SEQ_CST);
}

/* Puts the port behind the tail, unless the guest has taken the tail out of the queue: then that is empty. */
static bool append(event_word_t *tail, evtchn_port_t port)
{
	uint32_t seen = load(tail);

	for (unsigned i = 0; i <= TRIES; i++) {
		if (!(seen & LINKED)) {
			if (i)
				clear(tail, BUSY);
			return false;
		}
		if (__atomic_compare_exchange_n(tail, &seen, (seen & ~(BUSY | LINK)) | port, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		/* while it is busy, a guest that keeps the protocol does not change it but to take it out */
		if (i == 0) {
			(void)set(tail, BUSY);
			seen = load(tail);
		}
	}
	/* this one does not: the event is lost */
	clear(tail, BUSY);
	return true;
}

/* The port is LINKED just now, by us. True: its queue was empty and was not known to be ready. */
static bool enqueue(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port, uint32_t vcpu)
{
	struct evtchn_fifo_control_block *block = f->vcpu[vcpu].block;
	evtchn_port_t *last = &f->vcpu[p->last_vcpu].tail[p->last_priority],
		      *tail = &f->vcpu[vcpu].tail[p->priority];
	bool appended = false;

	/* it was taken out of where it was; if it was the tail there, its being LINKED again must not make
	 * that queue look alive */
	if (*last == port)
		*last = 0;
	p->last_vcpu = (uint8_t)vcpu;
	p->last_priority = p->priority;
	if (*tail) {
		event_word_t *w = evtchn_fifo_word(f, *tail);

		appended = w && append(w, port);
	}
	if (!appended)
		__atomic_store_n(&block->head[p->priority], port, __ATOMIC_SEQ_CST);
	*tail = port;
	return !appended && !set(&block->ready, 1u << p->priority);
}

static unsigned link(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port, uint32_t vcpu,
		     event_word_t *w)
{
	/* without a control block the guest cannot look for it */
	if (!f->vcpu[vcpu].block || load(w) & MASKED || set(w, LINKED))
		return 0;
	return enqueue(f, p, port, vcpu) ? EVTCHN_FIFO_UPCALL : 0;
}

unsigned evtchn_fifo_set_pending(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port,
				 uint32_t vcpu)
{
	event_word_t *w = evtchn_fifo_word(f, port);
	unsigned rose;

	if (!w) {
		p->waits = true;
		return 0;
	}
	rose = set(w, PENDING) ? 0 : EVTCHN_FIFO_ROSE;
	return rose | link(f, p, port, vcpu, w);
}

unsigned evtchn_fifo_unmask(struct evtchn_fifo *f, struct evtchn_fifo_port *p, evtchn_port_t port,
			    uint32_t vcpu)
{
	event_word_t *w = evtchn_fifo_word(f, port);

	if (!w)
		return 0;
	clear(w, MASKED);
	return load(w) & PENDING ? evtchn_fifo_set_pending(f, p, port, vcpu) : 0;
}

void evtchn_fifo_clear(const struct evtchn_fifo *f, evtchn_port_t port)
{
	event_word_t *w = evtchn_fifo_word(f, port);

	if (w)
		clear(w, PENDING);
}

static bool has(const struct evtchn_fifo *f, evtchn_port_t port, uint32_t bit)
{
	const event_word_t *w = evtchn_fifo_word(f, port);

	return w && load(w) & bit;
}

bool evtchn_fifo_is_pending(const struct evtchn_fifo *f, evtchn_port_t port)
{
	return has(f, port, PENDING);
}

bool evtchn_fifo_is_linked(const struct evtchn_fifo *f, evtchn_port_t port)
{
	return has(f, port, LINKED);
}

bool evtchn_fifo_set_control(struct evtchn_fifo *f, uint32_t vcpu, struct evtchn_fifo_control_block *block)
{
	if (f->vcpu[vcpu].block)
		return false;
	f->vcpu[vcpu].block = block;
	return true;
}

bool evtchn_fifo_add_page(struct evtchn_fifo *f, event_word_t *page)
{
	if (f->pages == EVTCHN_FIFO_PAGES)
		return false;
	__atomic_store_n(&f->page[f->pages++], page, __ATOMIC_RELEASE);
	return true;
}
