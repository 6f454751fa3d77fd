#include "servers/domain_manager/evtchn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proto/task/task.h"
#include "proto/vmm/vmm_pair.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_private.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

#define PAIRS_MAX   1024u
#define PAIRS_OTHERS (PAIRS_MAX - DOMAINS_MAX) /* of those that domain 0 is not one of: it can always have one with each */
#define ENDS_MAX    8192u /* of one domain; each costs our heap */
#define PAGES_VADDR (TASK_SHARED_VADDR + 0x40000000ull)
#define BEFORE_MAX  32u /* ports of a domain that has not started */

/* A port of a domain that waits for, or is bound to, another domain. In the domain's list. */
struct evtchn_end {
	struct evtchn_end *next;
	struct evtchn_end *changed_next, **changed_at; /* its vmm is to be told: in the domain's list; else changed_at is NULL */
	struct evtchn_end *other; /* NULL: waits */
	struct domain *of;
	uint32_t port, remote;
	/* NULL: none. Of one that waits: its last, in which what was sent may not have arrived; nobody else gets the channel before its vmm has looked */
	struct evtchn_pair *pair;
	uint16_t channel;
};

/*
 * Two domains that have, or have had, channels. When one is gone the other keeps the page until its vmm knows: it may be about to send. That other then has the
 * pair in stale_pairs.
 */
struct evtchn_pair {
	struct domain *of[2]; /* [0]: the lower id; NULL: gone, both: unused */
	uint32_t peer[2];     /* at the one, which peer the other is */
	uint32_t channels;
	uint64_t used[VMM_PAIR_CHANNELS / 64];
	struct vmm_pair *page; /* ours; kept for the next pair */
	uint32_t slot_page, slot_copy[2];
};

static struct evtchn_pair *pairs[PAIRS_MAX];

/* ---- pairs ---- */

static unsigned side(const struct evtchn_pair *p, const struct domain *d)
{
	return p->of[1] == d;
}

static struct evtchn_pair *pair_find(const struct domain *a, const struct domain *b)
{
	for (unsigned i = 0; i < PAIRS_MAX && pairs[i]; i++)
		if ((pairs[i]->of[0] == a && pairs[i]->of[1] == b) || (pairs[i]->of[0] == b && pairs[i]->of[1] == a))
			return pairs[i];
	return NULL;
}

static bool privileged(const struct domain *d)
{
	return d && d->privileged;
}

/* Two domains may have a pair, if there is memory. */
static bool pair_allowed(const struct domain *a, const struct domain *b)
{
	unsigned others = 0;

	if (privileged(a) || privileged(b))
		return true;
	for (unsigned i = 0; i < PAIRS_MAX && pairs[i]; i++)
		others += (pairs[i]->of[0] || pairs[i]->of[1]) && !privileged(pairs[i]->of[0]) && !privileged(pairs[i]->of[1]);
	return others < PAIRS_OTHERS;
}

static void pair_unmade(struct evtchn_pair *p)
{
	object_delete(p->slot_page);
	for (unsigned s = 0; s < 2; s++)
		if (p->slot_copy[s])
			slot_free(p->slot_copy[s]);
	free(p);
}

static struct evtchn_pair *pair_unused(void)
{
	struct evtchn_pair *p;
	unsigned i = 0;

	while (i < PAIRS_MAX && pairs[i] && (pairs[i]->of[0] || pairs[i]->of[1]))
		i++;
	if (i == PAIRS_MAX)
		return NULL;
	if (pairs[i])
		return pairs[i];
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->slot_page = (uint32_t)object_create_slot(seL4_X86_4K, 0);
	p->slot_copy[0] = (uint32_t)slot_alloc();
	p->slot_copy[1] = (uint32_t)slot_alloc();
	if (!p->slot_page || !p->slot_copy[0] || !p->slot_copy[1] || vspace_map(p->slot_page, PAGES_VADDR + i * 4096ull, true, false)) {
		pair_unmade(p);
		return NULL;
	}
	p->page = (struct vmm_pair *)(PAGES_VADDR + i * 4096ull);
	pairs[i] = p;
	return p;
}

