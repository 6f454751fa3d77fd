/* Pages that a domain gives back and gets again: large frames split, places where nothing is, and memory that it still holds. */
#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/physmap_private.h"

/*
 * One copy of a large frame, and its mapping if it has one, becomes 512 in the same row of a chunk. table: a slot of ours, or 0. 1: something that others have of
 * it could not be handed on to a part (a page that was granted a thousand times): the large one keeps its place, and stands for that alone.
 */
static int split_copy(struct physmap *m, uint32_t large, uint32_t first, enum frame_copy copy, uint32_t table)
{
	struct frame_place from = frame_store_place(&m->frames, large, copy);
	struct frame_place to = copy == FRAME_OWNER ? physmap_owner(m, first) : frame_store_place(&m->frames, first, copy);
	uint32_t slot = m->slot_scratch[0];
	insula_Frame_Split_t s;

	if (seL4_CNode_Move(TASK_SLOT_CNODE, slot, seL4_WordBits, from.root, from.index, from.depth))
		return -EINVAL;
	s = insula_Frame_Split(slot, to.root, 0, 0, to.index, table);
	if (!s.error && !s.left)
		return 0;
	/* what is left of it keeps its place */
	(void)seL4_CNode_Move(from.root, from.index, from.depth, TASK_SLOT_CNODE, slot, seL4_WordBits);
	return s.error ? -EINVAL : 1;
}

/* Tables for the two mappings of a large frame's parts, in slots of ours; they are kept as those of table_add are. */
static int split_tables(struct physmap *m, uint32_t keep[2])
{
	static const seL4_Word type[2] = {seL4_X86_EPTPTObject, seL4_X86_PageTableObject};

	if (m->tables >= m->tables_most || m->vmm_tables >= m->tables_most)
		return -ENOMEM;
	for (unsigned i = 0; i < 2; i++) {
		int r = frame_store_take(&m->frames, &keep[i]);

		if (r)
			return r;
		r = object_pool_make(&m->pool, type[i], 0, TASK_SLOT_CNODE, m->slot_scratch[2 + i]);
		if (r)
			return r;
	}
	return 0;
}

/* All that may be missing is had before the frame itself is touched. */
static int split(struct physmap *m, uint64_t gfn, uint32_t large)
{
	uint32_t keep[2] = {PHYSMAP_NO_FRAME, PHYSMAP_NO_FRAME}, first, page = PAGE_POOL_NONE;
	int r = frame_store_take_chunk(&m->frames, &first);

	if (r)
		return r;
	physmap_window_forget(m, large, true);
	r = split_tables(m, keep);
	if (!r)
		r = physmap_single_room(m, first);
	if (!r)
		r = page_store_adopt(m->pool.account, p2m_note(&m->p2m, gfn)->block, m, &page);
	if (!r) {
		r = p2m_split(&m->p2m, gfn, first);
		if (r)
			page_store_adopt_undo(m->pool.account, page);
	}
	if (r) {
		for (unsigned i = 0; i < 2; i++) {
			physmap_drop(m->slot_scratch[2 + i]);
			if (keep[i] != PHYSMAP_NO_FRAME)
				frame_store_give(&m->frames, keep[i]);
		}
		frame_store_give_chunk(&m->frames, first);
		return r;
	}
	m->tables++;
	m->vmm_tables++;
	p2m_note(&m->p2m, gfn)->block = 0;
	physmap_single_note(m, first, page);
	r = split_copy(m, large, first, FRAME_VMM, m->slot_scratch[3]);
	if (!r)
		r = split_copy(m, large, first, FRAME_GUEST, m->slot_scratch[2]);
	if (!r)
		r = split_copy(m, large, first, FRAME_OWNER, 0);
	for (unsigned i = 0; i < 2; i++)
		(void)physmap_move_in(m, m->slot_scratch[2 + i], keep[i], FRAME_OWNER);
	if (!r)
		frame_store_give(&m->frames, large);
	return r < 0 ? r : 0;
}

