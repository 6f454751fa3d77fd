/* See cap_fuzz_fake.h: invocations of CNodes. */
#include "cap/cap_fuzz_fake.h"

static word_t any_guard(void)
{
	word_t size = one_in(6) ? below(64) : below(4);

	return (word_t)below(16) << 6 | size;
}

/* Badge or guard applied; type null if refused. */
static struct model_cap model_data(struct model_cap c, bool keep_badge, word_t data)
{
	unsigned size = data & 63;

	if (model_badged(c.type)) {
		if (keep_badge || c.badge)
			c.type = CAP_NULL;
		c.badge = data;
	} else if (c.type == CAP_CNODE) {
		if (size + c.bits - seL4_SlotBits > 64)
			c.type = CAP_NULL;
		c.guard_size = size;
		c.guard = data >> 6 & MASK(size);
	}
	return c;
}

static void model_copy(int dst, int src, struct model_cap c)
{
	struct model_cap *s = &model[src];

	if (c.type == CAP_FRAME && s->original)
		c.depth++;
	c.original = c.type == CAP_UNTYPED || (model_badged(c.type) && c.badge != s->badge);
	c.parent = s->original ? src : s->parent;
	model[dst] = c;
	if (c.type == CAP_UNTYPED) /* only the copy hands out memory from now on */
		s->free = BIT(s->bits);
}

static void model_move(int dst, int src, struct model_cap c)
{
	model[dst] = c;
	model[src] = (struct model_cap){.type = CAP_NULL};
	for (int i = 0; i < PLACES; i++)
		if (model[i].type != CAP_NULL && model[i].parent == src)
			model[i].parent = dst;
}

static void model_exchange(int a, int b, struct model_cap in_a, struct model_cap in_b)
{
	model[a] = in_a;
	model[b] = in_b;
	for (int i = 0; i < PLACES; i++) {
		int p = model[i].parent;

		if (model[i].type != CAP_NULL)
			model[i].parent = p == a ? b : p == b ? a : p;
	}
}

static struct answer answer_derive(int src, struct model_cap c)
{
	if (c.type == CAP_UNTYPED && model_children(src))
		return answer0(seL4_RevokeFirst);
	/* a table that is mapped nowhere; badge or guard refused; a husk */
	if (c.type == CAP_PT || c.type == CAP_NULL || c.split)
		return answer0(seL4_IllegalOperation);
	return answer0(seL4_NoError);
}

void op_copy(void)
{
	static const word_t labels[] = {CNodeCopy, CNodeMint, CNodeMove, CNodeMutate};
	word_t label = labels[below(4)], words[6], rights = one_in(2) ? 15 : below(16);
	int dst_root, src_root, dst, src;
	struct answer a = answer0(seL4_NoError);
	struct model_cap c = {0};
	exception_t e;

	name_place(any_place(one_in(15) ? USED : EMPTY, CAP_NULL), &dst_root, &words[0], &words[1]);
	name_place(any_place(one_in(15) ? EMPTY : USED, CAP_NULL), &src_root, &words[2], &words[3]);
	if (model[dst_root].type != CAP_CNODE)
		return;
	words[4] = label == CNodeMutate ? any_guard() : rights;
	words[5] = one_in(2) ? below(4) : any_guard();
	dst = model_slot(model[dst_root], words[0], words[1], false, &a);
	src = dst;
	if (dst != NOWHERE && dst != PLACES && model[dst].type != CAP_NULL)
		a = answer0(seL4_DeleteFirst);
	else if (dst != NOWHERE)
		src = model_slot(model[src_root], words[2], words[3], true, &a);
	if (a.error == seL4_NoError && (src == PLACES || model[src].type == CAP_NULL))
		a = answer_lookup(true, 2, seL4_MissingCapability, words[3], 0, 0);
	if (a.error == seL4_NoError) {
		c = model[src];
		if (label == CNodeCopy || label == CNodeMint) {
			c = model_masked(c, rights);
			if (label == CNodeMint)
				c = model_data(c, false, words[5]);
			a = answer_derive(src, c);
		} else if (label == CNodeMutate) {
			c = model_data(c, true, words[4]);
			if (c.type == CAP_NULL)
				a = answer0(seL4_IllegalOperation);
		}
	}
	if (a.error == seL4_NoError && dst == PLACES)
		return; /* it would go where the model does not look */
	e = invoke(place_slot(dst_root), place_slot(src_root), NULL, label,
		   label == CNodeMove	? 4
		   : label == CNodeMint ? 6
					: 5,
		   words);
	expect("Copy, Mint, Move or Mutate", e, &a);
	if (e != EXC_NONE)
		return;
	if (label == CNodeCopy || label == CNodeMint)
		model_copy(dst, src, c);
	else
		model_move(dst, src, c);
}

