/*
 * Populate on demand: places that get a page when something looks there for the first time, out of a number of pages that are kept for the domain. 2 MiB
 * at once where all of it is still to come and the number allows; else single pages.
 */
#include <errno.h>
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/pod_cache.h"

int physmap_pod_mark(struct physmap *m, uint64_t gfn, unsigned order)
{
	if (order != 0 && order != P2M_LARGE_ORDER)
		return -EINVAL;
	return p2m_set(&m->p2m, gfn, (struct p2m_entry){.kind = P2M_POD, .large = order != 0});
}

int physmap_pod_target(struct physmap *m, uint64_t target, uint64_t most)
{
	uint64_t cache = m->pod_cache, claim = m->claim, more;

	m->pod_cache = pod_cache_for(target, physmap_pages(m), cache, m->p2m.pages[P2M_POD]);
	more = m->pod_cache > cache ? m->pod_cache - cache : 0;
	m->claim -= more < claim ? more : claim;
	if ((!more || physmap_pages(m) <= most) && !physmap_keep(m, 0))
		return 0;
	m->pod_cache = cache;
	m->claim = claim;
	return -ENOMEM;
}

/* The entry of a single page: 2 MiB that are still to come become 512 of them. */
static int single(struct physmap *m, uint64_t gfn)
{
	return p2m_get(&m->p2m, gfn).large ? p2m_split(&m->p2m, gfn, 0) : 0;
}

int physmap_pod_forget(struct physmap *m, uint64_t gfn)
{
	int r = single(m, gfn);

	if (!r)
		r = p2m_clear(&m->p2m, gfn);
	/* no more is kept than can still come */
	if (!r && m->pod_cache > m->p2m.pages[P2M_POD])
		m->pod_cache = m->p2m.pages[P2M_POD];
	return r;
}

void physmap_pod_spare(struct physmap *m)
{
	if (m->p2m.pages[P2M_POD] > m->pod_cache)
		m->pod_cache++;
}

/* `order` pages fewer are kept, and come to gfn instead. After an error all is as it was. */
static int turn(struct physmap *m, uint64_t gfn, unsigned order)
{
	int r;

	(void)p2m_clear(&m->p2m, gfn);
	m->pod_cache -= 1ull << order;
	(void)physmap_keep(m, order);
	r = physmap_populate(m, gfn, order);
	if (r) {
		m->pod_cache += 1ull << order;
		(void)physmap_keep(m, order);
		(void)physmap_pod_mark(m, gfn, order);
	}
	return r;
}

int physmap_pod_need(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	int r;

	if (e.kind != P2M_POD)
		return 0;
	if (e.large && m->pod_cache >= P2M_LARGE_PAGES && physmap_may_be_large(m) && !turn(m, gfn & ~(uint64_t)(P2M_LARGE_PAGES - 1), P2M_LARGE_ORDER))
		return 0;
	if (m->pod_cache == 0)
		return -ENOSPC;
	r = single(m, gfn);
	return r ? r : turn(m, gfn, 0);
}

int physmap_vmm_finds(struct physmap *m, uint64_t gfn, uint64_t *what)
{
	struct p2m_entry e;
	int r = physmap_pod_need(m, gfn);

	if (r)
		return r;
	e = p2m_get(&m->p2m, gfn);
	if (e.kind != P2M_RAM && e.kind != P2M_XEN && e.kind != P2M_OUT && e.kind != P2M_GIVEN)
		return -ENOENT;
	*what = e.kind == P2M_RAM ? PHYSMAP_RAM : 0;
	if (p2m_note(&m->p2m, gfn)->whole) {
		*what |= PHYSMAP_WHOLE;
	} else if (e.kind == P2M_OUT || e.kind == P2M_GIVEN) {
		physmap_nowhere(m, gfn, e.frame);
	}
	return 0;
}