static int peer_take(struct domain *d, uint32_t *peer)
{
	for (uint32_t i = 0; i < VMM_PEERS; i++)
		if (!(d->peers[i / 64] >> (i % 64) & 1)) {
			d->peers[i / 64] |= 1ull << (i % 64);
			*peer = i;
			return 0;
		}
	return -ENOSPC;
}

static void peer_give(struct domain *d, uint32_t peer)
{
	d->peers[peer / 64] &= ~(1ull << (peer % 64));
}

/* One side: the page in its vmm's address space, and what signals the other's vmm in its CNode. */
static int pair_connect(struct evtchn_pair *p, unsigned s)
{
	struct domain *d = p->of[s], *other = p->of[!s];
	uint32_t cnode = d->slot_base + ROOT_TASK_SLOT_CNODE;
	uint64_t badge = 1ull << (VMM_EVENT_PEER_SHIFT + p->peer[!s] % VMM_EVENT_PEER_BITS);
	int r;

	if (seL4_CNode_Copy(TASK_SLOT_CNODE, p->slot_copy[s], seL4_WordBits, TASK_SLOT_CNODE, p->slot_page, seL4_WordBits, seL4_ReadWrite))
		return -ENOMEM;
	r = physmap_map_vmm(&d->map, p->slot_copy[s], VMM_PEER_VADDR + p->peer[s] * 4096ull);
	if (r)
		return r;
	(void)seL4_CNode_Delete(cnode, d->peer_slot + p->peer[s], seL4_WordBits);
	return seL4_CNode_Mint(cnode, d->peer_slot + p->peer[s], seL4_WordBits, TASK_SLOT_CNODE, SLOT_THREADS(other) + 2, seL4_WordBits,
			       seL4_CapRights_new(false, false, false, true), badge)
		       ? -ENOMEM
		       : 0;
}

/* Its vmm cannot signal the other any more. */
static void pair_mute(struct evtchn_pair *p, unsigned s)
{
	if (!p->of[s]->gone)
		(void)seL4_CNode_Delete(p->of[s]->slot_base + ROOT_TASK_SLOT_CNODE, p->of[s]->peer_slot + p->peer[s], seL4_WordBits);
}

static void pair_leave(struct evtchn_pair *p, unsigned s)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, p->slot_copy[s], seL4_WordBits);
	if (!p->of[s])
		return;
	pair_mute(p, s);
	peer_give(p->of[s], p->peer[s]);
	p->of[s] = NULL;
}

static void pair_end(struct evtchn_pair *p)
{
	pair_leave(p, 0);
	pair_leave(p, 1);
	p->channels = 0;
	memset(p->used, 0, sizeof(p->used));
}

/* A domain ends; none of its ends is bound any more. */
static void pairs_domain_gone(const struct domain *d)
{
	for (unsigned i = 0; i < PAIRS_MAX && pairs[i]; i++) {
		struct evtchn_pair *p = pairs[i];
		unsigned s = side(p, d);
		struct domain *other = p->of[!s];

		if (p->of[s] != d)
			continue;
		if (!other || other->gone || (!other->changed && !other->changed_last)) {
			pair_end(p);
			continue;
		}
		pair_mute(p, !s);
		pair_leave(p, s);
		other->stale_pairs++;
	}
}

/* Its vmm has been told everything. */
static void pairs_told(struct domain *d)
{
	for (unsigned i = 0; d->stale_pairs && i < PAIRS_MAX && pairs[i]; i++) {
		struct evtchn_pair *p = pairs[i];
		unsigned s = side(p, d);

		if (p->of[s] != d || p->of[!s])
			continue;
		pair_end(p);
		d->stale_pairs--;
	}
}

