#include "servers/domain_manager/physmap.h"

#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/page_window.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"
#include "user/slot.h"

#define WRITE_BACK 6u /* EPT memory type */
#define PAGE_BITS  12u
#define LEVELS	   3u
#define NO_FRAME   UINT32_MAX
#define SCRATCHES  (sizeof(((struct physmap *)0)->slot_scratch) / sizeof(uint32_t))

int physmap_init(struct physmap *m, struct domain_heap *heap, uint32_t account, uint32_t slot_ept, uint32_t slot_vspace)
{
	*m = (struct physmap){.heap = heap, .slot_ept = slot_ept, .slot_vspace = slot_vspace, .nowhere = NO_FRAME, .whole = NO_FRAME};
	p2m_init(&m->p2m, heap);
	if (!object_pool_init(&m->pool, account))
		return -ENOMEM;
	frame_store_init(&m->frames, &m->pool, heap);
	for (unsigned i = 0; i < SCRATCHES; i++) {
		m->slot_scratch[i] = (uint32_t)slot_alloc();
		if (!m->slot_scratch[i])
			return -ENOMEM;
	}
	m->slot_whole = (uint32_t)slot_alloc();
	return m->slot_whole ? 0 : -ENOMEM;
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
	for (unsigned i = 0; i < SCRATCHES; i++)
		slot_end(m->slot_scratch[i]);
	slot_end(m->slot_whole);
	*m = (struct physmap){0};
}

/* ---- capabilities ---- */

static int copy_out(struct physmap *m, uint32_t frame, enum frame_copy copy, uint32_t to)
{
	struct frame_place p = frame_store_place(&m->frames, frame, copy);

	return seL4_CNode_Copy(TASK_SLOT_CNODE, to, seL4_WordBits, p.root, p.index, p.depth, seL4_AllRights) ? -ENOMEM : 0;
}

static int move_in(struct physmap *m, uint32_t from, uint32_t frame, enum frame_copy copy)
{
	struct frame_place p = frame_store_place(&m->frames, frame, copy);

	return seL4_CNode_Move(p.root, p.index, p.depth, TASK_SLOT_CNODE, from, seL4_WordBits) ? -EINVAL : 0;
}

static void drop(uint32_t slot)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
}

/* ---- tables ---- */

/* What the kernel says is missing: bits of the address that were left when the walk ended (facts of MapEPT and Page_Map alike). */
static seL4_Word table_type(seL4_Word missing, bool ept)
{
	switch (missing) {
	case 39:
		return ept ? seL4_X86_EPTPDPTObject : seL4_X86_PDPTObject;
	case 30:
		return ept ? seL4_X86_EPTPDObject : seL4_X86_PageDirectoryObject;
	case 21:
		return ept ? seL4_X86_EPTPTObject : seL4_X86_PageTableObject;
	default:
		return 0;
	}
}

static seL4_Error table_map(struct physmap *m, uint32_t table, seL4_Word missing, bool ept, uint64_t at)
{
	seL4_CPtr root = ept ? m->slot_ept : m->slot_vspace;

	at = at >> missing << missing;
	switch (missing) {
	case 39:
		return ept ? seL4_X86_EPTPDPT_Map(table, root, at, WRITE_BACK) : seL4_X86_PDPT_Map(table, root, at, 0);
	case 30:
		return ept ? seL4_X86_EPTPD_Map(table, root, at, WRITE_BACK) : seL4_X86_PageDirectory_Map(table, root, at, 0);
	default:
		return ept ? seL4_X86_EPTPT_Map(table, root, at, WRITE_BACK) : seL4_X86_PageTable_Map(table, root, at, 0);
	}
}

/* A table is kept in a frame's owner's place: it stays for the domain's life. */
static int table_add(struct physmap *m, seL4_Word missing, bool ept, uint64_t at)
{
	seL4_Word type = table_type(missing, ept);
	uint32_t table = m->slot_scratch[1], keep;
	int r;

	if (!type)
		return -EINVAL;
	r = frame_store_take(&m->frames, &keep);
	if (r)
		return r;
	r = object_pool_make(&m->pool, type, 0, TASK_SLOT_CNODE, table);
	if (!r && table_map(m, table, missing, ept, at))
		r = -EINVAL;
	if (!r)
		r = move_in(m, table, keep, FRAME_OWNER);
	if (r) {
		drop(table);
		frame_store_give(&m->frames, keep);
	}
	return r;
}

