/* Paging structures: levels, errors in their order, stale mappings, what a table's end takes along. Frames:
 * frame.c. */
#include "roottask/conformance/conformance.h"

#define VA  0x10000000000ull
#define TOP 0x7fffffffffffull /* the last byte of user space */

static seL4_Error map(seL4_CPtr frame, seL4_CPtr space, seL4_Word va)
{
	return seL4_X86_Page_Map(frame, space, va, seL4_ReadWrite, seL4_X86_Default_VMAttributes);
}

static seL4_CPtr assigned(void)
{
	seL4_CPtr space = object_new(seL4_X64_PML4Object, 0);

	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space), "an ASID");
	return space;
}

/* ---- the three kinds of table, alike ---- */

typedef seL4_Error (*table_map)(seL4_CPtr table, seL4_CPtr space, seL4_Word va, seL4_Word attributes);
typedef seL4_Error (*table_unmap)(seL4_CPtr table);

static const struct level {
	const char *name;
	seL4_Word type;
	table_map map;
	table_unmap unmap;
	seL4_Word missing; /* bits left when the table above is not there; 0: nothing is above but the root */
	seL4_Word covers;  /* log2 of what one entry above it translates */
} levels[] = {
    {"pdpt", seL4_X86_PDPTObject, seL4_X86_PDPT_Map, seL4_X86_PDPT_Unmap, 0, 39},
    {"pd", seL4_X86_PageDirectoryObject, seL4_X86_PageDirectory_Map, seL4_X86_PageDirectory_Unmap, 39, 30},
    {"pt", seL4_X86_PageTableObject, seL4_X86_PageTable_Map, seL4_X86_PageTable_Unmap, 30, 21},
};

static void tables(void)
{
	seL4_CPtr space = assigned(), raw = object_new(seL4_X64_PML4Object, 0),
		  ep = object_new(seL4_EndpointObject, 0);

	for (unsigned i = 0; i < 3; i++) {
		const struct level *l = &levels[i];
		seL4_CPtr table = object_new(l->type, 0), other = object_new(l->type, 0),
			  copy = object_slot();

#define NAME(what) conformance_name2(l->name, what)
		conformance_error1(NAME("no_vspace"), l->map(table, ep, VA, 0), seL4_InvalidCapability, 1);
		conformance_error1(NAME("empty_vspace"), l->map(table, 0, VA, 0), seL4_InvalidCapability, 1);
		conformance_error1(NAME("no_asid"), l->map(table, raw, VA, 0), seL4_InvalidCapability, 1);
		conformance_error1(NAME("above_user"), l->map(table, space, TOP + 1, 0), seL4_InvalidArgument,
				   0);
		conformance_error1(NAME("kernel_half"), l->map(table, space, 0xffff800000000000ull, 0),
				   seL4_InvalidArgument, 0);
		conformance_error1(NAME("order_vspace_address"), l->map(table, ep, TOP + 1, 0),
				   seL4_InvalidCapability, 1);
		conformance_ok(NAME("unmap_unmapped"), l->unmap(table));
		if (l->missing)
			conformance_error3(NAME("missing_all"), l->map(table, assigned(), VA, 0),
					   seL4_FailedLookup, 0, seL4_MissingCapability, 39);
		if (l->missing)
			conformance_error3(NAME("missing_level"),
					   l->map(table, space, VA + (1ull << l->missing), 0),
					   seL4_FailedLookup, 0, seL4_MissingCapability, l->missing);
		/* the address is rounded down to what the table covers */
		conformance_ok(NAME("map"), l->map(table, space, VA + (1ull << (l->covers - 1)) + 5, 0));
		conformance_error1(NAME("map_again"), l->map(table, space, VA, 0), seL4_InvalidCapability, 0);
		conformance_error1(NAME("order_mapped_vspace"), l->map(table, ep, VA, 0),
				   seL4_InvalidCapability, 0);
		conformance_error(NAME("entry_in_use"), l->map(other, space, VA, 0), seL4_DeleteFirst);
		conformance_ok(NAME("copy"),
			       seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, table, DEPTH, seL4_AllRights));
		conformance_error1(NAME("copy_is_mapped"), l->map(copy, space, VA, 0), seL4_InvalidCapability,
				   0);
		conformance_error(NAME("unmap_not_last"), l->unmap(table), seL4_RevokeFirst);
		conformance_error(NAME("unmap_not_last_copy"), l->unmap(copy), seL4_RevokeFirst);
		conformance_ok(NAME("delete_copy"), seL4_CNode_Delete(ROOT, copy, DEPTH));
		conformance_error(NAME("still_mapped"), l->map(other, space, VA, 0), seL4_DeleteFirst);
		conformance_ok(NAME("unmap"), l->unmap(table));
		conformance_ok(NAME("entry_free"), l->map(other, space, VA, 0));
		conformance_ok(NAME("delete_unmaps"), seL4_CNode_Delete(ROOT, other, DEPTH));
		conformance_ok(NAME("map_after_unmap"), l->map(table, space, VA, seL4_X86_WriteThrough));
#undef NAME
	}
	conformance_ok("vspace.delete_space", seL4_CNode_Delete(ROOT, space, DEPTH));
}

