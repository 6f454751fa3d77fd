/*
 * InsulaFrameSplit with somebody beside it who comes in whenever the kernel looks at its interrupts: one who
 * uses the memory, and several who take something away that the split needs.
 */
#include "roottask/ext/ext.h"

#define TICKS 3000 /* a split takes some 40,000 */

static struct memory_large m;
static seL4_CPtr node, table, spare;
static uint64_t at;
static volatile unsigned wrong, between;
static volatile bool busy;

static void fresh(void)
{
	m = memory_large();
	at = memory_window();
	node = memory_node(9);
	table = memory_table();
	spare = object_slot();
	runtime_must(memory_map(m.frame, at, seL4_ReadWrite), "map");
	for (uint64_t i = 0; i < 512; i++)
		ext_write(at + i * PAGE, i + 7);
	wrong = between = 0;
}

static insula_Frame_Split_t split(void)
{
	insula_Frame_Split_t r;

	busy = true;
	r = insula_Frame_Split(m.frame, ROOT, node, DEPTH, 0, table);
	busy = false;
	return r;
}

/* Reads and writes all over the frame. */
static void use(unsigned nth)
{
	for (uint64_t i = nth % 8; i < 512; i += 8) {
		wrong += ext_word(at + i * PAGE) != i + 7;
		ext_write(at + i * PAGE + 8, nth);
	}
	between += busy;
}

static void no_hole(void)
{
	fresh();
	watch_every(TICKS, use);
	check_error("race.split", (seL4_Error)split().error, 0);
	(void)watch_stop();
	check("race.ran_between", between >= 2, "the other thread did not come in between");
	check_equal("race.content", wrong, 0);
	check("race.no_fault", !watch_faulted(), "the other thread saw a hole");
}

static void (*act)(void);
static unsigned act_at;

static void once(unsigned nth)
{
	(void)nth;
	if (!busy)
		return;
	if (between++ == act_at)
		act();
}

static void delete_frame(void)
{
	(void)seL4_CNode_Delete(ROOT, m.frame, DEPTH);
}
static void move_frame(void)
{
	(void)seL4_CNode_Move(ROOT, spare, DEPTH, ROOT, m.frame, DEPTH);
}
static void unmap_frame(void)
{
	(void)seL4_X86_Page_Unmap(m.frame);
}
static void revoke_memory(void)
{
	(void)seL4_CNode_Revoke(ROOT, m.untyped, DEPTH);
}
static void delete_node(void)
{
	(void)seL4_CNode_Delete(ROOT, node, DEPTH);
}
static void delete_table(void)
{
	(void)seL4_CNode_Delete(ROOT, table, DEPTH);
}
static void fill_last_slot(void)
{
	(void)seL4_CNode_Copy(node, 511, 9, ROOT, seL4_CapInitThreadTCB, DEPTH, seL4_AllRights);
}
static void delete_parts(void)
{
	for (unsigned i = 0; i < 512; i++)
		(void)seL4_CNode_Delete(node, i, 9);
}
static void revoke_first_part(void)
{
	(void)seL4_CNode_Revoke(node, 0, 9);
}

/* In the first interruption, and in a later one. Then everything is taken back, and the memory must serve
 * again. */
static void with(const char *name, void (*what)(void), seL4_Error want)
{
	for (act_at = 0; act_at < 3; act_at += 2) {
		insula_Frame_Split_t r;

		fresh();
		act = what;
		watch_every(TICKS, once);
		r = split();
		(void)watch_stop();
		check(name, between > act_at, "the other thread did not come in between");
		check_error(name, (seL4_Error)r.error, want);
		if (memory_empty(m.frame) && !memory_empty(spare))
			check_equal(name, (seL4_Word)insula_Frame_Split(spare, ROOT, node, DEPTH, 0, 0).error,
				    0);
		check_error(name, seL4_CNode_Revoke(ROOT, m.untyped, DEPTH), 0);
		check(name, memory_empty(m.frame) && memory_empty(spare),
		      "the memory's revoke left the frame");
		check_error(
		    name, seL4_Untyped_Retype(m.untyped, seL4_X86_LargePageObject, 0, ROOT, 0, 0, m.frame, 1),
		    0);
		if (!memory_empty(table))
			(void)seL4_X86_PageTable_Unmap(table);
		check_error(name, memory_map(m.frame, at, seL4_ReadWrite), 0);
		check_equal(name, ext_word(at + 100 * PAGE), 0);
	}
}

void split_race_cases(void)
{
	watch_start();
	no_hole();
	with("race.frame_deleted", delete_frame, seL4_InvalidCapability);
	with("race.frame_moved", move_frame, seL4_InvalidCapability);
	with("race.frame_unmapped", unmap_frame, 0);
	with("race.memory_revoked", revoke_memory, seL4_InvalidCapability);
	with("race.node_deleted", delete_node, seL4_FailedLookup);
	with("race.table_deleted", delete_table, 0);
	with("race.last_slot_filled", fill_last_slot, seL4_DeleteFirst);
	with("race.parts_deleted", delete_parts, 0);
	with("race.part_revoked", revoke_first_part, 0);
}
