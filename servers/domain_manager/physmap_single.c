/*
 * Pages of RAM that are mapped by themselves, and what is kept for those to come. They are the page store's, which other domains have pages of, too: which one a frame
 * is, is noted. Only where the machine has no 2 MiB together any more a page is the account's, and then the domain's until it ends.
 */
#include <errno.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"

/* ---- which page of the store a frame is ---- */

static uint32_t *note_of(const struct physmap *m, uint32_t frame)
{
	uint32_t chunk = frame / FRAME_CHUNK;

	return chunk < m->single_chunks && m->single[chunk] ? &m->single[chunk][frame % FRAME_CHUNK] : NULL;
}

int physmap_single_room(struct physmap *m, uint32_t frame)
{
	uint32_t chunk = frame / FRAME_CHUNK;

	if (chunk >= m->single_chunks) {
		uint32_t n = chunk + 16;
		uint32_t **more = domain_heap_resize(m->heap, m->single, n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (uint32_t i = m->single_chunks; i < n; i++)
			more[i] = NULL;
		m->single = more;
		m->single_chunks = n;
	}
	if (!m->single[chunk])
		m->single[chunk] = domain_heap_alloc(m->heap, FRAME_CHUNK, sizeof(**m->single));
	return m->single[chunk] ? 0 : -ENOMEM;
}

void physmap_single_note(struct physmap *m, uint32_t frame, uint32_t first)
{
	for (uint32_t i = 0; i < P2M_LARGE_PAGES; i++)
		*note_of(m, frame + i) = first + i + 1;
	m->singles += P2M_LARGE_PAGES;
}

/* ---- pages ---- */

/* The store is to have an open page more. Where root has no 2 MiB that are not kept, what it keeps for this domain is kept in the store instead, if that makes them. */
static int more(struct physmap *m)
{
	uint64_t n = m->kept < PAGE_POOL_EACH ? m->kept : PAGE_POOL_EACH - 1;
	int r = page_store_grow();

	if (!r || n == 0 || root_account_reserve(m->pool.account, (m->kept - n) << PAGE_BITS))
		return r;
	r = page_store_grow();
	if (r) {
		(void)root_account_reserve(m->pool.account, m->kept << PAGE_BITS);
		return r;
	}
	m->kept -= n;
	m->promised += n;
	page_store_promise((int64_t)n);
	return 0;
}

int physmap_single_make(struct physmap *m, uint32_t frame)
{
	uint32_t page;
	bool dirty;
	int r = physmap_single_room(m, frame);

	if (!r && page_store_open() == 0)
		r = more(m);
	if (!r)
		r = page_store_take(m, &m->hint, &page, &dirty);
	if (r)
		return r;
	*note_of(m, frame) = page + 1;
	m->singles++;
	r = dirty ? physmap_zero(m, frame) : 0;
	if (r)
		(void)physmap_single_give(m, frame);
	return r;
}

bool physmap_single_give(struct physmap *m, uint32_t frame)
{
	uint32_t *note = note_of(m, frame);

	if (!note || !*note)
		return false;
	physmap_window_forget(m, frame, false);
	page_store_give(*note - 1);
	*note = 0;
	m->singles--;
	return true;
}

bool physmap_single_is(const struct physmap *m, uint32_t frame)
{
	const uint32_t *note = frame_store_is_single(&m->frames, frame) ? note_of(m, frame) : NULL;

	return note && *note;
}

struct frame_place physmap_owner(const struct physmap *m, uint32_t frame)
{
	const uint32_t *note = frame_store_is_single(&m->frames, frame) ? note_of(m, frame) : NULL;

	return note ? page_store_place(*note - 1) : frame_store_place(&m->frames, frame, FRAME_OWNER);
}

/* Where the store has none, it is of the domain's account. */
static int account_page(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = {.kind = P2M_RAM};
	struct frame_place p;
	int r = physmap_place_take(m, gfn, false, &e);

	if (r)
		return r;
	p = physmap_owner(m, e.frame);
	r = object_pool_make(&m->pool, seL4_X86_4K, 0, p.root, p.index);
	if (!r)
		r = physmap_map(m, gfn, e.frame);
	if (r)
		physmap_place_give(m, gfn, e.frame);
	return r;
}

int physmap_single(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = {.kind = P2M_RAM};
	int r = physmap_place_take(m, gfn, true, &e), made;

	if (r)
		return r;
	made = r = physmap_single_make(m, e.frame);
	if (!r)
		r = physmap_map(m, gfn, e.frame);
	if (r)
		physmap_place_give(m, gfn, e.frame);
	return made ? account_page(m, gfn) : r;
}

/* ---- what is kept ---- */

static void promise(struct physmap *m, uint64_t pages)
{
	int64_t more = (int64_t)(pages - m->promised);

	m->promised = pages;
	if (more)
		page_store_promise(more);
}

int physmap_keep(struct physmap *m, unsigned order)
{
	uint64_t want = m->pod_cache + m->claim, has = m->kept + m->promised, here = m->promised;

	if (want > has && root_account_reserve(m->pool.account, (want - here) << PAGE_BITS)) {
		uint64_t open = page_store_open();

		here += open < want - has ? open : want - has;
		if (root_account_reserve(m->pool.account, (want - here) << PAGE_BITS))
			return -ENOMEM;
	} else if (want < has) {
		uint64_t less = has - want, root = m->kept < less ? m->kept : less;

		if (order == 0)
			root = here < less ? less - here : 0;
		here -= less - root;
		if (root)
			(void)root_account_reserve(m->pool.account, (want - here) << PAGE_BITS);
	}
	m->kept = want - here;
	promise(m, here);
	return 0;
}

bool physmap_may_be_large(const struct physmap *m)
{
	return m->promised == 0 || m->kept >= P2M_LARGE_PAGES;
}

/* ---- the end ---- */

void physmap_release(struct physmap *m)
{
	uint64_t gfn = 0;

	if (!m->heap)
		return;
	physmap_window_end(m);
	promise(m, 0);
	m->singles -= page_store_end(m);
	while (m->singles && p2m_next(&m->p2m, gfn, &gfn)) {
		struct p2m_entry e = p2m_get(&m->p2m, gfn);
		const uint32_t *note = note_of(m, e.frame);

		if (!e.large && (e.kind == P2M_RAM || e.kind == P2M_OUT) && note && *note && page_store_shared(*note - 1))
			(void)physmap_single_give(m, e.frame);
		gfn += e.large ? P2M_LARGE_PAGES : 1;
	}
}