static struct evtchn_pair *pair_get(struct domain *a, struct domain *b, int *error)
{
	struct evtchn_pair *p = pair_find(a, b);
	int r;

	*error = -ENOMEM;
	if (p)
		return p;
	if (!pair_allowed(a, b)) {
		*error = -ENOSPC;
		return NULL;
	}
	p = pair_unused();
	if (!p)
		return NULL;
	memset(p->page, 0, sizeof(*p->page));
	r = peer_take(a, &p->peer[a->id > b->id]);
	if (!r) {
		r = peer_take(b, &p->peer[b->id > a->id]);
		if (r)
			peer_give(a, p->peer[a->id > b->id]);
	}
	if (r) {
		*error = r;
		return NULL;
	}
	p->of[a->id > b->id] = a;
	p->of[b->id > a->id] = b;
	r = pair_connect(p, 0);
	if (!r)
		r = pair_connect(p, 1);
	if (!r)
		return p;
	pair_end(p);
	*error = r;
	return NULL;
}

static int channel_take(struct evtchn_pair *p, uint16_t *channel)
{
	for (uint32_t w = 0; w < VMM_PAIR_CHANNELS / 64; w++) {
		uint32_t bit;

		if (!~p->used[w])
			continue;
		bit = (uint32_t)__builtin_ctzll(~p->used[w]);
		p->used[w] |= 1ull << bit;
		p->channels++;
		*channel = (uint16_t)(w * 64 + bit);
		return 0;
	}
	return -ENOSPC;
}

static void channel_give(struct evtchn_pair *p, uint16_t channel)
{
	p->used[channel / 64] &= ~(1ull << (channel % 64));
	p->channels--;
}

/* ---- ends ---- */

static struct evtchn_end *end_find(const struct domain *d, uint32_t port)
{
	struct evtchn_end *e = d->ends[port % EVTCHN_ENDS_HASH];

	while (e && e->port != port)
		e = e->next;
	return e;
}