static int map(struct physmap *m, uint32_t frame, bool ept, uint64_t at, seL4_CapRights_t rights)
{
	for (unsigned tries = 0; tries <= LEVELS; tries++) {
		seL4_Error e = ept ? seL4_X86_Page_MapEPT(frame, m->slot_ept, at, rights, WRITE_BACK)
				   : seL4_X86_Page_Map(frame, m->slot_vspace, at, rights, insula_X86_ExecuteNever);
		int r;

		if (e == seL4_NoError)
			return 0;
		if (e != seL4_FailedLookup)
			return e == seL4_DeleteFirst ? -EEXIST : -EINVAL;
		r = table_add(m, seL4_GetMR(2), ept, at);
		if (r)
			return r;
	}
	return -EINVAL;
}

/* A copy of the owner's capability, mapped, in its place. */
static int map_copy(struct physmap *m, uint32_t frame, enum frame_copy copy, uint64_t gfn, seL4_CapRights_t rights)
{
	uint64_t gpa = gfn << PAGE_BITS;
	uint32_t slot = m->slot_scratch[0];
	int r = copy_out(m, frame, FRAME_OWNER, slot);

	if (!r)
		r = copy == FRAME_GUEST ? map(m, slot, true, gpa, rights) : map(m, slot, false, TASK_RAM_VADDR + gpa, rights);
	if (!r)
		r = move_in(m, slot, frame, copy);
	if (r)
		drop(slot);
	return r;
}

static void drop_copy(struct physmap *m, uint32_t frame, enum frame_copy copy)
{
	struct frame_place p = frame_store_place(&m->frames, frame, copy);

	(void)seL4_CNode_Delete(p.root, p.index, p.depth);
}

static void unmap(struct physmap *m, uint32_t frame)
{
	drop_copy(m, frame, FRAME_GUEST);
	drop_copy(m, frame, FRAME_VMM);
}

int physmap_map(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	int r = map_copy(m, frame, FRAME_VMM, gfn, seL4_ReadWrite);

	if (!r)
		r = map_copy(m, frame, FRAME_GUEST, gfn, seL4_ReadWrite);
	if (r)
		unmap(m, frame);
	return r;
}

/*
 * A copy of the capability of frame `what` becomes the vmm's copy of `frame`, mapped at gfn over what is there: no thread of the vmm ever finds nothing. The
 * capability that was there has lost its entry, and goes without touching it; it must be another page's.
 */
static int map_over(struct physmap *m, uint32_t what, uint64_t gfn, uint32_t frame)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_VMM);
	uint32_t slot = m->slot_scratch[0], old = m->slot_scratch[2];
	int r = copy_out(m, what, FRAME_OWNER, slot);

	if (!r)
		r = map(m, slot, false, TASK_RAM_VADDR + (gfn << PAGE_BITS), seL4_ReadWrite);
	if (!r) {
		(void)seL4_CNode_Move(TASK_SLOT_CNODE, old, seL4_WordBits, p.root, p.index, p.depth); /* if there is one */
		r = move_in(m, slot, frame, FRAME_VMM);
		drop(old);
	}
	if (r)
		drop(slot);
	return r;
}

int physmap_move(struct physmap *m, uint32_t from, uint32_t to)
{
	struct frame_place a = frame_store_place(&m->frames, from, FRAME_OWNER), b = frame_store_place(&m->frames, to, FRAME_OWNER);

	return seL4_CNode_Move(b.root, b.index, b.depth, a.root, a.index, a.depth) ? -EINVAL : 0;
}

int physmap_zero(struct physmap *m, uint32_t frame)
{
	uint32_t slot = m->slot_scratch[0];
	int r = copy_out(m, frame, FRAME_OWNER, slot);

	if (!r)
		r = page_window_zero(slot);
	drop(slot);
	return r;
}

uint64_t physmap_pages(const struct physmap *m)
{
	return m->p2m.pages[P2M_RAM] + m->pod_cache;
}

int physmap_keep(struct physmap *m)
{
	return root_account_reserve(m->pool.account, (m->pod_cache + m->claim) << PAGE_BITS);
}

/* ---- memory of the domain's own ---- */

/* A large frame of a block of its own, at `index` of a CNode. */
static int large_make(struct physmap *m, seL4_CPtr cnode, seL4_Word index, uint64_t *block)
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
	drop(untyped);
	return r;
}

static int frame_make(struct physmap *m, uint32_t frame, unsigned order, uint64_t *block)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_OWNER);

	*block = 0;
	return order == 0 ? object_pool_make(&m->pool, seL4_X86_4K, 0, p.root, p.index) : large_make(m, p.root, p.index, block);
}

