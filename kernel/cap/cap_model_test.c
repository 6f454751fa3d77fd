// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c
// links: kernel/api/error.c kernel/cap/cap_fake.c
/*
 * Random CNode and Untyped invocations beside a simple model: capabilities as nodes of an explicit tree with
 * parent pointers, Untypeds as lists of what was made. After each operation every slot must be as the model
 * says, the memory handed out must not overlap, and no frame may be in the window.
 *
 * In the first test objects that hold slots have their capabilities in the root CNode only, and the model is
 * exact. In the second anything goes anywhere; there the invariants are checked, and that a revoke of the
 * memory ends it all.
 */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROOT_SLOTS 48u /* of the root CNode, in use here */
#define NODES	   8u  /* root slots [NODE0, NODE0 + NODES) hold CNodes of radix 4, and nothing else does */
#define NODE0	   32u
#define PLACES	   (ROOT_SLOTS + NODES * 16)
#define BASE	   (FAKE_PHYS + FAKE_BYTES / 2)

struct node {
	bool live;
	enum cap_type type;
	uint64_t ptr;
	unsigned bits;
	word_t badge;
	bool original; /* can be a parent */
	int parent;    /* place, -1: none */
};

static struct node model[PLACES];
static uint64_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % n);
}

/* ---- places: root slots, then slots of the CNodes ---- */

static bool place_is_node(unsigned p)
{
	return p >= NODE0 && p < NODE0 + NODES;
}

static int place_owner(unsigned p)
{
	return p < ROOT_SLOTS ? -1 : (int)(NODE0 + (p - ROOT_SLOTS) / 16);
}

static bool place_usable(unsigned p)
{
	int o = place_owner(p);

	return o < 0 || model[o].live;
}

static word_t place_index(unsigned p)
{
	return p < ROOT_SLOTS ? p : FAKE_IN((unsigned)place_owner(p), (p - ROOT_SLOTS) % 16);
}

static word_t place_depth(unsigned p)
{
	return p < ROOT_SLOTS ? 8 : 12;
}

static struct cte *place_slot(unsigned p)
{
	return p < ROOT_SLOTS ? fake_root(p) : fake_in((unsigned)place_owner(p), (p - ROOT_SLOTS) % 16);
}

/* ---- the model ---- */

static void model_kill(unsigned p);

/* The slot is emptied: children fall to the parent, a CNode's content goes. */
static void model_delete(unsigned p)
{
	struct node n = model[p];

	if (!n.live)
		return;
	model[p].live = false;
	for (unsigned i = 0; i < PLACES; i++)
		if (model[i].live && model[i].parent == (int)p)
			model[i].parent = n.parent;
	if (place_is_node(p))
		model_kill(p);
}

static void model_kill(unsigned node)
{
	for (unsigned i = 0; i < 16; i++)
		model_delete(ROOT_SLOTS + (node - NODE0) * 16 + i);
}

static bool model_below(unsigned p, unsigned ancestor)
{
	for (int q = model[p].parent; q >= 0; q = model[q].parent)
		if (q == (int)ancestor)
			return true;
	return false;
}

static bool model_children(unsigned p)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (model[i].live && model[i].parent == (int)p)
			return true;
	return false;
}

static void model_revoke(unsigned p)
{
	bool more = true;

	/*
	 * Content of a CNode that goes may lie outside the subtree; so once more until nothing is left below.
	 */
	while (more && model[p].live) {
		more = false;
		for (unsigned i = 0; i < PLACES; i++)
			if (model[i].live && model_below(i, p)) {
				model_delete(i);
				more = true;
				break;
			}
	}
}

static void model_copy(unsigned dst, unsigned src, word_t badge, bool mint)
{
	struct node *d = &model[dst], *s = &model[src];
	bool badged = s->type == CAP_ENDPOINT || s->type == CAP_NOTIFICATION;

	*d = *s;
	if (mint && badged)
		d->badge = badge;
	d->original = d->type == CAP_UNTYPED || (badged && d->badge != s->badge);
	d->parent = s->original ? (int)src : s->parent;
}