void op_rotate(void)
{
	int roots[3], at[3] = {NOWHERE, NOWHERE, NOWHERE}, d, p, s;
	struct answer a = answer0(seL4_NoError);
	struct model_cap new_src, new_pivot;
	word_t w[8];
	exception_t e;

	name_place(any_place(one_in(15) ? ANY : USED, CAP_NULL), &roots[2], &w[6], &w[7]);
	name_place(any_place(one_in(15) ? ANY : USED, CAP_NULL), &roots[1], &w[3], &w[4]);
	if (one_in(2)) {
		name_place(any_place(one_in(15) ? ANY : EMPTY, CAP_NULL), &roots[0], &w[0], &w[1]);
	} else {
		roots[0] = roots[2];
		w[0] = w[6];
		w[1] = w[7];
	}
	if (model[roots[0]].type != CAP_CNODE)
		return;
	w[2] = any_guard();
	w[5] = any_guard();
	/* destination, source, pivot: the first that is wrong */
	at[0] = d = model_slot(model[roots[0]], w[0], w[1], false, &a);
	if (d != NOWHERE)
		at[2] = model_slot(model[roots[2]], w[6], w[7], true, &a);
	if (at[2] != NOWHERE)
		at[1] = model_slot(model[roots[1]], w[3], w[4], true, &a);
	s = at[2];
	p = at[1];
	if (d == PLACES || s == PLACES || p == PLACES)
		return;
	if (a.error == seL4_NoError) {
		if (p == s || p == d)
			a = answer0(seL4_IllegalOperation);
		else if (s != d && model[d].type != CAP_NULL)
			a = answer0(seL4_DeleteFirst);
		else if (model[s].type == CAP_NULL)
			a = answer_lookup(true, 2, seL4_MissingCapability, w[7], 0, 0);
		else if (model[p].type == CAP_NULL)
			a = answer_lookup(false, 2, seL4_MissingCapability, w[4], 0, 0);
	}
	if (a.error == seL4_NoError) {
		new_src = model_data(model[s], true, w[5]);
		new_pivot = model_data(model[p], true, w[2]);
		if (new_src.type == CAP_NULL || new_pivot.type == CAP_NULL)
			a = answer0(seL4_IllegalOperation);
	}
	e = invoke(place_slot(roots[0]), place_slot(roots[1]), place_slot(roots[2]), CNodeRotate, 8, w);
	expect("Rotate", e, &a);
	if (e != EXC_NONE)
		return;
	if (s == d) {
		model_exchange(s, p, new_pivot, new_src);
		/* the exchanged themselves may be each other's parents: model_exchange() turned them, too */
	} else {
		model_move(d, p, new_pivot);
		new_src.parent = model[s].parent; /* the pivot, perhaps, in its new place */
		model_move(p, s, new_src);
	}
}

void op_delete(bool revoke)
{
	word_t w[2], label = revoke ? CNodeRevoke : CNodeDelete;
	struct answer a = answer0(seL4_NoError);
	int root, place;
	exception_t e;

	name_place(any_place(one_in(10) ? ANY : USED, CAP_NULL), &root, &w[0], &w[1]);
	if (model[root].type != CAP_CNODE)
		return;
	place = model_slot(model[root], w[0], w[1], false, &a);
	if (place != NOWHERE && place != PLACES &&
	    (place == FAKE_UT || place == DEVICE || place == (int)ROOT_CAP || place == (int)PARTS_CAP ||
	     model_nested(place, revoke)) &&
	    !(revoke && one_in(2)))
		return;
	if (place != NOWHERE && place != PLACES && revoke && model_nested(place, true))
		return;
	e = invoke(place_slot(root), NULL, NULL, label, 2, w);
	expect(revoke ? "Revoke" : "Delete", e, &a);
	if (e != EXC_NONE || place == PLACES)
		return;
	if (revoke)
		model_revoke(place);
	else
		model_delete(place);
}

void op_cancel(void)
{
	struct answer a = answer0(seL4_NoError);
	int root, place;
	word_t w[2];
	exception_t e;

	name_place(any_place(TYPED, CAP_ENDPOINT), &root, &w[0], &w[1]);
	if (model[root].type != CAP_CNODE)
		return;
	place = model_slot(model[root], w[0], w[1], false, &a);
	if (place != NOWHERE &&
	    (place == PLACES || model[place].type != CAP_ENDPOINT || model[place].rights != 15))
		a = answer0(seL4_IllegalOperation);
	e = invoke(place_slot(root), NULL, NULL, CNodeCancelBadgedSends, 2, w);
	expect("CancelBadgedSends", e, &a);
}
