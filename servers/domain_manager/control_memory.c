/*
 * memory_op (xen/include/public/memory.h) on other domains, and the queries about the machine that only domain 0 makes. A domain's operations on
 * itself are its vmm's (servers/vmm/xen/memory_op.c), which calls us for those that change memory.
 */
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/grant.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/memory.h>

#define CMD_MASK     63u
#define EXTENT_SHIFT 6u
#define EXTENTS_MAX  4096u /* in one call: what the area holds with room to spare */
#define E820_MAX     128u

static struct domain *target(domid_t id)
{
	struct domain *d = domain_find(id == DOMID_SELF ? 0 : id);

	return d && !d->dying ? d : NULL;
}

/* Extents done so far are in the command's upper bits, and what is answered: as Xen, all of them or up to the first that failed. */
static bool populate_one(struct domain *d, uint64_t gfn, unsigned order, bool on_demand)
{
	if (on_demand)
		return physmap_pod_mark(&d->map, gfn, order) == 0;
	return physmap_pages(&d->map) + (1ull << order) <= d->max_pages && physmap_populate(&d->map, gfn, order) == 0;
}

/* Of what was claimed, so much may be taken now. */
static uint64_t claim_open(struct domain *d, uint64_t pages, unsigned order)
{
	uint64_t open = pages < d->map.claim ? pages : d->map.claim;

	d->map.claim -= open;
	if (open)
		(void)physmap_keep(&d->map, order);
	return open;
}

static int64_t populate(struct control *c, const struct xen_memory_reservation *r, uint64_t start)
{
	struct domain *d = target(r->domid);
	const xen_pfn_t *gfn;
	uint64_t n = r->nr_extents, done, open, taken;
	bool on_demand = r->mem_flags & XENMEMF_populate_on_demand;

	if (n > EXTENTS_MAX)
		n = EXTENTS_MAX;
	if (!d || start >= n)
		return (int64_t)start;
	/* no extent of this size can be had: the caller tries smaller ones */
	if (!d->bare || (r->extent_order != 0 && r->extent_order != P2M_LARGE_ORDER))
		return (int64_t)start;
	if (r->extent_order && !on_demand && !physmap_may_be_large(&d->map))
		return (int64_t)start;
	gfn = control_in(c, (uint64_t)(uintptr_t)r->extent_start.p, (uint32_t)(n * sizeof(*gfn)));
	if (!gfn)
		return CONTROL_AGAIN;
	open = on_demand ? 0 : claim_open(d, (n - start) << r->extent_order, r->extent_order);
	for (done = start; done < n && populate_one(d, gfn[done], r->extent_order, on_demand); done++)
		;
	taken = (done - start) << r->extent_order;
	d->map.claim += open > taken ? open - taken : 0;
	domain_pages_changed(d);
	return (int64_t)done;
}

static int64_t decrease(struct control *c, const struct xen_memory_reservation *r, uint64_t start)
{
	struct domain *d = target(r->domid);
	const xen_pfn_t *gfn;
	uint64_t n = r->nr_extents, done;

	if (!d || !d->bare || d->started || r->extent_order != 0 || n > EXTENTS_MAX)
		return (int64_t)start;
	gfn = control_in(c, (uint64_t)(uintptr_t)r->extent_start.p, (uint32_t)(n * sizeof(*gfn)));
	if (!gfn)
		return CONTROL_AGAIN;
	for (done = start; done < n; done++)
		switch (p2m_get(&d->map.p2m, gfn[done]).kind) {
		case P2M_POD:
			if (physmap_pod_forget(&d->map, gfn[done]))
				goto end;
			break;
		case P2M_RAM:
			if (physmap_remove(&d->map, gfn[done]))
				goto end;
			physmap_pod_spare(&d->map);
			break;
		default:
			goto end;
		}
end:
	domain_pages_changed(d);
	return (int64_t)done;
}

/*
 * Frames of a domain's grant table appear at pages of domain 0's: a PVH domain 0 says at which (arch-x86/hvm: frame_list is a list of its own page numbers).
 */
static int64_t acquire(struct control *c, const uint64_t arg[5])
{
	const struct xen_mem_acquire_resource *given = control_in(c, arg[1], sizeof(*given));
	struct xen_mem_acquire_resource a;
	struct domain *d, *own = domain_find(0);
	const xen_pfn_t *gfn;

	if (!given)
		return CONTROL_AGAIN;
	a = *given;
	if (a.pad)
		return -XEN_EINVAL;
	d = target(a.domid);
	if (!d || !own)
		return -XEN_ESRCH;
	if (a.type != XENMEM_resource_grant_table || !d->bare)
		return -XEN_EOPNOTSUPP;
	if (a.id != XENMEM_resource_grant_table_id_shared)
		return -XEN_EINVAL;
	if (!a.frame_list.p) {
		uint32_t n = d->grant_frames_max;

		if (a.nr_frames)
			return -XEN_EINVAL;
		control_out(c, arg[1] + offsetof(struct xen_mem_acquire_resource, nr_frames), &n, sizeof(n));
		return 0;
	}
	if (a.nr_frames > d->grant_frames_max || a.frame > d->grant_frames_max - a.nr_frames)
		return -XEN_EINVAL;
	gfn = control_in(c, (uint64_t)(uintptr_t)a.frame_list.p, a.nr_frames * (uint32_t)sizeof(*gfn));
	if (!gfn)
		return CONTROL_AGAIN;
	for (uint32_t i = 0; i < a.nr_frames; i++) {
		uint32_t frame;
		int r = grant_frame(d, (uint32_t)a.frame + i, &frame);

		if (!r)
			r = physmap_foreign_frame(&own->map, gfn[i], &d->map, frame, true, (uint16_t)d->id);
		if (r)
			return r;
		d->map.foreign_elsewhere++;
	}
	return 0;
}