/* A place in the store for what comes to gfn, and the record of it first: it says whether there is room, and is easily taken back. */
static int place_take(struct physmap *m, uint64_t gfn, struct p2m_entry *e)
{
	int r = frame_store_take(&m->frames, &e->frame);

	if (r)
		return r;
	r = p2m_set(&m->p2m, gfn, *e);
	if (r)
		frame_store_give(&m->frames, e->frame);
	return r;
}

static void place_give(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	(void)p2m_clear(&m->p2m, gfn);
	frame_store_give(&m->frames, frame);
}

int physmap_populate(struct physmap *m, uint64_t gfn, unsigned order)
{
	struct p2m_entry e = {.kind = P2M_RAM, .large = order != 0};
	uint64_t block;
	int r;

	if (order != 0 && order != P2M_LARGE_ORDER)
		return -EINVAL;
	r = place_take(m, gfn, &e);
	if (r)
		return r;
	r = frame_make(m, e.frame, order, &block);
	if (!r && block)
		p2m_note(&m->p2m, gfn)->block = block;
	if (!r && e.large)
		p2m_note(&m->p2m, gfn)->whole = true;
	if (!r)
		r = physmap_map(m, gfn, e.frame);
	if (r) {
		place_give(m, gfn, e.frame);
		if (block)
			(void)root_account_return(m->pool.account, block);
	}
	return r;
}

/* If nobody has any of it. */
static void block_return(struct physmap *m, struct p2m_note *n)
{
	if (n->block == 0 || n->out != P2M_LARGE_PAGES || n->uses || root_account_return(m->pool.account, n->block))
		return;
	n->block = 0;
	n->given = true;
}

static void take_out(struct physmap *m, uint64_t gfn, struct p2m_entry e, struct physmap_source s)
{
	struct p2m_note *n;

	(void)p2m_clear(&m->p2m, gfn);
	if (e.kind == P2M_FOREIGN)
		frame_store_give_one(&m->frames, e.frame);
	else
		frame_store_give(&m->frames, e.frame);
	n = s.from ? p2m_note(&s.from->p2m, s.gfn) : NULL;
	if (n && n->uses && --n->uses == 0)
		block_return(s.from, n);
}

static struct physmap_source source_of(const struct physmap *m, struct p2m_entry e)
{
	return e.kind == P2M_FOREIGN ? m->source[e.frame / FRAME_CHUNK][e.frame % FRAME_CHUNK] : (struct physmap_source){.owner = PHYSMAP_NOBODY};
}

int physmap_remove(struct physmap *m, uint64_t gfn, uint16_t *owner)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	struct physmap_source s;

	if (e.kind == P2M_NONE)
		return -ENOENT;
	if (e.large || (e.kind != P2M_RAM && e.kind != P2M_FOREIGN))
		return -EBUSY;
	s = source_of(m, e);
	*owner = s.owner;
	take_out(m, gfn, e, s);
	return 0;
}

void physmap_unmap_granted(struct physmap *m, uint64_t gfn, const struct physmap *from)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	struct physmap_source s;

	if (e.kind != P2M_FOREIGN)
		return;
	s = source_of(m, e);
	if (s.from == from && s.owner == PHYSMAP_NOBODY)
		take_out(m, gfn, e, s);
}

/* ---- pages that a hypervisor gives ---- */

int physmap_frame(struct physmap *m, uint32_t *frame)
{
	uint64_t block;
	int r = frame_store_take(&m->frames, frame);

	if (r)
		return r;
	r = frame_make(m, *frame, 0, &block);
	if (r)
		frame_store_give(&m->frames, *frame);
	return r;
}

/* False: there is no memory for it. */
static bool nowhere_made(struct physmap *m)
{
	if (m->nowhere == NO_FRAME && physmap_frame(m, &m->nowhere))
		m->nowhere = NO_FRAME;
	return m->nowhere != NO_FRAME;
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
	if (m->taken == PHYSMAP_TAKEN_MAX || !nowhere_made(m))
		return -ENOMEM;
	r = frame_store_take(&m->frames, &keep);
	if (r)
		return r;
	r = map_over(m, m->nowhere, gfn, keep);
	if (r) {
		frame_store_give(&m->frames, keep);
		return r;
	}
	m->taken++;
	unmap(m, e.frame);
	(void)p2m_clear(&m->p2m, gfn);
	return 0;
}

/* ---- pages of other domains ---- */

