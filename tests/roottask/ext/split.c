/* InsulaFrameSplit with nobody beside: errors, content, what becomes of copies and grants, rejoining, cost.
 */
#include "roottask/ext/ext.h"
#include "roottask/runtime/tsc_hw.h"

static insula_Frame_Split_t split(seL4_CPtr frame, seL4_CPtr node, seL4_CPtr table)
{
	return insula_Frame_Split(frame, ROOT, node, DEPTH, 0, table);
}

static void errors(void)
{
	struct memory_large m = memory_large();
	uint64_t at = memory_window(), elsewhere = memory_window();
	seL4_CPtr node = memory_node(9), small = memory_node(8), table = memory_table(),
		  used = memory_table(), page = object_new(seL4_X86_4K, 0);

	runtime_must(memory_map(m.frame, at, seL4_ReadWrite), "map");
	runtime_must(seL4_X86_PageTable_Map(used, HERE, elsewhere, 0), "PT");
	ext_write(at, 1);
	check_error("split.short", raw(m.frame, InsulaFrameSplit, 2, 2, ROOT, table), seL4_TruncatedMessage);
	check_error("split.no_root", raw(m.frame, InsulaFrameSplit, 3, 0, 0, 0), seL4_TruncatedMessage);
	check_error("split.page", (seL4_Error)split(page, node, table).error, seL4_IllegalOperation);
	check_error3("split.no_cnode", (seL4_Error)split(m.frame, page, table).error, seL4_FailedLookup, 0,
		     seL4_MissingCapability, DEPTH);
	check_error2("split.depth", (seL4_Error)insula_Frame_Split(m.frame, ROOT, node, 65, 0, table).error,
		     seL4_RangeError, 1, 64);
	check_error2("split.small_node", (seL4_Error)split(m.frame, small, table).error, seL4_RangeError, 1,
		     256);
	check_error2("split.offset",
		     (seL4_Error)insula_Frame_Split(m.frame, ROOT, node, DEPTH, 1, table).error,
		     seL4_RangeError, 1, 511);
	check_error2("split.offset_outside",
		     (seL4_Error)insula_Frame_Split(m.frame, ROOT, node, DEPTH, 512, table).error,
		     seL4_RangeError, 0, 511);
	runtime_must(seL4_CNode_Copy(node, 300, 9, ROOT, page, DEPTH, seL4_AllRights), "copy");
	check_error("split.slot_used", (seL4_Error)split(m.frame, node, table).error, seL4_DeleteFirst);
	runtime_must(seL4_CNode_Delete(node, 300, 9), "delete");
	check_error("split.no_table", raw(m.frame, InsulaFrameSplit, 3, 1, node, 0), seL4_TruncatedMessage);
	check_error1("split.null_table", (seL4_Error)split(m.frame, node, 0).error, seL4_InvalidCapability,
		     2);
	check_error1("split.table_in_use", (seL4_Error)split(m.frame, node, used).error,
		     seL4_InvalidCapability, 2);
	check_error1("split.wrong_table",
		     (seL4_Error)split(m.frame, node, object_new(seL4_X86_PageDirectoryObject, 0)).error,
		     seL4_InvalidCapability, 2);
	check_error1("split.frame_as_table", (seL4_Error)split(m.frame, node, m.frame).error,
		     seL4_InvalidCapability, 2);
	check_equal("split.nothing_happened", ext_word(at), 1);
	check_error("split.still_large", seL4_X86_PageTable_Map(table, HERE, at, 0), seL4_DeleteFirst);
}

static void content(void)
{
	struct memory_large m = memory_large();
	uint64_t at = memory_window(), t;
	seL4_CPtr node = memory_node(9), part, table = memory_table();
	insula_Frame_Split_t r;
	unsigned good = 0;

	runtime_must(memory_map(m.frame, at, seL4_ReadWrite), "map");
	for (uint64_t i = 0; i < 512; i++)
		ext_write(at + i * PAGE + 8 * i, i ^ 0x5555);
	t = tsc_read();
	r = split(m.frame, node, table);
	cost("split_mapped", tsc_read() - t);
	check_error("split.ok", (seL4_Error)r.error, 0);
	check_equal("split.all", r.left, 0);
	check("split.frame_is_gone", memory_empty(m.frame), "the large capability is still there");
	for (uint64_t i = 0; i < 512; i++) {
		good += ext_word(at + i * PAGE + 8 * i) == (i ^ 0x5555);
		ext_write(at + i * PAGE, i);
	}
	check_equal("split.content", good, 512);
	check_error("split.table_is_mapped", seL4_X86_PageTable_Map(table, HERE, memory_window(), 0),
		    seL4_InvalidCapability);
	part = memory_take(node, 9);
	check_error("split.part_is_mapped", memory_map(part, at + 10 * PAGE, seL4_ReadWrite),
		    seL4_InvalidArgument);
	check_error("split.part_read_only", memory_map(part, at + 9 * PAGE, seL4_CanRead), 0);
	check_equal("split.part_read", ext_word(at + 9 * PAGE), 9);
	check_error("split.part_unmap", seL4_X86_Page_Unmap(part), 0);
	check_error("split.part_elsewhere", memory_map(part, at + 9 * PAGE, seL4_ReadWrite), 0);
	check_equal("split.part_content", ext_word(at + 9 * PAGE), 9);
	/* one page given back, and mapped by another */
	runtime_must(seL4_CNode_Delete(node, 20, 9), "delete");
	check_equal("split.neighbour", ext_word(at + 21 * PAGE), 21);
	check_error("split.hole_can_be_filled", memory_map(object_copy(part), at + 20 * PAGE, seL4_ReadWrite),
		    0);
	check_equal("split.hole_filled", ext_word(at + 20 * PAGE), 9);
	check_error("split.revoke", seL4_CNode_Revoke(ROOT, m.untyped, DEPTH), 0);
	check("split.revoke_takes_parts", memory_empty(part), "the Untyped's revoke left a part");
	check_error("split.whole_again",
		    seL4_Untyped_Retype(m.untyped, seL4_X86_LargePageObject, 0, ROOT, 0, 0, m.frame, 1), 0);
	runtime_must(seL4_X86_PageTable_Unmap(table), "unmap");
	check_error("split.map_whole_again", memory_map(m.frame, at, seL4_ReadWrite), 0);
	check_equal("split.cleared", ext_word(at + 8 * 5 + 5 * PAGE), 0);
}

