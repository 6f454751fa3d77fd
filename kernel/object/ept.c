/*
 * Second-level tables: EPT PML4, PDPT, PD and PT objects, and frames mapped for guests. The walk and the checks are here, once; what
 * entries look like is the vendor's business (virt->ept_*). Levels as in vspace_walk.h. Owns all entries of these tables.
 * Called by the invocation layer and by deletion. An entry that is not present is 0.
 */
#include "object/ept.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt.h"
#include "mem/mem.h"
#include "object/asid.h"
#include "object/frame.h"
#include "object/vspace_walk.h"
#include "sel4/constants.h"

#define EPT_ADDRESS_BITS 48 /* four levels */
#define EPT_TYPE_MASK    ((word_t)7)
#define EPT_ATTRIBUTE_MAX ((word_t)6) /* write-back */

/* FailedLookup with the bits left, as for VSpaces. */
static exception_t ept_lookup(paddr_t root, uint64_t gpa, unsigned level, uint64_t **entry)
{
	unsigned missing;

	*entry = virt->ept_walk(root, gpa, level, &missing);
	if (*entry)
		return EXC_NONE;
	error_lookup(seL4_MissingCapability, vspace_level_bits(missing + 1));
	return error_failed_lookup(false);
}

static void ept_write(uint64_t *entry, uint64_t value)
{
	*(volatile uint64_t *)entry = value;
}

/* number: of the capability among those of the message. */
static exception_t ept_check_root(cap_t c, unsigned number, paddr_t *root)
{
	if (cap_type(c) != CAP_EPT_PML4 || !cap_paging_is_mapped(c))
		return error_invalid_capability(number);
	if (!asid_lookup((unsigned)cap_paging_asid(c), ASID_EPT, root)) {
		error_lookup(seL4_InvalidRoot, 0);
		return error_failed_lookup(false);
	}
	return root->v == cap_paging_ptr(c) ? EXC_NONE : error_invalid_capability(number);
}

/* ---- tables ---- */

static unsigned ept_table_level(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_EPT_PT:
		return 1;
	case CAP_EPT_PD:
		return 2;
	default:
		return 3;
	}
}

static void ept_unmap_table(cap_t cap)
{
	uint64_t *entry;
	paddr_t root;
	unsigned missing, level = ept_table_level(cap) + 1;

	if (!asid_lookup((unsigned)cap_paging_asid(cap), ASID_EPT, &root))
		return;
	entry = virt->ept_walk(root, cap_paging_mapped(cap), level, &missing);
	if (!entry || !*entry || virt->ept_is_leaf(*entry, level) ||
	    virt->ept_address(*entry).v != cap_paging_ptr(cap))
		return;
	ept_write(entry, 0);
	tlb_flush_nested(root);
}

static exception_t ept_map_table(unsigned length, struct cte *slot, cap_t cap)
{
	struct cte *space = invocation_extra(0);
	unsigned level = ept_table_level(cap) + 1;
	uint64_t gpa, *entry;
	paddr_t root;
	exception_t e;

	if (length < 2 || !space)
		return error_truncated();
	if (cap_paging_is_mapped(cap))
		return error_invalid_capability(0);
	gpa = ALIGN_DOWN(invocation_arg(0), vspace_level_bits(level));
	e = ept_check_root(space->cap, 1, &root);
	if (e != EXC_NONE)
		return e;
	if (gpa >> EPT_ADDRESS_BITS)
		return error_invalid_argument(0);
	e = ept_lookup(root, gpa, level, &entry);
	if (e != EXC_NONE)
		return e;
	if (*entry)
		return error_delete_first();

	ept_write(entry, virt->ept_table(paddr(cap_paging_ptr(cap))));
	cap = cap_paging_with_mapped(cap_paging_with_asid(cap, cap_paging_asid(space->cap)), gpa);
	slot->cap = cap_paging_with_is_mapped(cap, 1);
	return EXC_NONE;
}