static void whole_forget(struct physmap *m)
{
	if (m->whole == NO_FRAME)
		return;
	drop(m->slot_whole);
	m->whole = NO_FRAME;
}

/* Of what pages are derived: a copy of the owner's capability in a slot of ours. That of a large frame stays there for the next page. */
static int whole_take(struct physmap *m, struct p2m_entry e, uint32_t *slot)
{
	int r;

	*slot = e.large ? m->slot_whole : m->slot_scratch[0];
	if (e.large && m->whole == e.frame)
		return 0;
	if (e.large)
		whole_forget(m);
	r = copy_out(m, e.frame, FRAME_OWNER, *slot);
	if (!r && e.large)
		m->whole = e.frame;
	return r;
}

static uint64_t offset_in(struct p2m_entry e, uint64_t gfn)
{
	return e.large ? gfn % P2M_LARGE_PAGES << PAGE_BITS : 0;
}

/* The page at gfn, or a frame of one page, derived from the owner's capability, into `slot`. */
static int derive(struct physmap *from, struct p2m_entry e, uint64_t gfn, uint32_t slot, bool write)
{
	uint32_t whole;
	int r = whole_take(from, e, &whole);

	if (r)
		return r;
	if (insula_Frame_Derive(whole, TASK_SLOT_CNODE, slot, seL4_WordBits, write ? seL4_ReadWrite : seL4_CanRead, offset_in(e, gfn), PAGE_BITS))
		r = -ENOMEM;
	if (!e.large)
		drop(whole);
	return r;
}

static int source_set(struct physmap *m, uint32_t frame, struct physmap_source source)
{
	uint32_t chunk = frame / FRAME_CHUNK;

	if (chunk >= m->sources) {
		uint32_t n = chunk + 16;
		struct physmap_source **more = domain_heap_resize(m->heap, m->source, n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (uint32_t i = m->sources; i < n; i++)
			more[i] = NULL;
		m->source = more;
		m->sources = n;
	}
	if (!m->source[chunk])
		m->source[chunk] = domain_heap_alloc(m->heap, FRAME_CHUNK, sizeof(source));
	if (!m->source[chunk])
		return -ENOMEM;
	m->source[chunk][frame % FRAME_CHUNK] = source;
	return 0;
}

/* The record of a foreign page at `at`, where nothing is, with a place for its capability. */
static int foreign_note(struct physmap *m, uint64_t at, struct physmap_source source, uint32_t *frame)
{
	int r = frame_store_take(&m->frames, frame);

	if (r)
		return r;
	r = source_set(m, *frame, source);
	if (!r)
		r = p2m_set(&m->p2m, at, (struct p2m_entry){.kind = P2M_FOREIGN, .frame = *frame});
	if (r)
		frame_store_give_one(&m->frames, *frame);
	return r;
}

static void foreign_forget(struct physmap *m, uint64_t at, uint32_t frame)
{
	(void)p2m_clear(&m->p2m, at);
	frame_store_give_one(&m->frames, frame);
}

/* As map(), of a part of the frame in slot `whole`, whose capability is made in a place of the store. */
static int derive_mapped(struct physmap *m, uint32_t whole, uint64_t offset, uint32_t frame, uint64_t at, bool write)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_OWNER);
	seL4_CapRights_t rights = write ? seL4_ReadWrite : seL4_CanRead;

	for (unsigned tries = 0; tries <= LEVELS; tries++) {
		seL4_Error e = insula_Frame_DeriveEPT(whole, p.root, p.index, p.depth, rights, offset, PAGE_BITS, m->slot_ept, at, WRITE_BACK);
		int r;

		if (e == seL4_NoError)
			return 0;
		if (e != seL4_FailedLookup)
			return e == seL4_DeleteFirst ? -EEXIST : -ENOMEM;
		r = table_add(m, seL4_GetMR(2), true, at);
		if (r)
			return r;
	}
	return -EINVAL;
}

static int foreign(struct physmap *m, uint64_t at, struct physmap *from, struct p2m_entry what, bool write, struct physmap_source source)
{
	uint32_t frame, whole;
	int r = foreign_note(m, at, source, &frame);

	if (r)
		return r;
	r = whole_take(from, what, &whole);
	if (!r) {
		r = derive_mapped(m, whole, offset_in(what, source.gfn), frame, at << PAGE_BITS, write);
		if (!what.large)
			drop(whole);
	}
	if (r)
		foreign_forget(m, at, frame);
	return r;
}