static void model_move(unsigned dst, unsigned src)
{
	model[dst] = model[src];
	model[src].live = false;
	for (unsigned i = 0; i < PLACES; i++)
		if (model[i].live && model[i].parent == (int)src)
			model[i].parent = (int)dst;
}

/* ---- comparison ---- */

static unsigned cap_badge(cap_t c)
{
	return cap_type(c) == CAP_ENDPOINT ? (unsigned)cap_endpoint_badge(c)
					   : (unsigned)cap_notification_badge(c);
}

static bool model_matches(const struct node *n, cap_t c)
{
	if (!n->live)
		return cap_is_null(c);
	if (cap_type(c) != n->type || cap_paddr(c).v != n->ptr || cap_size_bits(c) != n->bits)
		return false;
	return (n->type != CAP_ENDPOINT && n->type != CAP_NOTIFICATION) || cap_badge(c) == n->badge;
}

static void compare(const char *what, unsigned step)
{
	unsigned live = 0;

	for (unsigned p = 0; p < PLACES; p++) {
		if (!place_usable(p))
			continue;
		live += model[p].live;
		if (!model_matches(&model[p], place_slot(p)->cap))
			panic("step %u, %s: place %u differs (model %d type %d, kernel type %d)\n", step,
			      what, p, model[p].live, model[p].type, (int)cap_type(place_slot(p)->cap));
		if (model[p].live && cte_has_children(place_slot(p)) != model_children(p))
			panic("step %u, %s: children of place %u differ\n", step, what, p);
		if (model[p].live && model[p].type == CAP_FRAME &&
		    fake_present_count(paddr(model[p].ptr), BIT(model[p].bits)))
			panic("step %u, %s: frame in the window\n", step, what);
	}
	if (fake_check_list(fake_root(FAKE_UT)) != live)
		panic("step %u, %s: capabilities outside the slots\n", step, what);
}

static void no_overlap(unsigned first, unsigned count, unsigned parent)
{
	for (unsigned i = first; i < first + count; i++)
		for (unsigned j = 0; j < PLACES; j++) {
			if (!model[j].live || j == i || j == parent || model_below(parent, j))
				continue;
			if (model[j].type == CAP_UNTYPED && model[j].ptr <= model[i].ptr &&
			    model[i].ptr + BIT(model[i].bits) <= model[j].ptr + BIT(model[j].bits) &&
			    BIT(model[j].bits) > BIT(model[i].bits) && model_below(i, j))
				continue;
			if (model[i].ptr < model[j].ptr + BIT(model[j].bits) &&
			    model[j].ptr < model[i].ptr + BIT(model[i].bits))
				panic("memory handed out twice: places %u and %u\n", i, j);
		}
}

/* ---- operations ---- */

static void op_retype(unsigned step)
{
	static const struct {
		word_t type;
		unsigned bits;
	} kinds[] = {{seL4_UntypedObject, 0}, {seL4_EndpointObject, 4},	      {seL4_NotificationObject, 6},
		     {seL4_X86_4K, 12},	      {seL4_X86_LargePageObject, 21}, {seL4_CapTableObject, 9},
		     {seL4_ReplyObject, 5}};
	unsigned k = rnd(ARRAY_SIZE(kinds)), ut = rnd(ROOT_SLOTS), count, first, bits = kinds[k].bits;
	bool table = kinds[k].type == seL4_CapTableObject, was_childless;
	exception_t e;

	if (model[ut].live && model[ut].type != CAP_UNTYPED)
		ut = FAKE_UT;
	if (!model[ut].live)
		return;
	count = table ? 1 : 1 + rnd(3);
	first = table ? NODE0 + rnd(NODES) : rnd(NODE0 - count);
	if (kinds[k].type == seL4_UntypedObject)
		bits = 4 + rnd(18);
	for (unsigned i = 0; i < count; i++)
		if (model[first + i].live)
			return;
	was_childless = !model_children(ut);
	e = fake_retype(fake_root(ut), kinds[k].type, table ? 4 : bits, first, count);
	if (e != EXC_NONE) {
		if (percpu_host->error.type != seL4_NotEnoughMemory ||
		    (was_childless && (uint64_t)count << bits <= BIT(model[ut].bits)))
			panic("step %u: retype refused with %d\n", step, percpu_host->error.type);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		cap_t c = fake_root(first + i)->cap;

		model[first + i] =
		    (struct node){true, cap_type_of(c), cap_paddr(c).v, bits, 0, true, (int)ut};
		if (cap_paddr(c).v < model[ut].ptr ||
		    cap_paddr(c).v + BIT(bits) > model[ut].ptr + BIT(model[ut].bits))
			panic("step %u: object outside its Untyped\n", step);
	}
	no_overlap(first, count, ut);
}

