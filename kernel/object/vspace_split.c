/*
 * The mapping of a large frame in a VSpace becomes one of its parts, without a moment in which nothing is
 * mapped. Called by frame_split.c only, through frame_space_vspace.
 */
#include "arch/x86/arch.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "object/frame.h"
#include "object/vspace.h"
#include "object/vspace_walk.h"

static uint64_t *vspace_split_entry(cap_t frame, paddr_t *root)
{
	unsigned level = frame_level(frame), missing;
	uint64_t *entry;

	if (!asid_lookup((unsigned)cap_frame_asid(frame), ASID_VSPACE, root))
		return NULL;
	entry = vspace_walk(*root, cap_frame_mapped(frame), level, &missing);
	return entry && vspace_is_page(tables_read(entry), level, paddr(cap_frame_ptr(frame))) ? entry : NULL;
}

static bool vspace_split_mapped(cap_t frame)
{
	paddr_t root;

	return vspace_split_entry(frame, &root) != NULL;
}

static bool vspace_split_is_table(cap_t table, unsigned level)
{
	return cap_type(table) == (level == 1 ? CAP_PT : CAP_PD) && !cap_paging_is_mapped(table);
}

static void vspace_split_replace(cap_t frame, struct cte *table)
{
	paddr_t root, p = paddr(cap_paging_ptr(table->cap));
	uint64_t *entry = vspace_split_entry(frame, &root), *parts = window_kv(p);
	pte_t large = tables_read(entry);

	for (unsigned i = 0; i < FRAME_PARTS; i++)
		tables_write(&parts[i], vspace_part_entry(large, frame_level(frame), i));
	tables_write(entry, vspace_table_entry(p, 0));
	/* Not INVLPG of one address: what a CPU keeps of the large page may be in pieces. */
	tlb_flush_root(root.v);
	table->cap = cap_paging_with_mapped(cap_paging_with_asid(table->cap, cap_frame_asid(frame)),
					    cap_frame_mapped(frame));
	table->cap = cap_paging_with_is_mapped(table->cap, 1);
}

const struct frame_space frame_space_vspace = {vspace_split_mapped, vspace_split_is_table,
					       vspace_split_replace};
