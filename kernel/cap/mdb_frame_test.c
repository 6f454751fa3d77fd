// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c
// links: kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c kernel/cap/cap_fake.c
/*
 * The derivation tree of frames beside an explicit one: copies, derived parts, moves, exchanges, deletions,
 * handing on. After each operation every capability's parent as it follows from the list must be the model's,
 * whatever order the list has.
 */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SLOTS	   200u
#define FRAME_PHYS 0x80000000ull
#define LEVELS	   63u

/* parent: slot; -1: the memory's Untyped. */
static struct {
	bool live, head;
	int parent;
	uint64_t depth;
} model[SLOTS];
static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % n);
}

static struct cte *slot(unsigned i)
{
	return fake_root(i);
}

static unsigned slot_of(uint64_t link)
{
	return (unsigned)((struct cte *)window_kv(paddr(link)) - fake_root(0));
}

static bool below(unsigned i, unsigned ancestor)
{
	for (int p = model[i].parent; p >= 0; p = model[p].parent)
		if (p == (int)ancestor)
			return true;
	return false;
}

/* The definition in mdb.c: the nearest capability before it whose depth is less than its attach. */
static int parent_in_list(unsigned i)
{
	uint64_t attach = mdb_attach(slot(i)->mdb);

	for (uint64_t p = mdb_prev(slot(i)->mdb); p; p = mdb_prev(slot(slot_of(p))->mdb)) {
		unsigned s = slot_of(p);

		if (cap_type(slot(s)->cap) != CAP_FRAME)
			return -1;
		if (mdb_depth(slot(s)->mdb) < attach)
			return (int)s;
		attach = attach < mdb_attach(slot(s)->mdb) ? attach : mdb_attach(slot(s)->mdb);
	}
	return -1;
}

static void compare(void)
{
	unsigned live = 1;

	for (unsigned i = 0; i < SLOTS; i++) {
		bool children = false;

		if (i == FAKE_UT)
			continue;
		assert_int_equal(!cap_is_null(slot(i)->cap), model[i].live);
		if (!model[i].live)
			continue;
		live++;
		assert_int_equal(parent_in_list(i), model[i].parent);
		for (unsigned j = 0; j < SLOTS; j++)
			children |= model[j].live && model[j].parent == (int)i;
		assert_int_equal(cte_has_children(slot(i)), children);
	}
	assert_int_equal(fake_check_list(slot(FAKE_UT)), live);
}

static void add(unsigned i, bool head, int parent, uint64_t depth)
{
	model[i].live = true;
	model[i].head = head;
	model[i].parent = parent;
	model[i].depth = depth;
}

static void gone(unsigned i)
{
	model[i].live = false;
	for (unsigned j = 0; j < SLOTS; j++)
		if (model[j].parent == (int)i)
			model[j].parent = model[i].parent;
}

static void moved(unsigned from, unsigned to)
{
	model[to] = model[from];
	model[from].live = false;
	for (unsigned j = 0; j < SLOTS; j++)
		if (model[j].parent == (int)from)
			model[j].parent = (int)to;
}

static void exchanged(unsigned a, unsigned b)
{
	for (unsigned j = 0; j < SLOTS; j++)
		model[j].parent = model[j].parent == (int)a   ? (int)b
				  : model[j].parent == (int)b ? (int)a
							      : model[j].parent;
	model[SLOTS - 1] = model[a];
	model[a] = model[b];
	model[b] = model[SLOTS - 1];
	model[SLOTS - 1].live = false;
}

static void revoked(unsigned i)
{
	for (unsigned j = 0; j < SLOTS; j++)
		if (model[j].live && below(j, i))
			gone(j), j = UINT32_MAX;
}

static void begin(uint64_t s)
{
	fake_reset();
	memset(model, 0, sizeof(model));
	seed = s;
	/* Untyped memory that holds eight large frames, none of which is ever touched */
	slot(FAKE_UT)->cap = cap_untyped_new(paddr(FRAME_PHYS), 24, false);
	for (unsigned i = 0; i < 8; i++) {
		cap_t c = cap_frame_new(paddr(FRAME_PHYS + ((uint64_t)i << 21)), FRAME_2M, false, 3);

		cte_insert_new(slot(FAKE_UT), slot(i), c);
		add(i, true, -1, 0);
	}
}