static void op_copy(unsigned step)
{
	unsigned src = rnd(PLACES), dst = rnd(PLACES);
	bool mint = rnd(2);
	word_t badge = rnd(3), index, depth;
	exception_t e, expected;

	if (!place_usable(src) || !place_usable(dst) || place_is_node(dst) || model[src].type == CAP_CNODE)
		return;
	index = place_index(dst);
	depth = place_depth(dst);
	e = mint ? FAKE_CNODE(CNodeMint, index, depth, place_index(src), place_depth(src), 15, badge)
		 : FAKE_CNODE(CNodeCopy, index, depth, place_index(src), place_depth(src), 15);
	expected = EXC_NONE;
	if (model[dst].live || !model[src].live || (model[src].type == CAP_UNTYPED && model_children(src)) ||
	    (mint && model[src].badge != 0))
		expected = EXC_SYSCALL_ERROR;
	if (e != expected)
		panic("step %u: copy to %u from %u: %d, error %d\n", step, dst, src, e,
		      percpu_host->error.type);
	if (e == EXC_NONE)
		model_copy(dst, src, badge, mint);
}

static void op_move(unsigned step)
{
	unsigned src = rnd(PLACES), dst = rnd(PLACES);
	exception_t e;

	if (!place_usable(src) || !place_usable(dst) || place_is_node(dst) || place_is_node(src) ||
	    src == FAKE_UT)
		return;
	e = FAKE_CNODE(CNodeMove, place_index(dst), place_depth(dst), place_index(src), place_depth(src));
	if ((e == EXC_NONE) != (model[src].live && !model[dst].live))
		panic("step %u: move\n", step);
	if (e == EXC_NONE)
		model_move(dst, src);
}

/* Rotate with source and destination the same: an exchange. Only what takes data may be rotated with data. */
static void op_swap(unsigned step)
{
	unsigned a = rnd(PLACES), b = rnd(PLACES);
	struct node na = model[a], nb = model[b];
	exception_t e;

	if (!place_usable(a) || !place_usable(b) || place_is_node(a) || place_is_node(b) || a == FAKE_UT ||
	    b == FAKE_UT)
		return;
	if (!na.live || !nb.live || a == b || na.type == CAP_ENDPOINT || na.type == CAP_NOTIFICATION ||
	    nb.type == CAP_ENDPOINT || nb.type == CAP_NOTIFICATION)
		return;
	e = FAKE_CNODE(CNodeRotate, place_index(a), place_depth(a), 0, place_index(b), place_depth(b), 0,
		       place_index(a), place_depth(a));
	if (e != EXC_NONE)
		panic("step %u: exchange\n", step);
	model[a] = nb;
	model[b] = na;
	for (unsigned i = 0; i < PLACES; i++) {
		int *p = &model[i].parent;

		*p = *p == (int)a ? (int)b : *p == (int)b ? (int)a : *p;
	}
}

static void op_delete(unsigned step)
{
	unsigned p = rnd(PLACES);

	if (!place_usable(p) || p == FAKE_UT)
		return;
	if (FAKE_CNODE(CNodeDelete, place_index(p), place_depth(p)) != EXC_NONE)
		panic("step %u: delete\n", step);
	model_delete(p);
}

