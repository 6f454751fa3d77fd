/* See cap_fuzz_fake.h: Retype, and the parts of frames (docs/extensions/derive.md, split.md). */
#include "cap/cap_fuzz_fake.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

const struct kind kinds[KINDS] = {
    {seL4_UntypedObject, CAP_UNTYPED, 0, 0},
    {seL4_EndpointObject, CAP_ENDPOINT, seL4_EndpointBits, 15},
    {seL4_NotificationObject, CAP_NOTIFICATION, seL4_NotificationBits, 3},
    {seL4_ReplyObject, CAP_REPLY, seL4_ReplyBits, seL4_RightGrant},
    {seL4_CapTableObject, CAP_CNODE, 0, 0},
    {seL4_TCBObject, CAP_TCB, seL4_TCBBits, 0},
    {seL4_SchedContextObject, CAP_SCHED_CONTEXT, 0, 0},
    {seL4_X86_4K, CAP_FRAME, seL4_PageBits, 3},
    {seL4_X86_PageTableObject, CAP_PT, seL4_PageTableBits, 0},
    {seL4_X86_LargePageObject, CAP_FRAME, seL4_LargePageBits, 3},
};

#define DEPTH_MAX 63u /* of frames below frames */

struct retype {
	const struct kind *kind; /* NULL: of no type */
	word_t words[6];
	unsigned bits;
	int node;
};

static unsigned free_nodes(void)
{
	unsigned n = 0;

	for (int i = 1; i < NODES; i++)
		n += !nodes[i].live;
	return n;
}

static void choose_retype(struct retype *r, int *root)
{
	const struct kind *k = &kinds[below(KINDS - (one_in(2) ? 0 : 2))];
	word_t size = k->type == seL4_CapTableObject  ? 1 + below(5)
		      : k->type == seL4_UntypedObject ? 4 + below(20)
						      : 7 + below(4);

	r->kind = k;
	if (one_in(20))
		size = below(70);
	if (k->type == seL4_CapTableObject && size > 5 && size < 43)
		size = 5; /* slots that the model does not know */
	r->words[0] = k->type;
	r->words[1] = size;
	r->words[2] = r->words[3] = 0;
	r->words[4] = one_in(3) ? below(20) : 20 + below(ROOT_SLOTS - 20);
	r->words[5] = one_in(20) ? below(300) : 1 + below(3);
	*root = any_place(TYPED, CAP_CNODE);
	if (one_in(4))
		name_place(any_place(TYPED, CAP_CNODE), root, &r->words[2], &r->words[3]);
	else if (one_in(30))
		*root = any_place(USED, CAP_NULL);
	if (one_in(40)) {
		r->kind = NULL;
		r->words[0] = 20 + below(40);
	}
}

static struct answer model_retype(struct retype *r, int ut, int root)
{
	struct model_cap node = model[root], *u = &model[ut];
	struct answer a = {seL4_NoError, 0, {0}};
	word_t size = r->words[1], offset = r->words[4], count = r->words[5], slots;
	bool reset = !model_children(ut);
	uint64_t left;
	int p;

	if (!r->kind)
		return answer1(seL4_InvalidArgument, 0);
	r->bits =
	    r->kind->bits ? r->kind->bits : (unsigned)size + (r->kind->cap == CAP_CNODE ? seL4_SlotBits : 0);
	if (size >= 64 || r->bits > 47)
		return answer_range(0, 47);
	if ((r->kind->cap == CAP_CNODE && size == 0) || (r->kind->cap == CAP_UNTYPED && size < 4) ||
	    (r->kind->cap == CAP_SCHED_CONTEXT && size < 7))
		return answer1(seL4_InvalidArgument, 1);
	if (r->words[3] != 0) {
		p = model_slot(node, r->words[2], r->words[3], false, &a);
		if (p == NOWHERE)
			return a;
		node = p == PLACES ? (struct model_cap){.type = CAP_NULL} : model[p];
	}
	if (node.type != CAP_CNODE)
		return answer_lookup(false, 2, seL4_MissingCapability, r->words[3], 0, 0);
	r->node = node_of(node.ptr);
	slots = node_slots(r->node);
	if (offset >= slots)
		return answer_range(0, slots - 1);
	if (count < 1 || count > 256)
		return answer_range(1, 256);
	if (count > slots - offset)
		return answer_range(1, slots - offset);
	for (word_t i = 0; i < count; i++)
		if (model_known(r->node, offset + i) && model[place_of(r->node, offset + i)].type != CAP_NULL)
			return answer0(seL4_DeleteFirst);
	left = BIT(u->bits) - (reset ? 0 : u->free);
	if (r->bits >= 64 || left >> r->bits < count)
		return answer1(seL4_NotEnoughMemory, left);
	if (u->device && r->kind->cap != CAP_UNTYPED && r->kind->cap != CAP_FRAME)
		return answer1(seL4_InvalidArgument, 1);
	return a;
}

