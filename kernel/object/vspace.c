/*
 * VSpaces: PML4, PDPT, PD and PT objects. Owns the non-leaf entries of user address spaces. Decode checks
 * everything and then makes one store. Called by the invocation layer, by deletion and by the switch to a
 * thread. Frames are in frame.c.
 */
#include "object/vspace.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/user_tables.h"
#include "mem/mem.h"
#include "object/asid.h"
#include "object/frame.h"
#include "object/tcb.h"
#include "object/vspace_walk.h"
#include "sel4/constants.h"

/* ---- roots ---- */

void vspace_init_root(paddr_t pml4)
{
	user_tables_fill(window_kv(pml4));
}

bool vspace_root_valid(cap_t cap)
{
	/* One without an ASID says 0, which names nothing. */
	return cap_type(cap) == CAP_PML4 &&
	       asid_names((unsigned)cap_paging_asid(cap), ASID_VSPACE, paddr(cap_paging_ptr(cap)));
}

uint64_t vspace_generation = 1;

void vspace_find_cr3(struct tcb *t)
{
	cap_t cap = t->slot[TCB_VSPACE].cap;

	t->cr3 = vspace_root_valid(cap) ? cap_paging_ptr(cap) : user_tables_root.v;
	t->cr3_generation = vspace_generation;
}

exception_t vspace_check_assigned(cap_t cap)
{
	if (cap_type(cap) != CAP_PML4 || !cap_paging_is_mapped(cap))
		return error_invalid_capability(1);
	return EXC_NONE;
}

exception_t vspace_check_live(cap_t cap)
{
	paddr_t root;

	if (!asid_lookup((unsigned)cap_paging_asid(cap), ASID_VSPACE, &root)) {
		error_lookup(seL4_InvalidRoot, 0);
		return error_failed_lookup(false);
	}
	return root.v == cap_paging_ptr(cap) ? EXC_NONE : error_invalid_capability(1);
}

/* ---- tables ---- */

static unsigned vspace_table_level(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_PT:
		return 1;
	case CAP_PD:
		return 2;
	default:
		return 3;
	}
}

/* Takes a table out of the address space that it is mapped in, if that is still so, and forgets what it
 * translated. */
static void vspace_unmap_table(cap_t cap)
{
	unsigned level = vspace_table_level(cap), missing;
	uint64_t *entry;
	paddr_t root;

	if (!asid_lookup((unsigned)cap_paging_asid(cap), ASID_VSPACE, &root))
		return;
	entry = vspace_walk(root, cap_paging_mapped(cap), level + 1, &missing);
	if (!entry || !vspace_is_table(tables_read(entry), paddr(cap_paging_ptr(cap))))
		return;
	tables_write(entry, (pte_t){{0}});
	tlb_flush_root(root.v);
}

static exception_t vspace_map_table(unsigned length, struct cte *slot, cap_t cap)
{
	struct cte *space = invocation_extra(0);
	unsigned level = vspace_table_level(cap);
	uint64_t address, *entry;
	exception_t e;
	cap_t root;

	if (length < 2 || !space)
		return error_truncated();
	if (cap_paging_is_mapped(cap))
		return error_invalid_capability(0);
	address = ALIGN_DOWN(invocation_arg(0), vspace_level_bits(level + 1));
	root = space->cap;
	e = vspace_check_assigned(root);
	if (e != EXC_NONE)
		return e;
	if (address > SEL4_USER_LAST)
		return error_invalid_argument(0);
	e = vspace_check_live(root);
	if (e != EXC_NONE)
		return e;
	if (vspace_lookup(paddr(cap_paging_ptr(root)), address, level + 1, &entry) != EXC_NONE)
		return error_failed_lookup(false);
	if (pte_present(tables_read(entry)))
		return error_delete_first();

	tables_write(entry, vspace_table_entry(paddr(cap_paging_ptr(cap)), invocation_arg(1)));
	cap = cap_paging_with_mapped(cap_paging_with_asid(cap, cap_paging_asid(root)), address);
	slot->cap = cap_paging_with_is_mapped(cap, 1);
	return EXC_NONE;
}

static exception_t vspace_unmap_table_decode(struct cte *slot, cap_t cap)
{
	if (!cte_is_final(slot))
		return error_revoke_first();
	if (cap_paging_is_mapped(cap)) {
		vspace_unmap_table(cap);
		/* What it held must not come with it to another place. */
		memset(window_kv(paddr(cap_paging_ptr(cap))), 0, PAGE_SIZE);
	}
	cap = cap_paging_with_mapped(cap_paging_with_asid(cap, 0), 0);
	slot->cap = cap_paging_with_is_mapped(cap, 0);
	return EXC_NONE;
}

exception_t vspace_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	word_t map, unmap;

	switch (cap_type_of(cap)) {
	case CAP_FRAME:
		return frame_decode(label, length, slot, cap);
	case CAP_PT:
		map = X86PageTableMap;
		unmap = X86PageTableUnmap;
		break;
	case CAP_PD:
		map = X86PageDirectoryMap;
		unmap = X86PageDirectoryUnmap;
		break;
	case CAP_PDPT:
		map = X86PDPTMap;
		unmap = X86PDPTUnmap;
		break;
	default: /* a PML4 has no invocations */
		return error_illegal_operation();
	}
	if (label == unmap)
		return vspace_unmap_table_decode(slot, cap);
	if (label == map)
		return vspace_map_table(length, slot, cap);
	return error_illegal_operation();
}

/* ---- deletion ---- */

void vspace_finalise(cap_t cap, bool final)
{
	switch (cap_type_of(cap)) {
	case CAP_FRAME:
		if (cap_frame_map(cap) == FRAME_VSPACE)
			frame_unmap(cap);
		break;
	case CAP_PT:
	case CAP_PD:
	case CAP_PDPT:
		if (final && cap_paging_is_mapped(cap))
			vspace_unmap_table(cap);
		break;
	case CAP_PML4:
		vspace_generation++; /* it may have been in a thread */
		if (final && cap_paging_is_mapped(cap))
			asid_root_gone((unsigned)cap_paging_asid(cap), ASID_VSPACE,
				       paddr(cap_paging_ptr(cap)));
		break;
	case CAP_ASID_POOL:
		if (final)
			asid_pool_gone((unsigned)cap_asid_pool_base(cap), paddr(cap_asid_pool_ptr(cap)));
		break;
	default:
		break;
	}
}