static int64_t claim(const struct xen_memory_reservation *r)
{
	struct domain *d = target(r->domid);
	uint64_t have;

	/* of this operation Xen says so, too, where there is no such domain */
	if (!d || r->extent_start.p || r->extent_order || r->mem_flags)
		return -XEN_EINVAL;
	if (r->nr_extents == 0) {
		d->map.claim = 0;
		(void)physmap_keep(&d->map, 0); /* of what is on demand there may be less, as before */
		return 0;
	}
	have = physmap_pages(&d->map);
	/* one at a time; and for memory that it has not, and may have */
	if (!d->bare || d->map.claim || r->nr_extents <= have || r->nr_extents > d->max_pages)
		return -XEN_EINVAL;
	d->map.claim = r->nr_extents - have;
	if (!physmap_keep(&d->map, 0))
		return 0;
	d->map.claim = 0;
	return -XEN_ENOMEM;
}

static int64_t map_set(struct control *c, const struct xen_foreign_memory_map *m)
{
	struct domain *d = target(m->domid);
	const struct e820_entry *given;
	struct e820_entry *kept;

	if (!d)
		return -XEN_ESRCH;
	if (!d->bare)
		return -XEN_EPERM;
	if (m->map.nr_entries > E820_MAX)
		return -XEN_EINVAL;
	given = control_in(c, (uint64_t)(uintptr_t)m->map.buffer.p, m->map.nr_entries * (uint32_t)sizeof(*given));
	if (!given)
		return CONTROL_AGAIN;
	kept = domain_heap_alloc(&d->heap, m->map.nr_entries + 1, sizeof(*kept));
	if (!kept)
		return -XEN_ENOMEM;
	memcpy(kept, given, m->map.nr_entries * sizeof(*kept));
	domain_heap_free(&d->heap, d->e820);
	d->e820 = kept;
	d->e820_count = m->map.nr_entries;
	return 0;
}

static int64_t highest(domid_t id)
{
	struct domain *d = target(id);
	uint64_t gfn = 0, found = 0;

	if (!d)
		return -XEN_ESRCH;
	while (p2m_next(&d->map.p2m, gfn, &gfn))
		found = gfn++;
	return (int64_t)found;
}

static int64_t pages(domid_t id, bool maximum)
{
	struct domain *d = target(id);

	if (!d)
		return -XEN_ESRCH;
	return (int64_t)(maximum ? d->max_pages : d->ram_bytes >> 12);
}

static int64_t pod_target(struct control *c, const uint64_t arg[5], struct xen_pod_target *t, bool set)
{
	struct domain *d = target(t->domid);

	if (!d)
		return -XEN_ESRCH;
	if (set) {
		if (t->target_pages > d->max_pages)
			return -XEN_EINVAL;
		if (physmap_pod_target(&d->map, t->target_pages, d->max_pages))
			return -XEN_ENOMEM;
		domain_pages_changed(d);
	}
	t->tot_pages = d->ram_bytes >> 12;
	t->pod_cache_pages = d->map.pod_cache;
	t->pod_entries = d->map.p2m.pages[P2M_POD];
	control_out(c, arg[1], t, sizeof(*t));
	return 0;
}

/* The argument's structure, fetched. */
#define GIVEN(type, name)                                                                                              \
	const type *name = control_in(c, arg[1], sizeof(*name));                                                       \
	if (!name)                                                                                                     \
		return CONTROL_AGAIN

static int64_t reservation(struct control *c, const uint64_t arg[5], uint32_t op)
{
	GIVEN(struct xen_memory_reservation, r);
	struct xen_memory_reservation own = *r;

	switch (op) {
	case XENMEM_populate_physmap:
		return populate(c, &own, arg[0] >> EXTENT_SHIFT);
	case XENMEM_decrease_reservation:
		return decrease(c, &own, arg[0] >> EXTENT_SHIFT);
	case XENMEM_increase_reservation:
		return (int64_t)(arg[0] >> EXTENT_SHIFT); /* a page that has no place would be nobody's here */
	default:
		return claim(&own);
	}
}

int64_t control_memory_op(struct control *c, const uint64_t arg[5])
{
	uint32_t op = (uint32_t)arg[0] & CMD_MASK;

	switch (op) {
	case XENMEM_increase_reservation:
	case XENMEM_populate_physmap:
	case XENMEM_decrease_reservation:
	case XENMEM_claim_pages:
		return reservation(c, arg, op);
	case XENMEM_set_memory_map: {
		GIVEN(struct xen_foreign_memory_map, m);
		struct xen_foreign_memory_map own = *m;

		return map_set(c, &own);
	}
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation: {
		GIVEN(domid_t, id);

		return pages(*id, op == XENMEM_maximum_reservation);
	}
	case XENMEM_maximum_gpfn: {
		GIVEN(domid_t, id);

		return highest(*id);
	}
	case XENMEM_set_pod_target:
	case XENMEM_get_pod_target: {
		GIVEN(struct xen_pod_target, given);
		struct xen_pod_target own = *given;

		return pod_target(c, arg, &own, op == XENMEM_set_pod_target);
	}
	case XENMEM_acquire_resource:
		return acquire(c, arg);
	case XENMEM_get_vnumainfo: {
		GIVEN(struct xen_vnuma_topology_info, v);

		return target(v->domid) ? -XEN_EOPNOTSUPP : -XEN_ESRCH; /* no domain has such a topology */
	}
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0; /* nothing is shared */
	default:
		return -XEN_ENOSYS;
	}
}