static void model_make(const struct retype *r, int ut)
{
	struct model_cap *u = &model[ut];
	uint64_t at = model_children(ut) ? ALIGN_UP(u->free, r->bits) : 0;
	int first = place_of(r->node, r->words[4]);

	u->free = at + (r->words[5] << r->bits);
	for (unsigned i = 0; i < r->words[5]; i++, at += BIT(r->bits)) {
		model[first + (int)i] = (struct model_cap){.type = r->kind->cap,
							   .ptr = u->ptr + at,
							   .bits = r->bits,
							   .original = true,
							   .device = u->device,
							   .parent = ut,
							   .rights = r->kind->rights};
		if (r->kind->cap == CAP_CNODE)
			for (int n = 1; n < NODES; n++)
				if (!nodes[n].live) {
					nodes[n].live = true;
					nodes[n].ptr = u->ptr + at;
					nodes[n].radix = r->bits - seL4_SlotBits;
					break;
				}
		no_overlap(first + (int)i);
	}
}

void op_retype(void)
{
	int ut = any_place(TYPED, CAP_UNTYPED), root;
	struct retype r = {0};
	struct answer a;
	exception_t e;

	if (model[ut].type != CAP_UNTYPED)
		return;
	choose_retype(&r, &root);
	a = model_retype(&r, ut, root);
	if (a.error == seL4_NoError && ((r.kind->cap == CAP_CNODE && r.words[5] > free_nodes()) ||
					!model_known(r.node, r.words[4] + r.words[5] - 1)))
		return; /* more than the model keeps */
	e = invoke(place_slot(ut), place_slot(root), NULL, UntypedRetype, 6, r.words);
	expect("Retype", e, &a);
	if (e == EXC_NONE)
		model_make(&r, ut);
}

void op_large(void)
{
	struct retype r = {.kind = &kinds[KINDS - 1]};
	int slot = any_place(EMPTY, CAP_NULL);
	struct answer a;
	exception_t e;

	if (slot >= ROOT_SLOTS || model[FAKE_UT].type != CAP_UNTYPED || model[ROOT_CAP].type != CAP_CNODE ||
	    model[ROOT_CAP].ptr != FAKE_PHYS)
		return;
	r.words[0] = r.kind->type;
	r.words[4] = (word_t)slot;
	r.words[5] = 1;
	a = model_retype(&r, FAKE_UT, ROOT_CAP);
	e = invoke(place_slot(FAKE_UT), place_slot(ROOT_CAP), NULL, UntypedRetype, 6, r.words);
	expect("Retype", e, &a);
	if (e == EXC_NONE)
		model_make(&r, FAKE_UT);
}

/* ---- parts of frames ---- */

static struct answer model_derive(const struct model_cap *f, const word_t *w, int root, int *dst)
{
	struct answer a = answer0(seL4_NoError);
	word_t whole = BIT(f->bits);

	if (f->split)
		return answer0(seL4_IllegalOperation);
	if ((w[4] != 12 && w[4] != 21 && w[4] != 30) || w[4] > f->bits)
		return answer1(seL4_InvalidArgument, 4);
	if (w[3] & MASK(w[4]))
		return answer0(seL4_AlignmentError);
	if (w[3] >= whole)
		return answer_range(0, whole - BIT(w[4]));
	if (f->depth + 2 > DEPTH_MAX)
		return answer0(seL4_IllegalOperation);
	*dst = model_slot(model[root], w[0], w[1], false, &a);
	if (*dst != NOWHERE && *dst != PLACES && model[*dst].type != CAP_NULL)
		a = answer0(seL4_DeleteFirst);
	return a;
}

int any_frame(void)
{
	int p = any_place(TYPED, CAP_FRAME);

	for (unsigned i = 0; i < 20 && model[p].bits <= seL4_PageBits; i++)
		p = any_place(TYPED, CAP_FRAME);
	return p;
}

void op_derive(int src)
{
	int root, dst = NOWHERE;
	struct model_cap part;
	struct answer a;
	exception_t e;
	word_t w[5];

	if (model[src].type != CAP_FRAME)
		return;
	name_place(any_place(one_in(15) ? USED : EMPTY, CAP_NULL), &root, &w[0], &w[1]);
	w[2] = one_in(2) ? 15 : below(16);
	w[4] = one_in(20) ? below(64) : one_in(3) ? 21 : 12;
	w[3] = one_in(3) ? 0 : (word_t)below(PARTS + 8) << 12;
	if (one_in(30))
		w[3] += below(4096);
	a = model_derive(&model[src], w, root, &dst);
	if (a.error == seL4_NoError && dst == PLACES)
		return;
	e = invoke(place_slot(src), place_slot(root), NULL, InsulaFrameDerive, 5, w);
	expect("Frame_Derive", e, &a);
	if (e != EXC_NONE)
		return;
	part = model_masked(model[src], w[2]);
	part.ptr += w[3];
	part.bits = (unsigned)w[4];
	part.original = true;
	part.parent = src;
	part.depth = model[src].depth + 1;
	model[dst] = part;
}

/* Into the CNode for parts, mostly; how it is named may be wrong. */
static struct answer model_split_node(const word_t *w, int root, int *node)
{
	struct model_cap n = model[root];
	struct answer a = answer0(seL4_NoError);
	word_t slots;
	int p;