static exception_t ept_unmap_table_decode(struct cte *slot, cap_t cap)
{
	if (!cte_is_final(slot))
		return error_revoke_first();
	if (cap_paging_is_mapped(cap)) {
		ept_unmap_table(cap);
		memset(window_kv(paddr(cap_paging_ptr(cap))), 0, PAGE_SIZE);
	}
	cap = cap_paging_with_mapped(cap_paging_with_asid(cap, 0), 0);
	slot->cap = cap_paging_with_is_mapped(cap, 0);
	return EXC_NONE;
}

exception_t ept_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	word_t map, unmap;

	switch (cap_type_of(cap)) {
	case CAP_EPT_PT:
		map = X86EPTPTMap;
		unmap = X86EPTPTUnmap;
		break;
	case CAP_EPT_PD:
		map = X86EPTPDMap;
		unmap = X86EPTPDUnmap;
		break;
	case CAP_EPT_PDPT:
		map = X86EPTPDPTMap;
		unmap = X86EPTPDPTUnmap;
		break;
	default: /* a root has no invocations */
		return error_illegal_operation();
	}
	if (label == unmap)
		return ept_unmap_table_decode(slot, cap);
	if (label == map)
		return ept_map_table(length, slot, cap);
	return error_illegal_operation();
}

/* ---- frames ---- */

static bool ept_is_page(uint64_t entry, unsigned level, uint64_t p)
{
	return entry && virt->ept_is_leaf(entry, level) && virt->ept_address(entry).v == p;
}

/* The entries that mapped this frame; they may map something else by now. NULL if they are gone. */
static uint64_t *ept_find_frame(cap_t frame, unsigned level, paddr_t *root)
{
	unsigned missing;

	if (!asid_lookup((unsigned)cap_frame_asid(frame), ASID_EPT, root))
		return NULL;
	return virt->ept_walk(*root, cap_frame_mapped(frame), level, &missing);
}

void ept_unmap_frame(cap_t frame)
{
	struct frame_entries f = frame_entries(frame);
	bool gone = false;
	paddr_t root;
	uint64_t *entry = ept_find_frame(frame, f.level, &root);

	if (!entry)
		return;
	for (unsigned i = f.first; i < f.end; i++) {
		if (!ept_is_page(entry[i], f.level, cap_frame_ptr(frame) + ((uint64_t)i << vspace_level_bits(f.level))))
			continue;
		ept_write(&entry[i], 0);
		gone = true;
	}
	if (gone)
		tlb_flush_nested(root);
}

static unsigned ept_rights(cap_t frame, word_t word)
{
	unsigned r = frame_rights(frame, word);

	if (!(r & CAP_RIGHT_READ))
		return 0;
	return (unsigned)EPT_READ | (unsigned)EPT_EXEC | (r & CAP_RIGHT_WRITE ? (unsigned)EPT_WRITE : 0u);
}

/* Which words of a message say where and how, and which extra capability is the root. */
struct ept_words {
	unsigned space, gpa, rights, type;
};

/* Where a frame goes to, when all checks have passed. */
struct ept_place {
	paddr_t root;
	uint64_t *entry, value;
};

static exception_t ept_check_place(cap_t frame, struct ept_words w, struct ept_place *to)
{
	word_t gpa = invocation_arg(w.gpa), type = invocation_arg(w.type) & EPT_TYPE_MASK;
	unsigned level = frame_level(frame), rights = ept_rights(frame, invocation_arg(w.rights));
	exception_t e = ept_check_root(invocation_extra(w.space)->cap, w.space + 1, &to->root);

	if (e != EXC_NONE)
		return e;
	if (gpa >> EPT_ADDRESS_BITS)
		return error_invalid_argument(w.gpa);
	if (!ALIGNED(gpa, frame_size_bits(cap_frame_size(frame))))
		return error_alignment();
	if (type > EPT_ATTRIBUTE_MAX || type == 2 || type == 3)
		return error_invalid_argument(w.type); /* the CPU knows no such memory type */
	if (level == 3 && !(virt_features & INSULA_VIRT_HUGE_PAGES))
		return error_illegal_operation();
	e = ept_lookup(to->root, gpa, level, &to->entry);
	if (e != EXC_NONE)
		return e;
	if (*to->entry && !virt->ept_is_leaf(*to->entry, level))
		return error_delete_first();
	to->value = rights ? virt->ept_leaf(paddr(cap_frame_ptr(frame)), level, rights, (unsigned)type) : 0;
	return EXC_NONE;
}