/* ---- spaces that are gone ---- */

static void stale(void)
{
	seL4_CPtr space = assigned(), pdpt = object_new(seL4_X86_PDPTObject, 0), other = assigned();

	runtime_must(seL4_X86_PDPT_Map(pdpt, space, VA, 0), "a PDPT");
	conformance_ok("vspace.space_deleted", seL4_CNode_Delete(ROOT, space, DEPTH));
	/* it remembers a mapping in a space that is gone */
	conformance_error1("vspace.stale_table_is_mapped", seL4_X86_PDPT_Map(pdpt, other, VA, 0),
			   seL4_InvalidCapability, 0);
	conformance_ok("vspace.stale_table_unmaps", seL4_X86_PDPT_Unmap(pdpt));
	conformance_ok("vspace.stale_table_again", seL4_X86_PDPT_Map(pdpt, other, VA, 0));
	/* a second space has the same ASID perhaps, but nothing of the first */
	{
		seL4_CPtr third = assigned();

		conformance_error3("vspace.new_space_is_empty", map(object_new(seL4_X86_4K, 0), third, VA),
				   seL4_FailedLookup, 0, seL4_MissingCapability, 39);
	}
}

/* A table that goes takes what it shows, and comes back empty. */
static void contents(void)
{
	seL4_CPtr pt = object_new(seL4_X86_PageTableObject, 0), frame = object_new(seL4_X86_4K, 0),
		  copy = object_copy(frame);
	seL4_CPtr space = assigned();

	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), space, VA, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), space, VA, 0),
		     "PD");
	runtime_must(seL4_X86_PageTable_Map(pt, space, VA, 0), "PT");
	runtime_must(map(frame, space, VA + 0x5000), "a page");
	conformance_ok("vspace.unmap_full_table", seL4_X86_PageTable_Unmap(pt));
	conformance_error3("vspace.table_gone", map(copy, space, VA), seL4_FailedLookup, 0,
			   seL4_MissingCapability, 21);
	runtime_must(seL4_X86_PageTable_Map(pt, space, VA + 0x200000, 0), "PT elsewhere");
	/* were the old entry still there, a second table's worth of pages would show it */
	conformance_ok("vspace.frame_forgets", seL4_X86_Page_Unmap(frame));
	conformance_ok("vspace.frame_maps_anew", map(frame, space, VA + 0x205000));
	conformance_ok("vspace.frame_unmaps_anew", seL4_X86_Page_Unmap(frame));
}

void vspace_cases(void)
{
	tables();
	stale();
	contents();
	conformance_error("vspace.pml4_has_no_invocations", conformance_raw(HERE, X86PageTableMap, 1, 2),
			  seL4_IllegalOperation);
}
