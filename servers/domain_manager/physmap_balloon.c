/* Pages that a domain gives back and gets again: large frames split, places where nothing is, and memory that it still holds. */
#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"

/*
 * One copy of a large frame, and its mapping if it has one, becomes 512 in the same row of a chunk. table: a slot of ours, or 0. 1: something that others have of
 * it could not be handed on to a part (a page that was granted a thousand times): the large one keeps its place, and stands for that alone.
 */
static int split_copy(struct physmap *m, uint32_t large, uint32_t first, enum frame_copy copy, uint32_t table)
{
	struct frame_place from = frame_store_place(&m->frames, large, copy), to = frame_store_place(&m->frames, first, copy);
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
	uint32_t keep[2] = {PHYSMAP_NO_FRAME, PHYSMAP_NO_FRAME}, first;
	int r = frame_store_take_chunk(&m->frames, &first);

	if (r)
		return r;
	physmap_whole_forget(m);
	r = split_tables(m, keep);
	if (!r)
		r = p2m_split(&m->p2m, gfn, first);
	if (r) {
		for (unsigned i = 0; i < 2; i++) {
			physmap_drop(m->slot_scratch[2 + i]);
			if (keep[i] != PHYSMAP_NO_FRAME)
				frame_store_give(&m->frames, keep[i]);
		}
		frame_store_give_chunk(&m->frames, first);
		return r;
	}
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
	if (m->p2m.pages[P2M_POD] > m->pod_cache)
		m->pod_cache++;
	physmap_drop_copy(m, e.frame, FRAME_GUEST);
	nowhere(m, gfn, e.frame);
	physmap_block_return(m, p2m_note(&m->p2m, gfn));
	return 0;
}

static bool may_have(const struct physmap *m, uint64_t more)
{
	return m->p2m.pages[P2M_RAM] + m->p2m.pages[P2M_OUT] + m->p2m.pages[P2M_POD] + more <= m->most;
}

int physmap_take_given(struct physmap *m, uint32_t to)
{
	uint32_t frame;
	uint64_t at;
	int r;

	if (!p2m_find_out(&m->p2m, &at))
		return -ENOMEM;
	frame = p2m_get(&m->p2m, at).frame;
	r = physmap_zero(m, frame);
	if (!r)
		r = physmap_move(m, frame, to);
	if (r)
		return r;
	(void)p2m_lend(&m->p2m, at);
	/* the block is in two places now: it is not given back before the domain ends */
	p2m_note(&m->p2m, at)->block = 0;
	return 0;
}

/* A single page for a place of the store, which is empty and counted: new, or one that the domain holds. */
static int single_make(struct physmap *m, uint32_t frame)
{
	uint64_t block;
	int r = may_have(m, 0) ? physmap_frame_make(m, frame, 0, &block) : -ENOMEM;

	return r == -ENOMEM ? physmap_take_given(m, frame) : r;
}

/* One at gfn, where nothing is. */
static int single_page(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = {.kind = P2M_RAM};
	int r = physmap_place_take(m, gfn, &e);

	if (r)
		return r;
	r = single_make(m, e.frame);
	if (!r)
		r = physmap_map(m, gfn, e.frame);
	if (r)
		physmap_place_give(m, gfn, e.frame);
	return r;
}

/* New memory for 2 MiB that were given back: 512 frames, of which none is mapped. */
static int block_take(struct physmap *m, struct p2m_note *n, uint32_t first)
{
	struct frame_place to = frame_store_place(&m->frames, first, FRAME_OWNER);
	uint32_t slot = m->slot_scratch[0];
	insula_Frame_Split_t s;
	uint64_t block;
	int r = physmap_large_make(m, TASK_SLOT_CNODE, slot, &block);

	if (r)
		return r;
	s = insula_Frame_Split(slot, to.root, 0, 0, to.index, 0);
	if (s.error || s.left) {
		(void)root_account_return(m->pool.account, block);
		return -ENOMEM;
	}
	n->block = block;
	n->given = false;
	return 0;
}

/* Where there never was one: in 2 MiB that are empty they are had together, so that they can go back together. */
static int new_page(struct physmap *m, uint64_t gfn)
{
	uint32_t first;
	int r;

	if (p2m_note(&m->p2m, gfn) || !may_have(m, P2M_LARGE_PAGES))
		return single_page(m, gfn);
	r = frame_store_take_chunk(&m->frames, &first);
	if (r)
		return r;
	r = p2m_room(&m->p2m, gfn, first);
	if (r) {
		frame_store_give_chunk(&m->frames, first);
		return r;
	}
	return physmap_in(m, gfn);
}

int physmap_in(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	struct p2m_note *n;
	uint64_t block;
	int r = 0;

	if (e.kind == P2M_POD) {
		r = physmap_pod_forget(m, gfn);
		return r ? r : single_page(m, gfn);
	}
	if (e.kind == P2M_NONE)
		return new_page(m, gfn);
	if (e.kind != P2M_OUT && e.kind != P2M_LENT)
		return -EEXIST;
	n = p2m_note(&m->p2m, gfn);
	if (e.kind == P2M_LENT)
		r = may_have(m, 1) ? physmap_frame_make(m, e.frame, 0, &block) : physmap_take_given(m, e.frame);
	else if (n->given)
		r = block_take(m, n, e.frame - (uint32_t)(gfn % P2M_LARGE_PAGES));
	if (r)
		return r;
	r = physmap_map_over(m, e.frame, gfn, e.frame);
	if (!r) {
		r = physmap_map_copy(m, e.frame, FRAME_GUEST, gfn, seL4_ReadWrite);
		if (!r)
			r = e.kind == P2M_LENT ? p2m_replace(&m->p2m, gfn) : p2m_in(&m->p2m, gfn);
		if (r) {
			physmap_drop_copy(m, e.frame, FRAME_GUEST);
			nowhere(m, gfn, e.frame);
		}
	}
	if (r && e.kind == P2M_LENT)
		physmap_drop_copy(m, e.frame, FRAME_OWNER);
	return r;
}
