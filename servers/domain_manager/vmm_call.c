#include "servers/domain_manager/vmm_call.h"

#include <errno.h>
#include <string.h>
#include "servers/domain_manager/control_policy.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/evtchn.h"
#include "servers/domain_manager/grant.h"
#include <xen/xen.h>
#include <xen/grant_table.h>

#define NO_MORE "out of the memory that is kept to populate it on demand"
#define WORDS 6u /* of the longest message */
_Static_assert(PHYSMAP_RAM == DOMAIN_NEED_RAM && PHYSMAP_WHOLE == DOMAIN_NEED_WHOLE, "one answer, two names");

static int foreign(struct domain *d, uint64_t gfn, uint64_t from, uint64_t from_gfn)
{
	struct domain *f = from <= UINT32_MAX ? domain_find((uint32_t)from) : NULL;
	int r;

	if (!f || f == d)
		return -ESRCH;
	r = physmap_foreign(&d->map, gfn, &f->map, from_gfn, true, (uint16_t)f->id);
	if (r == -ENOSPC)
		domain_crash(f, NO_MORE);
	if (!r)
		f->map.foreign_elsewhere++;
	return r;
}

static int need(struct domain *d, uint64_t gfn, uint64_t *reply, unsigned *reply_length)
{
	int r = physmap_vmm_finds(&d->map, gfn, &reply[0]);

	if (r == -ENOSPC || r == -ENOMEM)
		domain_crash(d, NO_MORE);
	*reply_length = r ? 0 : 1;
	return r;
}

static int remove_page(struct domain *d, uint64_t gfn)
{
	uint16_t owner;
	/* memory of its own goes by DOMAIN_VMM_OUT */
	int r = physmap_remove_foreign(&d->map, gfn, &owner);

	if (!r && owner != PHYSMAP_NOBODY) {
		struct domain *f = domain_find(owner);

		if (f)
			domain_foreign_gone(f);
	}
	return r;
}

static void bound_put(const struct evtchn_bound *b, uint64_t *reply, unsigned *reply_length)
{
	reply[0] = b->port;
	reply[1] = b->bound;
	reply[2] = b->remote;
	reply[3] = b->remote_port;
	reply[4] = b->peer;
	reply[5] = b->channel;
	*reply_length = 6;
}

static int maps(struct domain *d, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	const unsigned words = sizeof(struct domain_map) / 8;

	if (length % words || length / words > DOMAIN_MAPS)
		return -EINVAL;
	for (unsigned i = 0; i < length / words; i++) {
		struct domain_map map;
		uint32_t handle = 0;

		memcpy(&map, m + i * words, sizeof(map));
		reply[2 * i] = (uint64_t)(int64_t)grant_map(d, map.gfn, map.domain, map.ref, map.flags, &handle);
		reply[2 * i + 1] = handle;
	}
	*reply_length = length / words * 2;
	return 0;
}

static int foreigns(struct domain *d, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	uint64_t gone = length > 1 ? m[1] : 0;
	unsigned pages;

	if (length < 2 || gone > DOMAIN_FOREIGNS || gone > length - 2 || (length - 2 - gone) % 2 || (length - 2 - gone) / 2 > DOMAIN_FOREIGNS)
		return -EINVAL;
	pages = (length - 2 - (unsigned)gone) / 2;
	for (unsigned i = 0; i < gone; i++)
		(void)remove_page(d, m[2 + i]);
	for (unsigned i = 0; i < pages; i++)
		reply[i] = (uint64_t)(int64_t)foreign(d, m[2 + gone + 2 * i], m[0], m[3 + gone + 2 * i]);
	*reply_length = pages;
	return 0;
}

static int unmaps(struct domain *d, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	if (length % 2 || length / 2 > DOMAIN_MAPS)
		return -EINVAL;
	for (unsigned i = 0; i < length / 2; i++)
		reply[i] = (uint64_t)(int64_t)(m[2 * i + 1] > UINT32_MAX ? GNTST_bad_handle : grant_unmap(d, m[2 * i], (uint32_t)m[2 * i + 1]));
	*reply_length = length / 2;
	return 0;
}