/* As a domain manager does it: copies mapped twice, a page granted, then split, then one page taken back. */
static void balloon(void)
{
	struct memory_large m = memory_large();
	uint64_t one = memory_window(), two = memory_window(), other = memory_window();
	seL4_CPtr node[3], copy1 = object_copy(m.frame), copy2 = object_copy(m.frame), grant = object_slot(),
			   granted, t = object_slot();
	unsigned gone = 0;

	for (unsigned i = 0; i < 3; i++)
		node[i] = memory_node(9);
	runtime_must(memory_map(copy1, one, seL4_ReadWrite), "map");
	runtime_must(memory_map(copy2, two, seL4_CanRead), "map");
	runtime_must(seL4_X86_PageTable_Map(memory_table(), HERE, other, 0), "PT");
	runtime_must(insula_Frame_Derive(copy1, ROOT, grant, DEPTH, seL4_ReadWrite, 40 * PAGE, 12), "grant");
	granted = object_copy(grant);
	runtime_must(memory_map(granted, other, seL4_ReadWrite), "map");
	ext_write(other, 4040);
	check_equal("balloon.copies_left", split(m.frame, node[0], 0).left, 1);
	check_error("balloon.husk_map", memory_map(m.frame, memory_window(), seL4_ReadWrite),
		    seL4_IllegalOperation);
	check_error("balloon.husk_copy",
		    seL4_CNode_Copy(ROOT, t, DEPTH, ROOT, m.frame, DEPTH, seL4_AllRights),
		    seL4_IllegalOperation);
	check_error("balloon.husk_derive",
		    insula_Frame_Derive(m.frame, ROOT, t, DEPTH, seL4_ReadWrite, 0, 12),
		    seL4_IllegalOperation);
	check_equal("balloon.copy1", split(copy1, node[1], memory_table()).left, 0);
	check_equal("balloon.copy2", split(copy2, node[2], memory_table()).left, 0);
	check_equal("balloon.frame", split(m.frame, node[0], 0).left, 0);
	check_equal("balloon.grant_lives", ext_word(other), 4040);
	check_equal("balloon.mapping1", ext_word(one + 40 * PAGE), 4040);
	check_equal("balloon.mapping2", ext_word(two + 40 * PAGE), 4040);
	runtime_must(seL4_CNode_Revoke(node[0], 41, 9), "revoke");
	check("balloon.other_page", !memory_empty(granted), "a grant went with another page");
	runtime_must(seL4_CNode_Revoke(node[0], 40, 9), "revoke");
	check("balloon.page_and_grant", memory_empty(granted) && memory_empty(grant),
	      "a grant outlived its page's revoke");
	/* every copy of these two pages is gone; the 510 others are there */
	for (unsigned i = 0; i < 512; i++) {
		seL4_Error e = seL4_CNode_Move(ROOT, t, DEPTH, node[1], i, 9), f;

		if (e == seL4_NoError)
			runtime_must(seL4_CNode_Move(node[1], i, 9, ROOT, t, DEPTH), "move back");
		f = seL4_CNode_Move(ROOT, t, DEPTH, node[2], i, 9);
		if (f == seL4_NoError)
			runtime_must(seL4_CNode_Move(node[2], i, 9, ROOT, t, DEPTH), "move back");
		gone += e != seL4_NoError && f != seL4_NoError && (i == 40 || i == 41);
		gone += e == seL4_NoError && f == seL4_NoError ? 1 : 0;
	}
	check_equal("balloon.copies_of_pages", gone, 512);
	check_equal("balloon.neighbour_mapped", ext_word(one + 42 * PAGE), 0);
}

static void costs(void)
{
	struct memory_large m = memory_large();
	seL4_CPtr copy = object_copy(m.frame), node = memory_node(9), node2 = memory_node(9);
	uint64_t t = tsc_read();

	runtime_must((seL4_Error)split(copy, node, 0).error, "split");
	cost("split_unmapped", tsc_read() - t);
	t = tsc_read();
	runtime_must((seL4_Error)split(m.frame, node2, 0).error, "split");
	cost("split_handing_on_512", tsc_read() - t);
}

void split_cases(void)
{
	errors();
	content();
	balloon();
	costs();
}