static void step(void)
{
	unsigned a = rnd(SLOTS - 1), b = rnd(SLOTS - 1);

	if (a == b || a == FAKE_UT || b == FAKE_UT || !model[a].live)
		return;
	switch (rnd(9)) {
	case 0:
	case 1:
	case 2:
		if (model[b].live)
			return;
		cte_insert(slot(a)->cap, slot(a), slot(b));
		add(b, false, model[a].head ? (int)a : model[a].parent, model[a].depth + model[a].head);
		break;
	case 3:
	case 4:
		assert_int_equal(cte_can_derive(slot(a)), model[a].depth + 2 <= LEVELS);
		if (model[b].live || !cte_can_derive(slot(a)))
			return;
		cte_insert_derived(cap_frame_with_size(slot(a)->cap, FRAME_4K), slot(a), slot(b));
		add(b, true, (int)a, model[a].depth + 1);
		break;
	case 5:
		cte_unlink(slot(a));
		gone(a);
		break;
	case 6:
		if (model[b].live) {
			cap_t ca = slot(a)->cap, cb = slot(b)->cap;

			cte_swap(ca, slot(a), cb, slot(b));
			exchanged(a, b);
		} else {
			cte_move(slot(a)->cap, slot(a), slot(b));
			moved(a, b);
		}
		break;
	case 7: /* a part beside it, and what is derived goes there */
		if (model[b].live)
			return;
		cte_insert_part(cap_frame_with_size(slot(a)->cap, FRAME_4K), slot(a), slot(b));
		add(b, model[a].head, model[a].parent, model[a].depth);
		assert_true(cte_is_part(slot(b), slot(a)));
		if (cte_has_children(slot(a))) {
			unsigned child = slot_of(mdb_next(slot(a)->mdb)), n = 1;

			for (unsigned j = 0; j < SLOTS; j++)
				n += model[j].live && below(j, child);
			assert_int_equal(cte_hand_on(slot(a), slot(b)), n);
			model[child].parent = (int)b;
		}
		break;
	default:
		if (rnd(10))
			return;
		assert_int_equal(cte_revoke(slot(a)), EXC_NONE);
		revoked(a);
		break;
	}
}

static void random_against_tree(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 25; run++) {
		begin(run);
		for (unsigned i = 0; i < 1500; i++) {
			step();
			compare();
		}
		assert_int_equal(cte_revoke(slot(FAKE_UT)), EXC_NONE);
		assert_int_equal(fake_check_list(slot(FAKE_UT)), 1);
	}
}

/* Who loses his capability must not come to power over what was derived from it. */
static void orphans_do_not_change_sides(void **state)
{
	(void)state;
	begin(0);
	cte_insert(slot(0)->cap, slot(0), slot(20)); /* two copies */
	cte_insert(slot(0)->cap, slot(0), slot(21));
	cte_insert_derived(slot(20)->cap, slot(20), slot(22)); /* and two grants of the one that is behind */
	cte_insert_derived(slot(20)->cap, slot(20), slot(23));
	cte_insert(slot(22)->cap, slot(22), slot(24));
	cte_unlink(slot(20));
	assert_int_equal(cte_revoke(slot(21)), EXC_NONE);
	assert_false(cap_is_null(slot(22)->cap) || cap_is_null(slot(23)->cap));
	cte_unlink(slot(22));
	assert_false(cap_is_null(slot(24)->cap));
	assert_int_equal(cte_revoke(slot(21)), EXC_NONE);
	assert_int_equal(cte_revoke(slot(23)), EXC_NONE);
	assert_false(cap_is_null(slot(24)->cap));
	assert_int_equal(cte_revoke(slot(0)), EXC_NONE);
	assert_true(cap_is_null(slot(24)->cap) && cap_is_null(slot(23)->cap) && cap_is_null(slot(21)->cap));
	assert_false(cap_is_null(slot(1)->cap));
}

static void levels_end(void **state)
{
	unsigned i = 30;

	(void)state;
	begin(0);
	cte_insert_derived(slot(0)->cap, slot(0), slot(i));
	for (; cte_can_derive(slot(i)); i++)
		cte_insert_derived(slot(i)->cap, slot(i), slot(i + 1));
	assert_int_equal(mdb_depth(slot(i)->mdb), LEVELS - 1);
	cte_insert(slot(i)->cap, slot(i), slot(i + 1)); /* a copy is always possible */
	assert_int_equal(mdb_depth(slot(i + 1)->mdb), LEVELS);
	assert_false(cte_can_derive(slot(i + 1)));
	assert_int_equal(cte_revoke(slot(30)), EXC_NONE);
	assert_true(cap_is_null(slot(i + 1)->cap));
	assert_false(cap_is_null(slot(30)->cap));
}

static void too_many_are_not_handed_on(void **state)
{
	static struct cte *many;

	(void)state;
	begin(0);
	window_map(paddr(FAKE_PHYS + 0x100000), 0x10000);
	many = window_kv(paddr(FAKE_PHYS + 0x100000));
	memset(many, 0, 0x10000);
	cte_insert_part(cap_frame_with_size(slot(0)->cap, FRAME_4K), slot(0), slot(20));
	cte_insert_derived(cap_frame_with_size(slot(0)->cap, FRAME_4K), slot(0), slot(21));
	for (unsigned i = 0; i < CTE_HAND_ON_MAX; i++)
		cte_insert(slot(21)->cap, slot(21), many + i);
	assert_int_equal(cte_hand_on(slot(0), slot(20)), 0);
	assert_true(cte_has_children(slot(0)) && !cte_has_children(slot(20)));
	cte_unlink(many);
	assert_int_equal(cte_hand_on(slot(0), slot(20)), CTE_HAND_ON_MAX);
	assert_true(!cte_has_children(slot(0)) && cte_has_children(slot(20)));
	assert_int_equal(fake_check_list(slot(FAKE_UT)), 8 + 1 + 2 + CTE_HAND_ON_MAX - 1);
	assert_int_equal(cte_revoke(slot(20)), EXC_NONE);
	assert_true(cap_is_null(slot(21)->cap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_against_tree),
	    cmocka_unit_test(orphans_do_not_change_sides),
	    cmocka_unit_test(levels_end),
	    cmocka_unit_test(too_many_are_not_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
