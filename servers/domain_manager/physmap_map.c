/* Capabilities of frames in their places, and their mappings for the guest and its vmm, with the tables that these need. */
#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/page_window.h"
#include "servers/domain_manager/physmap_private.h"

#define WRITE_BACK 6u /* EPT memory type */

/* ---- capabilities ---- */

int physmap_copy_out(struct physmap *m, uint32_t frame, enum frame_copy copy, uint32_t to)
{
	struct frame_place p = copy == FRAME_OWNER ? physmap_owner(m, frame) : frame_store_place(&m->frames, frame, copy);

	return seL4_CNode_Copy(TASK_SLOT_CNODE, to, seL4_WordBits, p.root, p.index, p.depth, seL4_AllRights) ? -ENOMEM : 0;
}

int physmap_move_in(struct physmap *m, uint32_t from, uint32_t frame, enum frame_copy copy)
{
	struct frame_place p = frame_store_place(&m->frames, frame, copy);

	return seL4_CNode_Move(p.root, p.index, p.depth, TASK_SLOT_CNODE, from, seL4_WordBits) ? -EINVAL : 0;
}

void physmap_drop(uint32_t slot)
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

/* A table is kept in a frame's owner's place: it stays for the domain's life, even if what it was made for fails. */
static int table_add(struct physmap *m, seL4_Word missing, bool ept, uint64_t at)
{
	seL4_Word type = table_type(missing, ept);
	uint64_t *n = ept ? &m->tables : &m->vmm_tables;
	uint32_t table = m->slot_scratch[1], keep;
	int r;

	if (!type)
		return -EINVAL;
	if (*n >= m->tables_most)
		return -ENOMEM;
	r = frame_store_take(&m->frames, &keep);
	if (r)
		return r;
	r = object_pool_make(&m->pool, type, 0, TASK_SLOT_CNODE, table);
	if (!r && table_map(m, table, missing, ept, at))
		r = -EINVAL;
	if (!r)
		r = physmap_move_in(m, table, keep, FRAME_OWNER);
	if (r) {
		physmap_drop(table);
		frame_store_give(&m->frames, keep);
		return r;
	}
	++*n;
	return 0;
}

/* A mapping was tried at this address. 0: it is there; 1: a table was missing, and is there now; else -errno, `otherwise` of what is not known here. */
static int tried(struct physmap *m, seL4_Error e, bool ept, uint64_t at, int otherwise)
{
	int r;

	switch (e) {
	case seL4_NoError:
		return 0;
	case seL4_DeleteFirst:
		return -EEXIST;
	case seL4_FailedLookup:
		r = table_add(m, seL4_GetMR(2), ept, at);
		return r ? r : 1;
	default:
		return otherwise;
	}
}

static int map(struct physmap *m, uint32_t frame, bool ept, uint64_t at, seL4_CapRights_t rights)
{
	int r;

	do {
		seL4_Error e = ept ? seL4_X86_Page_MapEPT(frame, m->slot_ept, at, rights, WRITE_BACK)
				   : seL4_X86_Page_Map(frame, m->slot_vspace, at, rights, insula_X86_ExecuteNever);

		r = tried(m, e, ept, at, -EINVAL);
	} while (r > 0);
	return r;
}

int physmap_map_copy(struct physmap *m, uint32_t frame, enum frame_copy copy, uint64_t gfn, seL4_CapRights_t rights)
{
	uint64_t gpa = gfn << PAGE_BITS;
	uint32_t slot = m->slot_scratch[0];
	int r = physmap_copy_out(m, frame, FRAME_OWNER, slot);

	if (!r)
		r = copy == FRAME_GUEST ? map(m, slot, true, gpa, rights) : map(m, slot, false, TASK_RAM_VADDR + gpa, rights);
	if (!r)
		r = physmap_move_in(m, slot, frame, copy);
	if (r)
		physmap_drop(slot);
	return r;
}

void physmap_drop_copy(struct physmap *m, uint32_t frame, enum frame_copy copy)
{
	struct frame_place p = frame_store_place(&m->frames, frame, copy);

	(void)seL4_CNode_Delete(p.root, p.index, p.depth);
}

void physmap_unmap(struct physmap *m, uint32_t frame)
{
	physmap_drop_copy(m, frame, FRAME_GUEST);
	physmap_drop_copy(m, frame, FRAME_VMM);
}

int physmap_map(struct physmap *m, uint64_t gfn, uint32_t frame)
{
	int r = physmap_map_copy(m, frame, FRAME_VMM, gfn, seL4_ReadWrite);

	if (!r)
		r = physmap_map_copy(m, frame, FRAME_GUEST, gfn, seL4_ReadWrite);
	if (r)
		physmap_unmap(m, frame);
	return r;
}

int physmap_map_over(struct physmap *m, uint32_t what, uint64_t gfn, uint32_t frame)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_VMM);
	uint32_t slot = m->slot_scratch[0], old = m->slot_scratch[2];
	int r = physmap_copy_out(m, what, FRAME_OWNER, slot);

	if (!r)
		r = map(m, slot, false, TASK_RAM_VADDR + (gfn << PAGE_BITS), seL4_ReadWrite);
	if (!r) {
		(void)seL4_CNode_Move(TASK_SLOT_CNODE, old, seL4_WordBits, p.root, p.index, p.depth); /* if there is one */
		r = physmap_move_in(m, slot, frame, FRAME_VMM);
		physmap_drop(old);
	}
	if (r)
		physmap_drop(slot);
	return r;
}

int physmap_zero(struct physmap *m, uint32_t frame)
{
	uint32_t slot = m->slot_scratch[0];
	int r = physmap_copy_out(m, frame, FRAME_OWNER, slot);

	if (!r)
		r = page_window_zero(slot);
	physmap_drop(slot);
	return r;
}

int physmap_derive_mapped(struct physmap *m, uint32_t whole, uint64_t offset, uint32_t frame, uint64_t at, bool write)
{
	struct frame_place p = frame_store_place(&m->frames, frame, FRAME_OWNER);
	seL4_CapRights_t rights = write ? seL4_ReadWrite : seL4_CanRead;
	int r;

	do {
		seL4_Error e = insula_Frame_DeriveEPT(whole, p.root, p.index, p.depth, rights, offset, PAGE_BITS, m->slot_ept, at, WRITE_BACK);

		r = tried(m, e, true, at, -ENOMEM);
	} while (r > 0);
	return r;
}

int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr)
{
	return map(m, slot, false, vaddr, seL4_ReadWrite);
}