/* So that the vmm always finds something where it takes RAM to be. Without memory for it there is nothing: the page that was there goes all the same. */
static void nowhere(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	if (!physmap_nowhere_made(m) || physmap_map_over(m, m->nowhere, gfn, frame))
		physmap_drop_copy(m, frame, FRAME_VMM);
}

void physmap_nowhere(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	uint32_t slot = m->slot_scratch[0];
	bool there = !physmap_copy_out(m, frame, FRAME_VMM, slot);

	physmap_drop(slot);
	if (!there)
		nowhere(m, gfn, frame);
}

/* A page that is out is held no longer. */
static void give(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	if (physmap_single_give(m, frame))
		(void)p2m_give(&m->p2m, gfn);
}

void physmap_out_give(struct physmap *m, uint64_t gfn)
{
	const struct p2m_note *n = p2m_note(&m->p2m, gfn);

	gfn &= ~(uint64_t)(P2M_LARGE_PAGES - 1);
	for (unsigned i = 0; i < P2M_LARGE_PAGES && n->out; i++) {
		struct p2m_entry e = p2m_get(&m->p2m, gfn + i);

		if (e.kind == P2M_OUT)
			give(m, gfn + i, e.frame);
	}
}

int physmap_out(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	int r;

	if (e.kind == P2M_POD)
		return physmap_pod_forget(m, gfn);
	if (e.kind != P2M_RAM)
		return -ENOENT;
	if (e.large) {
		r = split(m, gfn, e.frame);
		if (r)
			return r;
		e = p2m_get(&m->p2m, gfn);
	}
	r = p2m_out(&m->p2m, gfn);
	if (r)
		return r;
	physmap_drop_copy(m, e.frame, FRAME_GUEST);
	nowhere(m, gfn, e.frame);
	if (!p2m_note(&m->p2m, gfn)->uses)
		give(m, gfn, e.frame);
	physmap_pod_spare(m);
	return 0;
}

static bool may_have(const struct physmap *m, uint64_t more)
{
	return m->p2m.pages[P2M_RAM] + m->p2m.pages[P2M_OUT] + m->p2m.pages[P2M_POD] + more <= m->most;
}

/* A page where there was one: in the frame whose number was kept. */
static int again(struct physmap *m, uint64_t gfn, struct p2m_entry e)
{
	int r = physmap_map_over(m, e.frame, gfn, e.frame);

	if (r)
		return r;
	r = physmap_map_copy(m, e.frame, FRAME_GUEST, gfn, seL4_ReadWrite);
	if (!r)
		r = e.kind == P2M_GIVEN ? p2m_replace(&m->p2m, gfn) : p2m_in(&m->p2m, gfn);
	if (r) {
		physmap_drop_copy(m, e.frame, FRAME_GUEST);
		nowhere(m, gfn, e.frame);
	}
	return r;
}

/* A page at once where one was to come on demand. After an error it still is. */
static int instead(struct physmap *m, uint64_t gfn)
{
	uint64_t cache = m->pod_cache;
	int r = physmap_pod_forget(m, gfn);

	if (r)
		return r;
	r = physmap_single(m, gfn);
	if (r && !physmap_pod_mark(m, gfn, 0))
		m->pod_cache = cache;
	return r;
}

int physmap_in(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	int r;

	switch (e.kind) {
	case P2M_OUT:
		return again(m, gfn, e);
	case P2M_GIVEN:
		r = may_have(m, 1) ? physmap_single_make(m, e.frame) : -ENOMEM;
		if (r)
			return r;
		r = again(m, gfn, e);
		if (r)
			(void)physmap_single_give(m, e.frame);
		return r;
	case P2M_POD:
		return instead(m, gfn);
	case P2M_NONE:
		return may_have(m, 1) ? physmap_single(m, gfn) : -ENOMEM;
	default:
		return -EEXIST;
	}
}