/* A page of RAM or of Xen's at gfn, populated now if it is to be on demand. */
static int page_need(struct physmap *m, uint64_t gfn, struct p2m_entry *e)
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

int physmap_foreign(struct physmap *m, uint64_t at, struct physmap *from, uint64_t gfn, bool write, uint16_t owner)
{
	struct p2m_entry e;
	int r = page_need(from, gfn, &e);

	if (r)
		return r;
	r = foreign(m, at, from, e, write, (struct physmap_source){.from = from, .gfn = gfn, .owner = owner});
	if (!r)
		p2m_note(&from->p2m, gfn)->uses++;
	return r;
}

int physmap_derive(struct physmap *m, uint64_t gfn, bool write, uint32_t slot)
{
	struct p2m_entry e;
	int r = page_need(m, gfn, &e);

	if (r)
		return r;
	return derive(m, e, gfn, slot, write);
}

int physmap_foreign_frame(struct physmap *m, uint64_t at, struct physmap *from, uint32_t frame, bool write, uint16_t owner)
{
	return foreign(m, at, from, (struct p2m_entry){.frame = frame}, write, (struct physmap_source){.owner = owner});
}

int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr)
{
	return map(m, slot, false, vaddr, seL4_ReadWrite);
}

/* ---- ballooning ---- */

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
	uint32_t keep[2] = {NO_FRAME, NO_FRAME}, first;
	int r = frame_store_take_chunk(&m->frames, &first);

	if (r)
		return r;
	whole_forget(m);
	r = split_tables(m, keep);
	if (!r)
		r = p2m_split(&m->p2m, gfn, first);
	if (r) {
		for (unsigned i = 0; i < 2; i++) {
			drop(m->slot_scratch[2 + i]);
			if (keep[i] != NO_FRAME)
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
		(void)move_in(m, m->slot_scratch[2 + i], keep[i], FRAME_OWNER);
	if (!r)
		frame_store_give(&m->frames, large);
	return r < 0 ? r : 0;
}

/* So that the vmm always finds something where it takes RAM to be. Without memory for it there is nothing: the page that was there goes all the same. */
static void nowhere(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	if (!nowhere_made(m) || map_over(m, m->nowhere, gfn, frame))
		drop_copy(m, frame, FRAME_VMM);
}

void physmap_nowhere(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	uint32_t slot = m->slot_scratch[0];
	bool there = !copy_out(m, frame, FRAME_VMM, slot);

	drop(slot);
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
	drop_copy(m, e.frame, FRAME_GUEST);
	nowhere(m, gfn, e.frame);
	block_return(m, p2m_note(&m->p2m, gfn));
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
	int r = may_have(m, 0) ? frame_make(m, frame, 0, &block) : -ENOMEM;

	return r == -ENOMEM ? physmap_take_given(m, frame) : r;
}

/* One at gfn, where nothing is. */
static int single_page(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = {.kind = P2M_RAM};
	int r = place_take(m, gfn, &e);

	if (r)
		return r;
	r = single_make(m, e.frame);
	if (!r)
		r = physmap_map(m, gfn, e.frame);
	if (r)
		place_give(m, gfn, e.frame);
	return r;
}

/* New memory for 2 MiB that were given back: 512 frames, of which none is mapped. */
static int block_take(struct physmap *m, struct p2m_note *n, uint32_t first)
{
	struct frame_place to = frame_store_place(&m->frames, first, FRAME_OWNER);
	uint32_t slot = m->slot_scratch[0];
	insula_Frame_Split_t s;
	uint64_t block;
	int r = large_make(m, TASK_SLOT_CNODE, slot, &block);

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
		r = may_have(m, 1) ? frame_make(m, e.frame, 0, &block) : physmap_take_given(m, e.frame);
	else if (n->given)
		r = block_take(m, n, e.frame - (uint32_t)(gfn % P2M_LARGE_PAGES));
	if (r)
		return r;
	r = map_over(m, e.frame, gfn, e.frame);
	if (!r) {
		r = map_copy(m, e.frame, FRAME_GUEST, gfn, seL4_ReadWrite);
		if (!r)
			r = e.kind == P2M_LENT ? p2m_replace(&m->p2m, gfn) : p2m_in(&m->p2m, gfn);
		if (r) {
			drop_copy(m, e.frame, FRAME_GUEST);
			nowhere(m, gfn, e.frame);
		}
	}
	if (r && e.kind == P2M_LENT)
		drop_copy(m, e.frame, FRAME_OWNER);
	return r;
}
