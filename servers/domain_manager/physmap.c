#include "servers/domain_manager/physmap.h"

#include <errno.h>
#include <stdlib.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/root_call.h"
#include "user/slot.h"

#define WRITE_BACK 6u /* EPT memory type */
#define PAGE_BITS  12u
#define LEVELS	   3u

int physmap_init(struct physmap *m, uint32_t account, uint32_t slot_ept, uint32_t slot_vspace)
{
	*m = (struct physmap){.slot_ept = slot_ept, .slot_vspace = slot_vspace};
	p2m_init(&m->p2m);
	if (!object_pool_init(&m->pool, account))
		return -ENOMEM;
	frame_store_init(&m->frames, &m->pool);
	for (unsigned i = 0; i < 2; i++) {
		m->slot_scratch[i] = (uint32_t)slot_alloc();
		if (!m->slot_scratch[i])
			return -ENOMEM;
	}
	return 0;
}

void physmap_end(struct physmap *m)
{
	frame_store_end(&m->frames);
	object_pool_end(&m->pool);
	p2m_free(&m->p2m);
	free(m->owner);
	for (unsigned i = 0; i < 2; i++)
		if (m->slot_scratch[i]) {
			(void)seL4_CNode_Delete(TASK_SLOT_CNODE, m->slot_scratch[i], seL4_WordBits);
			slot_free(m->slot_scratch[i]);
		}
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

/* ---- memory of the domain's own ---- */

static int frame_make(struct physmap *m, uint32_t frame, unsigned order)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_OWNER);
	uint32_t untyped = m->slot_scratch[0];
	int r;

	if (order == 0)
		return object_pool_make(&m->pool, seL4_X86_4K, 0, p.root, p.index);
	r = root_account_alloc(m->pool.account, PAGE_BITS + order, untyped);
	if (r)
		return r;
	if (seL4_Untyped_Retype(untyped, seL4_X86_LargePageObject, 0, p.root, 0, 0, p.index, 1))
		r = -ENOMEM;
	/* root has the Untyped itself; the frame is its child now */
	drop(untyped);
	return r;
}

int physmap_populate(struct physmap *m, uint64_t gfn, unsigned order)
{
	struct p2m_entry e = {.kind = P2M_RAM, .large = order != 0};
	int r;

	if (order != 0 && order != P2M_LARGE_ORDER)
		return -EINVAL;
	r = frame_store_take(&m->frames, &e.frame);
	if (r)
		return r;
	/* first the record: it says whether there is room, and it is easily taken back */
	r = p2m_set(&m->p2m, gfn, e);
	if (r) {
		frame_store_give(&m->frames, e.frame);
		return r;
	}
	r = frame_make(m, e.frame, order);
	if (!r)
		r = map_copy(m, e.frame, FRAME_VMM, gfn, seL4_ReadWrite);
	if (!r)
		r = map_copy(m, e.frame, FRAME_GUEST, gfn, seL4_ReadWrite);
	if (r) {
		(void)p2m_clear(&m->p2m, gfn);
		frame_store_give(&m->frames, e.frame);
	}
	return r;
}

int physmap_remove(struct physmap *m, uint64_t gfn, uint16_t *owner)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);

	if (e.kind == P2M_NONE)
		return -ENOENT;
	if (e.large || e.kind == P2M_XEN)
		return -EBUSY;
	*owner = e.kind == P2M_FOREIGN ? m->owner[e.frame] : PHYSMAP_NOBODY;
	(void)p2m_clear(&m->p2m, gfn);
	frame_store_give(&m->frames, e.frame);
	return 0;
}

/* ---- pages that a hypervisor gives ---- */

int physmap_frame(struct physmap *m, uint32_t *frame)
{
	int r = frame_store_take(&m->frames, frame);

	if (r)
		return r;
	r = frame_make(m, *frame, 0);
	if (r)
		frame_store_give(&m->frames, *frame);
	return r;
}

static void unmap_copies(struct physmap *m, uint32_t frame)
{
	for (unsigned copy = FRAME_GUEST; copy < FRAME_COPIES; copy++) {
		struct frame_place p = frame_store_place(&m->frames, frame, (enum frame_copy)copy);

		(void)seL4_CNode_Delete(p.root, p.index, p.depth);
	}
}