static int copies(struct domain *d, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	const unsigned words = sizeof(struct domain_copy) / 8;

	if (length % words || length / words > DOMAIN_COPIES)
		return -EINVAL;
	for (unsigned i = 0; i < length / words; i++) {
		struct domain_copy c;
		struct grant_buffer source, dest;

		memcpy(&c, m + i * words, sizeof(c));
		source = (struct grant_buffer){.page = c.source, .domain = c.source_domain, .offset = c.source_offset, .is_ref = c.flags & GNTCOPY_source_gref};
		dest = (struct grant_buffer){.page = c.dest, .domain = c.dest_domain, .offset = c.dest_offset, .is_ref = c.flags & GNTCOPY_dest_gref};
		reply[i] = (uint64_t)(int64_t)grant_copy(d, &source, &dest, c.bytes);
	}
	*reply_length = length / words;
	return 0;
}

static int balloon(struct domain *d, bool out, const uint64_t *gfn, unsigned n, uint64_t *reply, unsigned *reply_length)
{
	uint64_t done = 0;

	if (n > DOMAIN_PAGES)
		return -EINVAL;
	while (done < n && (out || physmap_pages(&d->map) < d->max_pages) &&
	       !(out ? physmap_out(&d->map, gfn[done]) : physmap_in(&d->map, gfn[done])))
		done++;
	domain_pages_changed(d);
	reply[0] = done;
	*reply_length = 1;
	return 0;
}

static int perform(struct domain *d, bool privileged, uint64_t label, const uint64_t w[WORDS], uint64_t *reply, unsigned *reply_length)
{
	struct evtchn_bound bound;
	int r;

	switch (label) {
	case DOMAIN_VMM_EVTCHN_UNBOUND:
		return evtchn_unbound(d, (uint32_t)w[0], (uint32_t)w[1]);
	case DOMAIN_VMM_EVTCHN_BIND:
		r = evtchn_bind(d, (uint32_t)w[0], (uint32_t)w[1], (uint32_t)w[2], &bound);
		if (r)
			return r;
		reply[0] = bound.peer;
		reply[1] = bound.channel;
		*reply_length = 2;
		return 0;
	case DOMAIN_VMM_EVTCHN_CLOSE:
		evtchn_close(d, (uint32_t)w[0]);
		return 0;
	case DOMAIN_VMM_EVTCHN_CHANGED:
		r = evtchn_changed(d, &bound);
		if (!r)
			bound_put(&bound, reply, reply_length);
		return r;
	case DOMAIN_VMM_FOREIGN:
		if (!privileged)
			return -EPERM;
		if (w[3])
			(void)remove_page(d, w[3] - 1);
		return foreign(d, w[0], w[1], w[2]);
	case DOMAIN_VMM_REMOVE:
		return remove_page(d, w[0]);
	case DOMAIN_VMM_E820:
		return domain_e820(d, w[0], reply, reply_length);
	case DOMAIN_VMM_CPU_POLICY:
		return policy_words(d, w[0], reply, reply_length);
	case DOMAIN_VMM_RESERVATION:
		reply[0] = d->ram_bytes >> 12;
		reply[1] = d->max_pages;
		*reply_length = 2;
		return 0;
	case DOMAIN_VMM_NEED:
		return need(d, w[0], reply, reply_length);
	case DOMAIN_VMM_GRANT_PLACE:
		if (!d->bare && !privileged)
			return -EPERM;
		return w[0] > UINT32_MAX ? -EINVAL : grant_place(d, (uint32_t)w[0], w[1]);
	case DOMAIN_VMM_GRANT_SIZE:
		reply[0] = grant_frames(d);
		reply[1] = d->grant_frames_max;
		*reply_length = 2;
		return 0;
	default:
		return -EPERM;
	}
}

int vmm_call(uint32_t id, bool privileged, uint64_t label, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	struct domain *d = domain_find(id);
	uint64_t w[WORDS] = {0};

	if (!d || d->dying)
		return -ESRCH;
	if (label == DOMAIN_VMM_GRANT_COPY)
		return copies(d, m, length, reply, reply_length);
	if (label == DOMAIN_VMM_GRANT_MAP)
		return maps(d, m, length, reply, reply_length);
	if (label == DOMAIN_VMM_GRANT_UNMAP)
		return unmaps(d, m, length, reply, reply_length);
	if (label == DOMAIN_VMM_FOREIGN_MANY)
		return privileged ? foreigns(d, m, length, reply, reply_length) : -EPERM;
	if (label == DOMAIN_VMM_OUT || label == DOMAIN_VMM_IN)
		return balloon(d, label == DOMAIN_VMM_OUT, m, length, reply, reply_length);
	/* what is missing is 0, and refused as such where it makes no sense */
	memcpy(w, m, (length < WORDS ? length : WORDS) * sizeof(w[0]));
	return perform(d, privileged, label, w, reply, reply_length);
}
