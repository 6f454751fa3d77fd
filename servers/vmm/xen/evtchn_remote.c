/*
 * Event channels to other domains: bound by the domain manager, used without it (proto/vmm/vmm_pair.h). Under vmm_lock. The page that is shared with a peer
 * holds what the peer likes: bits of channels that we have not bound are ignored.
 */
#include "servers/vmm/xen/evtchn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proto/domain/domain.h"
#include "proto/vmm/vmm_pair.h"
#include "sel4/sel4.h"
#include "user/message.h"
#include <xen/errno.h>

/* Ports by channel, of each peer. */
static struct peer {
	uint32_t *port; /* 0: no such channel of ours */
	uint32_t channels;
	uint32_t live; /* of them; with none, the page may be gone */
} peers[VMM_PEERS];

static struct vmm_pair *page_of(uint32_t peer)
{
	return (struct vmm_pair *)(VMM_PEER_VADDR + peer * (uint64_t)PAGE);
}

/* Which half of the page a domain receives in. */
static unsigned half(uint32_t domain, uint32_t other)
{
	return domain > other;
}

static int ask(struct message *m, uint64_t label)
{
	return message_call(m, TASK_SLOT_DOMAINS, label);
}

void evtchn_remote_init(void)
{
	for (unsigned i = 0; i < VMM_PEERS; i++) {
		free(peers[i].port);
		peers[i] = (struct peer){0};
	}
}

static bool channel_set(uint32_t peer, uint32_t channel, uint32_t port)
{
	struct peer *p;

	if (peer >= VMM_PEERS || channel >= VMM_PAIR_CHANNELS)
		return false;
	p = &peers[peer];
	if (channel >= p->channels) {
		uint32_t n = (channel / 16 + 1) * 16, *more = realloc(p->port, n * sizeof(*more));

		if (!more)
			return false;
		memset(more + p->channels, 0, (n - p->channels) * sizeof(*more));
		p->port = more;
		p->channels = n;
	}
	if (!p->port[channel])
		p->live++;
	p->port[channel] = port;
	return true;
}

static void channel_forget(uint32_t port)
{
	const struct evtchn_port *p = evtchn_port(port);
	struct peer *of = &peers[p->peer % VMM_PEERS];

	if (p->state != EVTCHN_REMOTE || p->channel >= of->channels || of->port[p->channel] != port)
		return;
	of->port[p->channel] = 0;
	of->live--;
}

static void receive(uint32_t peer)
{
	struct peer *p = &peers[peer];
	struct vmm_pair *page = page_of(peer);
	uint64_t words;
	unsigned own = 0;

	/* the peer's id: of any channel that we have with it */
	for (uint32_t i = 0; i < p->channels; i++)
		if (p->port[i]) {
			own = half(vmm.domid, evtchn_port(p->port[i])->remote_domain);
			break;
		}
	words = __atomic_exchange_n(&page->to[own].summary, 0, __ATOMIC_ACQ_REL);
	for (; words; words &= words - 1) {
		uint32_t w = (uint32_t)__builtin_ctzll(words);
		uint64_t bits = __atomic_exchange_n(&page->to[own].word[w], 0, __ATOMIC_ACQ_REL), others = 0;

		for (; bits; bits &= bits - 1) {
			uint32_t channel = w * 64 + (uint32_t)__builtin_ctzll(bits);

			if (channel < p->channels && p->port[channel])
				evtchn_set_pending(p->port[channel]);
			else
				others |= bits & -bits;
		}
		/* we may be about to hear of such a channel: channel_begin looks for it */
		if (others)
			__atomic_fetch_or(&page->to[own].word[w], others, __ATOMIC_ACQ_REL);
	}
}

/*
 * The port has the channel from now on. What is in the page already is received: it was sent before we knew of the channel; or it was left there by the channel's
 * last use, or while we had none with this peer, and as long as it is there, no more is signalled.
 */
