/*
 * What of domains' memory was wanted last: copies of the owners' capabilities in slots of ours, and where we looked at it, its mapping in our address space. Each stays
 * until another takes its window, or its page is the domain's no longer.
 */
#include <errno.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/physmap_private.h"
#include "user/slot.h"
#include "user/vspace.h"

#define LARGE_WINDOWS	128u
#define SINGLE_WINDOWS	256u
#define LARGE_BITS	(PAGE_BITS + P2M_LARGE_ORDER)
#define LARGE_VADDR	(TASK_SHARED_VADDR + 0x600000000ull)
#define SINGLE_VADDR	(LARGE_VADDR + ((uint64_t)PHYSMAP_SIDES * LARGE_WINDOWS << LARGE_BITS))
#define PASSING_VADDR	(SINGLE_VADDR + (PHYSMAP_SIDES * (uint64_t)SINGLE_WINDOWS << PAGE_BITS))
#define ACCOUNT_STRIDE	37u /* so that two domains' first frames are not in each other's windows */

struct window {
	const struct physmap *of; /* NULL: empty */
	uint32_t frame, slot;
	bool mapped;
};
static struct window large_window[PHYSMAP_SIDES * LARGE_WINDOWS], single_window[PHYSMAP_SIDES * SINGLE_WINDOWS], passing[PHYSMAP_SIDES];

/* The only window of a side in which the frame may be. */
static struct window *window_of(const struct physmap *m, uint32_t frame, bool large, unsigned side)
{
	uint32_t n = frame + m->pool.account * ACCOUNT_STRIDE;

	return large ? &large_window[side * LARGE_WINDOWS + n % LARGE_WINDOWS] : &single_window[side * SINGLE_WINDOWS + n % SINGLE_WINDOWS];
}

static bool has(const struct window *w, const struct physmap *m, uint32_t frame)
{
	return w->of == m && w->frame == frame;
}

static void empty(struct window *w)
{
	physmap_drop(w->slot);
	*w = (struct window){.slot = w->slot};
}

static int take(struct physmap *m, struct p2m_entry e, unsigned side, struct window **found)
{
	struct window *w = window_of(m, e.frame, e.large, side);
	int r;

	*found = w;
	if (has(w, m, e.frame))
		return 0;
	if (w->of)
		empty(w);
	if (!w->slot)
		w->slot = (uint32_t)slot_alloc();
	if (!w->slot)
		return -ENOMEM;
	r = physmap_copy_out(m, e.frame, FRAME_OWNER, w->slot);
	if (r)
		return r;
	w->of = m;
	w->frame = e.frame;
	return 0;
}

bool physmap_window_is(const struct physmap *m, struct p2m_entry e)
{
	return e.kind == P2M_RAM && (e.large || physmap_single_is(m, e.frame));
}

int physmap_window_slot(struct physmap *m, struct p2m_entry e, uint32_t *slot)
{
	struct window *w;
	int r = take(m, e, 0, &w);

	*slot = w->slot;
	return r;
}

static int map(struct window *w, uint64_t vaddr)
{
	if (!w->mapped && vspace_map(w->slot, vaddr, true, false))
		return -ENOMEM;
	w->mapped = true;
	return 0;
}

/* Of what no window is kept: it has that of its side until the next one. */
static int pass(struct physmap *m, struct p2m_entry e, unsigned side, uint64_t vaddr)
{
	struct window *w = &passing[side];
	int r;

	if (!w->slot)
		w->slot = (uint32_t)slot_alloc();
	if (!w->slot)
		return -ENOMEM;
	empty(w);
	r = physmap_copy_out(m, e.frame, FRAME_OWNER, w->slot);
	return r ? r : map(w, vaddr);
}

int physmap_look(struct physmap *m, uint64_t gfn, unsigned side, uint8_t **at)
{
	struct p2m_entry e;
	struct window *w;
	uint64_t vaddr;
	int r = physmap_page_need(m, gfn, &e);

	if (r)
		return r;
	if (!physmap_window_is(m, e)) {
		vaddr = PASSING_VADDR + ((uint64_t)side << PAGE_BITS);
		r = pass(m, e, side, vaddr);
	} else {
		r = take(m, e, side, &w);
		vaddr = e.large ? LARGE_VADDR + ((uint64_t)(w - large_window) << LARGE_BITS) : SINGLE_VADDR + ((uint64_t)(w - single_window) << PAGE_BITS);
		if (!r)
			r = map(w, vaddr);
		vaddr += e.large ? gfn % P2M_LARGE_PAGES << PAGE_BITS : 0;
	}
	*at = (uint8_t *)vaddr;
	return r;
}

void physmap_window_forget(const struct physmap *m, uint32_t frame, bool large)
{
	for (unsigned side = 0; side < PHYSMAP_SIDES; side++) {
		struct window *w = window_of(m, frame, large, side);

		if (has(w, m, frame))
			empty(w);
	}
}

static void forget_all(const struct physmap *m, struct window *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (w[i].of == m)
			empty(&w[i]);
}

void physmap_window_end(const struct physmap *m)
{
	forget_all(m, large_window, PHYSMAP_SIDES * LARGE_WINDOWS);
	forget_all(m, single_window, PHYSMAP_SIDES * SINGLE_WINDOWS);
}
