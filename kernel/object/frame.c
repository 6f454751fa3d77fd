/*
 * Frames in VSpaces: Page_Map, Page_Unmap, Page_GetAddress. Owns the leaf entries of user page tables. A
 * frame capability has at most one mapping; what it says about it may be stale, so an entry is taken away
 * only if it still names this frame.
 */
#include "object/frame.h"
#include "api/invocation.h"
#include "arch/x86/console.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/tables_hw.h"
#include "insula/ext.h"
#include "object/ept.h"
#include "object/vspace.h"
#include "object/vspace_walk.h"
#include "sel4/constants.h"

void frame_unmap(cap_t cap)
{
	struct frame_entries f = frame_entries(cap);
	unsigned missing, gone = 0, last = 0;
	uint64_t *entry;
	paddr_t root;

	if (!asid_lookup((unsigned)cap_frame_asid(cap), ASID_VSPACE, &root))
		return;
	entry = vspace_walk(root, cap_frame_mapped(cap), f.level, &missing);
	if (!entry)
		return;
	for (unsigned i = f.first; i < f.end; i++) {
		paddr_t p = paddr(cap_frame_ptr(cap) + ((uint64_t)i << vspace_level_bits(f.level)));

		if (!vspace_is_page(tables_read(&entry[i]), f.level, p))
			continue;
		tables_write(&entry[i], (pte_t){{0}});
		last = i;
		gone++;
	}
	if (gone == 1)
		tlb_flush_page(root.v,
			       cap_frame_mapped(cap) + ((uint64_t)last << vspace_level_bits(f.level)));
	else if (gone)
		tlb_flush_root(root.v);
}

/* A capability that is mapped may be mapped again at the same place only: with other rights or attributes. */
static exception_t frame_check_place(cap_t cap, cap_t space, uint64_t address)
{
	if (cap_frame_map(cap) == FRAME_UNMAPPED) {
		uint64_t size = BIT(frame_size_bits(cap_frame_size(cap)));

		/* Nothing is ever mapped at the very top: SYSCALL there would return to a non-canonical
		 * address. */
		if (address > SEL4_USER_LAST || address + size > SEL4_USER_LAST)
			return error_invalid_argument(0);
		return EXC_NONE;
	}
	if (cap_frame_asid(cap) != cap_paging_asid(space))
		return error_invalid_capability(1);
	if (cap_frame_map(cap) != FRAME_VSPACE)
		return error_illegal_operation();
	return cap_frame_mapped(cap) == address ? EXC_NONE : error_invalid_argument(0);
}

static exception_t frame_map(unsigned length, struct cte *slot, cap_t cap)
{
	struct cte *extra = invocation_extra(0);
	unsigned level = frame_level(cap);
	uint64_t address, *entry;
	word_t attributes;
	exception_t e;
	cap_t space;
	pte_t old;

	if (length < 3 || !extra)
		return error_truncated();
	address = invocation_arg(0);
	attributes = invocation_arg(2);
	space = extra->cap;
	e = vspace_check_assigned(space);
	if (e != EXC_NONE)
		return e;
	e = frame_check_place(cap, space, address);
	if (e != EXC_NONE)
		return e;
	e = vspace_check_live(space);
	if (e != EXC_NONE)
		return e;
	if (!ALIGNED(address, frame_size_bits(cap_frame_size(cap))))
		return error_alignment();
	if (level == 3 && !cpu.huge_pages)
		return error_illegal_operation();
	if (vspace_lookup(paddr(cap_paging_ptr(space)), address, level, &entry) != EXC_NONE)
		return error_failed_lookup(false);
	old = tables_read(entry);
	if (level > 1 && pte_present(old) && !pte_large(old))
		return error_delete_first();

	tables_write(entry, vspace_page_entry(paddr(cap_frame_ptr(cap)), level,
					      frame_rights(cap, invocation_arg(1)), attributes));
	if (pte_present(old))
		tlb_flush_page(cap_paging_ptr(space), address);
	cap = cap_frame_with_mapped(cap_frame_with_asid(cap, cap_paging_asid(space)), address);
	slot->cap = cap_frame_with_map(cap, FRAME_VSPACE);
	if (cap_frame_device(cap))
		console_device_mapped(cap_frame_ptr(cap), BIT(frame_size_bits(cap_frame_size(cap))));
	return EXC_NONE;
}

static exception_t frame_unmap_decode(struct cte *slot, cap_t cap)
{
	switch ((enum frame_map)cap_frame_map(cap)) {
	case FRAME_VSPACE:
		frame_unmap(cap);
		break;
	case FRAME_EPT:
		ept_unmap_frame(cap);
		break;
	case FRAME_UNMAPPED:
		break;
	case FRAME_IOSPACE:
	case FRAME_KERNEL: /* the holder lets go of it, not the frame */
		return error_illegal_operation();
	}
	cap = cap_frame_with_mapped(cap_frame_with_asid(cap, 0), 0);
	slot->cap = cap_frame_with_map(cap, FRAME_UNMAPPED);
	return EXC_NONE;
}

exception_t frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	/* While it is split it can be unmapped, and the split gone on with. */
	if (cap_frame_split(cap) && label != InsulaFrameSplit && label != X86PageUnmap &&
	    label != X86PageGetAddress)
		return error_illegal_operation();
	switch (label) {
	case InsulaFrameDerive:
		return frame_derive(length, slot, cap);
	case InsulaFrameDeriveEPT:
		return ept_derive_frame(length, slot, cap);
	case InsulaFrameSplit:
		return frame_split(length, slot, cap);
	case X86PageMap:
		return frame_map(length, slot, cap);
	case X86PageUnmap:
		return frame_unmap_decode(slot, cap);
	case X86PageMapEPT:
		return ept_map_frame(length, slot, cap);
	case X86PageMapIO: /* no IOSpace capability exists without an IOMMU driver */
		if (length < 2 || !invocation_extra(0))
			return error_truncated();
		return error_invalid_capability(1);
	case X86PageGetAddress:
		invocation_reply1(cap_frame_ptr(cap));
		return EXC_NONE;
	default:
		return error_illegal_operation();
	}
}