static bool channel_begin(uint32_t port, uint32_t remote, uint32_t remote_port, uint32_t peer, uint32_t channel)
{
	struct evtchn_port *p = evtchn_port(port);
	uint64_t bit = 1ull << (channel % 64);

	if (!channel_set(peer, channel, port))
		return false;
	p->state = EVTCHN_REMOTE;
	p->remote_domain = (uint16_t)remote;
	p->remote_port = remote_port;
	p->peer = (uint16_t)peer;
	p->channel = (uint16_t)channel;
	receive(peer);
	if (__atomic_fetch_and(&page_of(peer)->to[half(vmm.domid, remote)].word[channel / 64], ~bit, __ATOMIC_ACQ_REL) & bit)
		evtchn_set_pending(port);
	return true;
}

int64_t evtchn_remote_unbound(uint32_t port, uint32_t remote)
{
	struct message m;
	int r;

	message_begin(&m);
	message_put(&m, port);
	message_put(&m, remote);
	r = ask(&m, DOMAIN_VMM_EVTCHN_UNBOUND);
	return r ? r : 0;
}

int64_t evtchn_remote_bind(uint32_t port, uint32_t remote, uint32_t remote_port)
{
	struct message m;
	uint64_t peer, channel;
	int r;

	message_begin(&m);
	message_put(&m, port);
	message_put(&m, remote);
	message_put(&m, remote_port);
	r = ask(&m, DOMAIN_VMM_EVTCHN_BIND);
	if (r)
		return r;
	peer = message_get(&m);
	channel = message_get(&m);
	if (m.failed || !channel_begin(port, remote, remote_port, (uint32_t)peer, (uint32_t)channel)) {
		evtchn_remote_close(port);
		return -XEN_ENOMEM;
	}
	return 0;
}

void evtchn_remote_close(uint32_t port)
{
	struct message m;

	channel_forget(port);
	message_begin(&m);
	message_put(&m, port);
	(void)ask(&m, DOMAIN_VMM_EVTCHN_CLOSE);
}

void evtchn_remote_send(uint32_t port)
{
	const struct evtchn_port *p = evtchn_port(port);
	struct vmm_pair *page = page_of(p->peer);
	unsigned to = half(p->remote_domain, vmm.domid);
	uint64_t bit = 1ull << (p->channel % 64), word = 1ull << (p->channel / 64);

	if (__atomic_fetch_or(&page->to[to].word[p->channel / 64], bit, __ATOMIC_ACQ_REL) & bit)
		return; /* not taken yet: whoever set it has signalled, or is about to */
	if (!(__atomic_fetch_or(&page->to[to].summary, word, __ATOMIC_ACQ_REL) & word))
		seL4_Signal(vmm.start->peer_slot + p->peer);
}

void evtchn_remote_event(uint64_t badge)
{
	uint64_t bits = badge >> VMM_EVENT_PEER_SHIFT;

	for (; bits; bits &= bits - 1)
		for (uint32_t peer = (uint32_t)__builtin_ctzll(bits); peer < VMM_PEERS; peer += VMM_EVENT_PEER_BITS)
			if (peers[peer].live)
				receive(peer);
}

/*
 * Another domain bound our port, or closed its end; or a port was made for us before we started. A port that was bound until now has its channel once more: what
 * was sent before the other end was closed arrives.
 */
static void change(struct message *m)
{
	uint32_t port = (uint32_t)message_get(m);
	bool bound = message_get(m);
	uint32_t remote = (uint32_t)message_get(m), remote_port = (uint32_t)message_get(m), peer = (uint32_t)message_get(m),
		 channel = (uint32_t)message_get(m);
	struct evtchn_port *p;

	if (m->failed || port == 0 || !evtchn_reserve(port))
		return;
	p = evtchn_port(port);
	if (p->state != EVTCHN_RESERVED && p->state != EVTCHN_UNBOUND && p->state != EVTCHN_REMOTE)
		return;
	channel_forget(port);
	p->state = EVTCHN_UNBOUND;
	p->remote_domain = (uint16_t)remote;
	if (channel_begin(port, remote, remote_port, peer, channel) && !bound) {
		channel_forget(port);
		p->state = EVTCHN_UNBOUND;
	}
}

void evtchn_remote_changes(void)
{
	struct message m;

	for (;;) {
		message_begin(&m);
		if (ask(&m, DOMAIN_VMM_EVTCHN_CHANGED))
			return;
		change(&m);
	}
}