static void op_revoke(unsigned step)
{
	unsigned p = rnd(PLACES);

	if (!place_usable(p) || (p == FAKE_UT && rnd(8)))
		return;
	if (FAKE_CNODE(CNodeRevoke, place_index(p), place_depth(p)) != EXC_NONE)
		panic("step %u: revoke\n", step);
	model_revoke(p);
}

static void test_against_model(void **state)
{
	static const struct {
		const char *name;
		void (*run)(unsigned step);
		unsigned weight;
	} ops[] = {{"retype", op_retype, 8}, {"copy", op_copy, 12},    {"move", op_move, 4},
		   {"swap", op_swap, 4},     {"delete", op_delete, 3}, {"revoke", op_revoke, 1}};
	unsigned total = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	for (unsigned run = 0; run < 12; run++) {
		fake_reset();
		memset(model, 0, sizeof(model));
		model[FAKE_UT] = (struct node){true, CAP_UNTYPED, BASE, FAKE_UT_BITS, 0, true, -1};
		seed = run + 1;
		fake_poll_every = run % 4;
		for (unsigned step = 0; step < 3000; step++) {
			unsigned w = rnd(total), i = 0;

			while (w >= ops[i].weight)
				w -= ops[i++].weight;
			ops[i].run(step);
			compare(ops[i].name, step);
		}
	}
}

/* ---- anything goes: CNodes and threads inside each other ---- */

static word_t chaos_index(word_t *depth)
{
	bool deep = rnd(2);
	unsigned node = rnd(ROOT_SLOTS);

	if (deep && cap_type(fake_root(node)->cap) == CAP_CNODE) {
		*depth = 12;
		return FAKE_IN(node, rnd(16));
	}
	*depth = 8;
	return node == FAKE_UT ? 0 : node;
}

static void chaos_step(void)
{
	static const word_t types[] = {seL4_CapTableObject, seL4_CapTableObject, seL4_TCBObject,
				       seL4_EndpointObject, seL4_UntypedObject};
	word_t d1, d2, i1 = chaos_index(&d1), i2 = chaos_index(&d2), type;
	unsigned ut;

	switch (rnd(8)) {
	case 0:
	case 1:
		type = types[rnd(ARRAY_SIZE(types))];
		ut = rnd(ROOT_SLOTS);
		if (cap_type(fake_root(ut)->cap) != CAP_UNTYPED)
			ut = FAKE_UT;
		fake_retype(fake_root(ut), type, type == seL4_UntypedObject ? 12 + rnd(6) : 4,
			    rnd(ROOT_SLOTS - 2), 1 + rnd(2));
		break;
	case 2:
		FAKE_CNODE(CNodeCopy, i1, d1, i2, d2, 15);
		break;
	case 3:
	case 4:
	case 5:
		FAKE_CNODE(CNodeMove, i1, d1, i2, d2);
		break;
	case 6:
		FAKE_CNODE(CNodeDelete, i1, d1);
		break;
	default:
		if (rnd(6) == 0)
			FAKE_CNODE(CNodeRevoke, i1, d1);
		break;
	}
}

static void test_anything_goes(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 30; run++) {
		fake_reset();
		seed = run + 100;
		fake_poll_every = run % 5;
		for (unsigned step = 0; step < 1500; step++) {
			chaos_step();
			fake_check_list(fake_root(FAKE_UT));
		}
		assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
		assert_int_equal(fake_check_list(fake_root(FAKE_UT)), 1);
		for (unsigned i = 0; i < 1u << FAKE_RADIX; i++)
			assert_true(i == FAKE_UT || cap_is_null(fake_root(i)->cap));
		assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_X86_LargePageObject, 0, 1, 8),
				 EXC_NONE);
		assert_int_equal(fake_present_count(paddr(BASE), BIT(FAKE_UT_BITS)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_model),
	    cmocka_unit_test(test_anything_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