	if (w[1] != 0) {
		p = model_slot(n, w[0], w[1], false, &a);
		if (p == NOWHERE)
			return a;
		n = p == PLACES ? (struct model_cap){.type = CAP_NULL} : model[p];
	}
	if (n.type != CAP_CNODE)
		return answer_lookup(false, 2, seL4_MissingCapability, w[1], 0, 0);
	*node = node_of(n.ptr);
	slots = node_slots(*node);
	if (w[2] >= slots)
		return answer_range(0, slots - 1);
	if (slots - w[2] < PARTS)
		return answer_range(1, slots - w[2]);
	return a;
}

/* The children, in the list's order, which the rules leave open. */
static int heirs[PARTS_PLACE];

static int place_at(const struct cte *c)
{
	uint64_t p = window_pa(c).v;

	for (int i = 0; i <= NODES; i++)
		if (nodes[i].live && p >= nodes[i].ptr && p < nodes[i].ptr + 32ull * node_slots(i))
			return place_of(i, (p - nodes[i].ptr) / 32);
	return NOWHERE;
}

static unsigned model_heirs(int place)
{
	const struct cte *c = place_slot(place);
	unsigned n = 0;

	while (mdb_next(c->mdb)) {
		int p;

		c = window_kv(paddr(mdb_next(c->mdb)));
		p = place_at(c);
		if (p == NOWHERE || !model_below(p, place))
			break;
		if (model[p].parent == place && n < ARRAY_SIZE(heirs))
			heirs[n++] = p;
	}
	return n;
}

/* Which of the slots has the part that this child belongs below. */
static int model_part_for(const struct model_cap *f, const struct model_cap *child)
{
	const struct model_cap *p;
	int place;

	if (child->bits >= f->bits)
		return NOWHERE;
	place = PARTS_PLACE + (int)((child->ptr - f->ptr) >> (f->bits - 9));
	p = &model[place];
	return p->type == CAP_FRAME && p->bits + 9 == f->bits && p->ptr <= child->ptr &&
		       child->ptr < p->ptr + BIT(p->bits) && p->depth == f->depth &&
		       p->original == f->original && !p->split && !(child->rights & ~p->rights)
		   ? place
		   : NOWHERE;
}

static void model_make_parts(const struct model_cap *f)
{
	for (int i = 0; i < PARTS; i++) {
		struct model_cap part = *f;

		part.bits = f->bits - 9;
		part.ptr += (uint64_t)i << part.bits;
		model[PARTS_PLACE + i] = part;
	}
}

/* All of them go, so that a frame can be split again. */
static void clear_parts(void)
{
	const struct answer fine = answer0(seL4_NoError);

	for (int i = 0; i < PARTS; i++) {
		word_t w[] = {(word_t)i, 9};
		const struct model_cap *m = &model[PARTS_PLACE + i];

		if (m->type == CAP_NULL || model_nested(PARTS_PLACE + i, false) ||
		    model[PARTS_CAP].ptr != PARTS_PTR || model[PARTS_CAP].guard_size)
			continue;
		expect("Delete", invoke(place_slot(PARTS_CAP), NULL, NULL, CNodeDelete, 2, w), &fine);
		model_delete(PARTS_PLACE + i);
	}
}

void op_split(int place)
{
	int root, node = NOWHERE;
	struct model_cap *f = &model[place];
	word_t w[3] = {0, 0, one_in(20) ? below(600) : 0};
	bool left = false, fresh = !f->split;
	unsigned n;
	struct answer a;
	exception_t e;

	if (f->type != CAP_FRAME)
		return;
	if (fresh && one_in(2)) /* so that there is something to be handed on */
		for (unsigned i = below(4); i > 0; i--)
			op_derive(place);
	root = root_of(PARTS_PLACE);
	if (one_in(4))
		name_place(root, &root, &w[0], &w[1]);
	if (f->bits == 12)
		a = answer0(seL4_IllegalOperation);
	else
		a = model_split_node(w, root, &node);
	for (int i = 0; a.error == seL4_NoError && fresh && i < PARTS; i++)
		if (model[PARTS_PLACE + i].type != CAP_NULL)
			a = answer0(seL4_DeleteFirst);
	n = model_heirs(place);
	e = invoke(place_slot(place), place_slot(root), NULL, InsulaFrameSplit, 3, w);
	expect("Frame_Split", e, &a);
	if (e != EXC_NONE) {
		if (a.error == seL4_DeleteFirst && one_in(3))
			clear_parts();
		return;
	}
	if (fresh)
		model_make_parts(f);
	for (unsigned i = 0; i < n && !left; i++) {
		int part = model_part_for(f, &model[heirs[i]]);

		left = part == NOWHERE;
		if (!left)
			model[heirs[i]].parent = part;
	}
	if (fake_result != left)
		panic("Frame_Split answers %lu, should be %d", fake_result, left);
	f->split = true;
	if (!left)
		f->type = CAP_NULL;
}