int physmap_place(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	int r = p2m_set(&m->p2m, gfn, (struct p2m_entry){.kind = P2M_XEN, .frame = frame});

	if (r)
		return r;
	r = map_copy(m, frame, FRAME_VMM, gfn, seL4_ReadWrite);
	if (!r)
		r = map_copy(m, frame, FRAME_GUEST, gfn, seL4_ReadWrite);
	if (r) {
		unmap_copies(m, frame);
		(void)p2m_clear(&m->p2m, gfn);
	}
	return r;
}

void physmap_take_away(struct physmap *m, uint64_t gfn)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);

	if (e.kind != P2M_XEN)
		return;
	unmap_copies(m, e.frame);
	(void)p2m_clear(&m->p2m, gfn);
}

/* ---- pages of other domains ---- */

/* Page `page` of a frame, derived from the owner's capability, into `slot`. */
static int derive(struct physmap *from, uint32_t frame, uint32_t page, uint32_t slot, bool write)
{
	uint32_t whole = from->slot_scratch[0];
	int r = copy_out(from, frame, FRAME_OWNER, whole);

	if (r)
		return r;
	if (insula_Frame_Derive(whole, TASK_SLOT_CNODE, slot, seL4_WordBits, write ? seL4_ReadWrite : seL4_CanRead, (uint64_t)page << PAGE_BITS,
				PAGE_BITS))
		r = -ENOMEM;
	drop(whole);
	return r;
}

static int owner_set(struct physmap *m, uint32_t frame, uint16_t owner)
{
	if (frame >= m->owners) {
		uint32_t n = (frame / FRAME_CHUNK + 1) * FRAME_CHUNK;
		uint16_t *more = realloc(m->owner, n * sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->owner = more;
		m->owners = n;
	}
	m->owner[frame] = owner;
	return 0;
}

static int foreign(struct physmap *m, uint64_t at, struct physmap *from, uint32_t frame, uint32_t page, bool write, uint16_t owner)
{
	struct p2m_entry e = {.kind = P2M_FOREIGN};
	uint32_t slot = m->slot_scratch[1];
	int r = frame_store_take(&m->frames, &e.frame);

	if (r)
		return r;
	r = owner_set(m, e.frame, owner);
	if (!r)
		r = p2m_set(&m->p2m, at, e);
	if (r) {
		frame_store_give(&m->frames, e.frame);
		return r;
	}
	r = derive(from, frame, page, slot, write);
	if (!r)
		r = move_in(m, slot, e.frame, FRAME_OWNER);
	if (!r)
		r = map_copy(m, e.frame, FRAME_GUEST, at, write ? seL4_ReadWrite : seL4_CanRead);
	if (r) {
		drop(slot);
		(void)p2m_clear(&m->p2m, at);
		frame_store_give(&m->frames, e.frame);
	}
	return r;
}

static uint32_t page_in(struct p2m_entry e, uint64_t gfn)
{
	return e.large ? (uint32_t)(gfn % P2M_LARGE_PAGES) : 0;
}

int physmap_foreign(struct physmap *m, uint64_t at, struct physmap *from, uint64_t gfn, bool write, uint16_t owner)
{
	struct p2m_entry e = p2m_get(&from->p2m, gfn);

	if (e.kind != P2M_RAM && e.kind != P2M_XEN)
		return -ENOENT;
	return foreign(m, at, from, e.frame, page_in(e, gfn), write, owner);
}

int physmap_derive(struct physmap *m, uint64_t gfn, bool write, uint32_t slot)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);

	if (e.kind != P2M_RAM && e.kind != P2M_XEN)
		return -ENOENT;
	return derive(m, e.frame, page_in(e, gfn), slot, write);
}

int physmap_foreign_frame(struct physmap *m, uint64_t at, struct physmap *from, uint32_t frame, bool write, uint16_t owner)
{
	return foreign(m, at, from, frame, 0, write, owner);
}

int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr)
{
	return map(m, slot, false, vaddr, seL4_ReadWrite);
}