/* The frame's capability, which says now where it is mapped. */
static cap_t ept_place_frame(cap_t frame, struct ept_words w, const struct ept_place *to)
{
	uint64_t old = *to->entry;

	ept_write(to->entry, to->value);
	if (old)
		tlb_flush_nested(to->root);
	frame = cap_frame_with_asid(frame, cap_paging_asid(invocation_extra(w.space)->cap));
	return cap_frame_with_map(cap_frame_with_mapped(frame, invocation_arg(w.gpa)), FRAME_EPT);
}

exception_t ept_map_frame(unsigned length, struct cte *slot, cap_t frame)
{
	const struct ept_words w = {.space = 0, .gpa = 0, .rights = 1, .type = 2};
	struct ept_place to;
	exception_t e;

	if (length < 3 || !invocation_extra(0))
		return error_truncated();
	if (cap_frame_map(frame) != FRAME_UNMAPPED)
		return error_invalid_capability(0);
	e = ept_check_place(frame, w, &to);
	if (e != EXC_NONE)
		return e;
	slot->cap = ept_place_frame(frame, w, &to);
	return EXC_NONE;
}

exception_t ept_derive_frame(unsigned length, struct cte *slot, cap_t frame)
{
	const struct ept_words w = {.space = 1, .gpa = 5, .rights = 2, .type = 6};
	struct frame_part part;
	struct ept_place to;
	exception_t e;

	if (length < 7 || !invocation_extra(0) || !invocation_extra(1))
		return error_truncated();
	e = frame_derive_check(slot, frame, &part);
	if (e == EXC_NONE)
		e = ept_check_place(part.cap, w, &to);
	if (e != EXC_NONE)
		return e;
	cte_insert_derived(ept_place_frame(part.cap, w, &to), slot, part.dest);
	return EXC_NONE;
}

/* ---- splitting (frame_split.c) ---- */

static bool ept_split_mapped(cap_t frame)
{
	unsigned level = frame_level(frame);
	paddr_t root;
	uint64_t *entry = ept_find_frame(frame, level, &root);

	return entry && ept_is_page(*entry, level, cap_frame_ptr(frame));
}

static bool ept_split_is_table(cap_t table, unsigned level)
{
	return cap_type(table) == (level == 1 ? CAP_EPT_PT : CAP_EPT_PD) && !cap_paging_is_mapped(table);
}

static void ept_split_replace(cap_t frame, struct cte *table)
{
	unsigned level = frame_level(frame);
	paddr_t root, p = paddr(cap_paging_ptr(table->cap));
	uint64_t *entry = ept_find_frame(frame, level, &root), *parts = window_kv(p);

	for (unsigned i = 0; i < FRAME_PARTS; i++)
		ept_write(&parts[i], virt->ept_part(*entry, level, i));
	ept_write(entry, virt->ept_table(p));
	tlb_flush_nested(root);
	table->cap = cap_paging_with_mapped(cap_paging_with_asid(table->cap, cap_frame_asid(frame)), cap_frame_mapped(frame));
	table->cap = cap_paging_with_is_mapped(table->cap, 1);
}

const struct frame_space frame_space_ept = {ept_split_mapped, ept_split_is_table, ept_split_replace};

/* ---- deletion ---- */

void ept_finalise(cap_t cap, bool final)
{
	if (!final || !cap_paging_is_mapped(cap))
		return;
	if (cap_type(cap) == CAP_EPT_PML4)
		asid_root_gone((unsigned)cap_paging_asid(cap), ASID_EPT, paddr(cap_paging_ptr(cap)));
	else
		ept_unmap_table(cap);
}