static struct evtchn_end *end_add(struct domain *d, uint32_t port, uint32_t remote)
{
	struct evtchn_end **at = &d->ends[port % EVTCHN_ENDS_HASH];
	struct evtchn_end *e = d->end_count < ENDS_MAX ? domain_heap_alloc(&d->heap, 1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	*e = (struct evtchn_end){.next = *at, .of = d, .port = port, .remote = remote};
	*at = e;
	d->end_count++;
	return e;
}

static void changed_take(struct evtchn_end *e)
{
	if (!e->changed_at)
		return;
	*e->changed_at = e->changed_next;
	if (e->changed_next)
		e->changed_next->changed_at = e->changed_at;
	e->changed_at = NULL;
}

static void changed_put(struct evtchn_end *e)
{
	if (e->changed_at)
		return;
	e->changed_next = e->of->changed;
	e->changed_at = &e->of->changed;
	if (e->changed_next)
		e->changed_next->changed_at = &e->changed_next;
	e->of->changed = e;
}

/* Its vmm does not use the channel any more. */
static void last_channel_give(struct evtchn_end *e)
{
	if (e->other || !e->pair)
		return;
	channel_give(e->pair, e->channel);
	e->pair = NULL;
}

static void end_remove(struct evtchn_end *e)
{
	struct evtchn_end **at = &e->of->ends[e->port % EVTCHN_ENDS_HASH];

	changed_take(e);
	if (e->of->changed_last == e)
		e->of->changed_last = NULL;
	last_channel_give(e);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	e->of->end_count--;
	domain_heap_free(&e->of->heap, e);
}

static void describe(const struct evtchn_end *e, struct evtchn_bound *out)
{
	*out = (struct evtchn_bound){.port = e->port, .remote = e->remote, .peer = VMM_PEERS, .bound = e->other != NULL};
	if (e->other)
		out->remote_port = e->other->port;
	if (e->pair) {
		out->peer = e->pair->peer[side(e->pair, e->of)];
		out->channel = e->channel;
	}
}

/* Its vmm looks when it is told; one that does not run yet will at its start. */
static void tell(struct evtchn_end *e)
{
	struct domain *d = e->of;

	changed_put(e);
	if (d->bare && !d->started)
		return;
	__atomic_fetch_or(&d->control->request, VMM_REQUEST_PORTS, __ATOMIC_RELEASE);
	domain_signal_control(d);
}

/* Its vmm closes it, or is gone. */
static void unbind(struct evtchn_end *e)
{
	struct evtchn_end *other = e->other;

	if (!other)
		return;
	e->other = other->other = NULL;
	e->pair = NULL;
	tell(other);
}

int evtchn_unbound(struct domain *d, uint32_t port, uint32_t remote)
{
	if (port == 0 || port >= d->ports)
		return -EINVAL;
	if (end_find(d, port))
		return -EEXIST;
	return end_add(d, port, remote) ? 0 : -ENOMEM;
}

int evtchn_unbound_before_start(struct domain *d, uint32_t remote)
{
	struct evtchn_end *e;

	if (!d->bare || d->started || d->control->first_port >= BEFORE_MAX)
		return -EBUSY;
	if (!d->control->first_port)
		d->control->first_port = 1;
	if (d->control->first_port >= d->ports)
		return -ENOSPC;
	e = end_add(d, d->control->first_port, remote);
	if (!e)
		return -ENOMEM;
	changed_put(e);
	return (int)d->control->first_port++;
}

int evtchn_bind(struct domain *d, uint32_t port, uint32_t remote, uint32_t remote_port, struct evtchn_bound *out)
{
	struct domain *to = domain_find(remote);
	struct evtchn_end *mine, *theirs;
	struct evtchn_pair *p;
	uint16_t channel;
	int r;

	if (!to || to == d)
		return -ESRCH;
	if (port == 0 || port >= d->ports || end_find(d, port))
		return -EINVAL;
	theirs = end_find(to, remote_port);
	if (!theirs || theirs->other || theirs->remote != d->id)
		return -EINVAL;
	mine = end_add(d, port, remote);
	if (!mine)
		return -ENOMEM;
	p = pair_get(d, to, &r);
	if (p && theirs->pair == p) {
		/* its vmm has it still, and need not hear of another */
		channel = theirs->channel;
		r = 0;
	} else if (p) {
		r = channel_take(p, &channel);
	}
	if (!p || r) {
		end_remove(mine);
		return r;
	}
	mine->pair = theirs->pair = p;
	mine->channel = theirs->channel = channel;
	mine->other = theirs;
	theirs->other = mine;
	tell(theirs);
	describe(mine, out);
	return 0;
}

void evtchn_close(struct domain *d, uint32_t port)
{
	struct evtchn_end *e = end_find(d, port);

	if (!e)
		return;
	unbind(e);
	end_remove(e);
}

int evtchn_changed(struct domain *d, struct evtchn_bound *out)
{
	struct evtchn_end *e = d->changed_last;

	/* it asks again: so it has looked */
	if (e && !e->changed_at)
		last_channel_give(e);
	e = d->changed_last = d->changed;
	if (!e) {
		pairs_told(d);
		return -ENOENT;
	}
	changed_take(e);
	describe(e, out);
	return 0;
}

int evtchn_status(const struct domain *d, uint32_t port, struct evtchn_bound *out)
{
	const struct evtchn_end *e = end_find(d, port);

	if (!e)
		return -ENOENT;
	describe(e, out);
	return 0;
}

void evtchn_domain_gone(struct domain *d)
{
	for (unsigned i = 0; i < EVTCHN_ENDS_HASH; i++)
		while (d->ends[i]) {
			unbind(d->ends[i]);
			end_remove(d->ends[i]);
		}
	pairs_domain_gone(d);
}
