/* A domain's frames where its guest and its vmm find them: the beginning and end, and memory of its own. */
#include "servers/domain_manager/physmap.h"

#include <errno.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"
#include "user/slot.h"

#define SCRATCHES (sizeof(((struct physmap *)0)->slot_scratch) / sizeof(uint32_t))

int physmap_init(struct physmap *m, struct domain_heap *heap, uint32_t account, uint32_t slot_ept, uint32_t slot_vspace)
{
	*m = (struct physmap){.heap = heap, .slot_ept = slot_ept, .slot_vspace = slot_vspace, .nowhere = PHYSMAP_NO_FRAME, .hint = PAGE_POOL_NONE, .tables_most = UINT64_MAX};
	p2m_init(&m->p2m, heap);
	if (!object_pool_init(&m->pool, account))
		return -ENOMEM;
	frame_store_init(&m->frames, &m->pool, heap);
	for (unsigned i = 0; i < SCRATCHES; i++) {
		m->slot_scratch[i] = (uint32_t)slot_alloc();
		if (!m->slot_scratch[i])
			return -ENOMEM;
	}
	return 0;
}

static void slot_end(uint32_t slot)
{
	if (!slot)
		return;
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
	slot_free(slot);
}

void physmap_end(struct physmap *m)
{
	if (!m->heap)
		return; /* it was never begun */
	frame_store_end(&m->frames);
	object_pool_end(&m->pool);
	p2m_free(&m->p2m);
	for (uint32_t i = 0; i < m->sources; i++)
		domain_heap_free(m->heap, m->source[i]);
	domain_heap_free(m->heap, m->source);
	for (uint32_t i = 0; i < m->single_chunks; i++)
		domain_heap_free(m->heap, m->single[i]);
	domain_heap_free(m->heap, m->single);
	for (unsigned i = 0; i < SCRATCHES; i++)
		slot_end(m->slot_scratch[i]);
	*m = (struct physmap){0};
}

uint64_t physmap_pages(const struct physmap *m)
{
	return m->p2m.pages[P2M_RAM] + m->pod_cache;
}

/* ---- memory of the domain's own ---- */

int physmap_large_make(struct physmap *m, seL4_CPtr cnode, seL4_Word index, uint64_t *block)
{
	uint32_t untyped = m->slot_scratch[1];
	int r = root_account_alloc_block(m->pool.account, PAGE_BITS + P2M_LARGE_ORDER, untyped, block);

	if (r)
		return r;
	if (seL4_Untyped_Retype(untyped, seL4_X86_LargePageObject, 0, cnode, 0, 0, index, 1)) {
		(void)root_account_return(m->pool.account, *block);
		r = -ENOMEM;
	}
	/* root has the Untyped itself; the frame is its child now */
	physmap_drop(untyped);
	return r;
}

int physmap_place_take(struct physmap *m, uint64_t gfn, bool single, struct p2m_entry *e)
{
	int r = single ? frame_store_take_single(&m->frames, &e->frame) : frame_store_take(&m->frames, &e->frame);

	if (r)
		return r;
	r = p2m_set(&m->p2m, gfn, *e);
	if (r)
		frame_store_give(&m->frames, e->frame);
	return r;
}

void physmap_place_give(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	(void)p2m_clear(&m->p2m, gfn);
	physmap_unmap(m, frame);
	(void)physmap_single_give(m, frame);
	frame_store_give(&m->frames, frame);
}

static int populate_large(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = {.kind = P2M_RAM, .large = true};
	struct frame_place p;
	uint64_t block;
	int r = physmap_place_take(m, gfn, false, &e);

	if (r)
		return r;
	p = frame_store_place(&m->frames, e.frame, FRAME_OWNER);
	r = physmap_large_make(m, p.root, p.index, &block);
	if (!r) {
		struct p2m_note *n = p2m_note(&m->p2m, gfn);

		n->block = block;
		n->whole = true;
		r = physmap_map(m, gfn, e.frame);
		if (r)
			(void)root_account_return(m->pool.account, block);
	}
	if (r)
		physmap_place_give(m, gfn, e.frame);
	return r;
}

int physmap_populate(struct physmap *m, uint64_t gfn, unsigned order)
{
	switch (order) {
	case 0:
		return physmap_single(m, gfn);
	case P2M_LARGE_ORDER:
		return populate_large(m, gfn);
	default:
		return -EINVAL;
	}
}

int physmap_remove(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);

	if (e.kind != P2M_RAM || e.large)
		return e.kind == P2M_NONE ? -ENOENT : -EBUSY;
	if (p2m_note(&m->p2m, gfn)->uses)
		return -EBUSY; /* whose capability it is does not change while others have it */
	physmap_place_give(m, gfn, e.frame);
	return 0;
}

int physmap_page_need(struct physmap *m, uint64_t gfn, struct p2m_entry *e)
{
	int r;

	*e = p2m_get(&m->p2m, gfn);
	if (e->kind == P2M_POD) {
		r = physmap_pod_need(m, gfn);
		if (r)
			return r;
		*e = p2m_get(&m->p2m, gfn);
	}
	return e->kind == P2M_RAM || e->kind == P2M_XEN ? 0 : -ENOENT;
}

/* ---- pages that a hypervisor gives ---- */

int physmap_frame(struct physmap *m, uint32_t *frame)
{
	struct frame_place p;
	int r = frame_store_take(&m->frames, frame);

	if (r)
		return r;
	p = frame_store_place(&m->frames, *frame, FRAME_OWNER);
	r = object_pool_make(&m->pool, seL4_X86_4K, 0, p.root, p.index);
	if (r)
		frame_store_give(&m->frames, *frame);
	return r;
}

bool physmap_nowhere_made(struct physmap *m)
{
	if (m->nowhere == PHYSMAP_NO_FRAME && physmap_frame(m, &m->nowhere))
		m->nowhere = PHYSMAP_NO_FRAME;
	return m->nowhere != PHYSMAP_NO_FRAME;
}

int physmap_place(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	int r = p2m_set(&m->p2m, gfn, (struct p2m_entry){.kind = P2M_XEN, .frame = frame});

	if (r)
		return r;
	r = physmap_map(m, gfn, frame);
	if (r)
		(void)p2m_clear(&m->p2m, gfn);
	return r;
}

int physmap_take_away(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	uint32_t keep;
	int r;

	if (e.kind != P2M_XEN)
		return 0;
	if (m->taken == PHYSMAP_TAKEN_MAX || !physmap_nowhere_made(m))
		return -ENOMEM;
	r = frame_store_take(&m->frames, &keep);
	if (r)
		return r;
	r = physmap_map_over(m, m->nowhere, gfn, keep);
	if (r) {
		frame_store_give(&m->frames, keep);
		return r;
	}
	m->taken++;
	physmap_unmap(m, e.frame);
	(void)p2m_clear(&m->p2m, gfn);
	return 0;
}
