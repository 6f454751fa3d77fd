/* See cap_fuzz_fake.h: the model, and the kernel's slots beside it. */
#include "cap/cap_fuzz_fake.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

#include <string.h>

struct model_cap model[PLACES];
struct model_node nodes[NODES + 1];
unsigned model_ended[64];

struct answer answer0(enum sel4_error e)
{
	return (struct answer){e, 0, {0}};
}

struct answer answer1(enum sel4_error e, word_t a)
{
	return (struct answer){e, 1, {a}};
}

struct answer answer_range(word_t min, word_t max)
{
	return (struct answer){seL4_RangeError, 2, {min, max}};
}

struct answer answer_lookup(bool source, unsigned count, word_t type, word_t a, word_t b, word_t c)
{
	return (struct answer){seL4_FailedLookup, 1 + count, {source, type, a, b, c}};
}

/* ---- places ---- */

int node_of(uint64_t ptr)
{
	for (int i = 0; i <= NODES; i++)
		if (nodes[i].live && nodes[i].ptr == ptr)
			return i;
	return NOWHERE;
}

int place_node(int place)
{
	return place < PARTS_PLACE ? place / STRIDE : PARTS_NODE;
}

unsigned place_index(int place)
{
	return (unsigned)(place < PARTS_PLACE ? place % STRIDE : place - PARTS_PLACE);
}

int place_of(int node, uint64_t index)
{
	return node * STRIDE + (int)index; /* of the last node, too */
}

unsigned node_slots(int node)
{
	return node == 0 ? 1u << FAKE_RADIX : 1u << nodes[node].radix;
}

bool model_known(int node, uint64_t index)
{
	return node == PARTS_NODE ? index < PARTS : index < STRIDE && (node != 0 || index < ROOT_SLOTS);
}

int model_slot(struct model_cap root, word_t index, word_t depth, bool source, struct answer *a)
{
	unsigned left = (unsigned)depth;
	uint64_t at;
	int node;

	if (root.type != CAP_CNODE) {
		*a = answer_lookup(source, 1, seL4_InvalidRoot, 0, 0, 0);
		return NOWHERE;
	}
	if (depth < 1 || depth > 64) {
		*a = answer_range(1, 64);
		return NOWHERE;
	}
	for (;;) {
		unsigned radix = root.bits - seL4_SlotBits;

		node = node_of(root.ptr);
		if (root.guard_size > left || (root.guard_size && (index >> (left - root.guard_size) &
								   MASK(root.guard_size)) != root.guard)) {
			*a = answer_lookup(source, 4, seL4_GuardMismatch, left, root.guard, root.guard_size);
			return NOWHERE;
		}
		if (root.guard_size + radix > left) {
			*a = answer_lookup(source, 3, seL4_DepthMismatch, left, root.guard_size + radix, 0);
			return NOWHERE;
		}
		left -= root.guard_size + radix;
		at = index >> left & MASK(radix);
		if (left == 0)
			return model_known(node, at) ? place_of(node, at) : PLACES;
		if (!model_known(node, at) || model[place_of(node, at)].type != CAP_CNODE) {
			*a = answer_lookup(source, 3, seL4_DepthMismatch, left, 0, 0);
			return NOWHERE;
		}
		root = model[place_of(node, at)];
	}
}

struct cte *place_slot(int place)
{
	return (struct cte *)window_kv(paddr(nodes[place_node(place)].ptr)) + place_index(place);
}

bool place_exists(int place)
{
	int node = place_node(place);
	unsigned index = place_index(place);

	return nodes[node].live && index < node_slots(node) && model_known(node, index);
}

/* ---- what the rules say ---- */

bool model_children(int place)
{
	for (int i = 0; i < PLACES; i++)
		if (model[i].type != CAP_NULL && model[i].parent == place)
			return true;
	return false;
}

bool model_below(int place, int ancestor)
{
	for (int p = model[place].parent; p != NOWHERE; p = model[p].parent)
		if (p == ancestor)
			return true;
	return false;
}

bool model_badged(enum cap_type t)
{
	return t == CAP_ENDPOINT || t == CAP_NOTIFICATION;
}

struct model_cap model_masked(struct model_cap c, word_t rights)
{
	c.rights &= (unsigned)rights;
	if (c.type == CAP_FRAME && !(c.rights & seL4_RightRead))
		c.rights = 0;
	return c;
}

static bool model_same_object(const struct model_cap *a, const struct model_cap *b)
{
	return a->type == b->type && a->ptr == b->ptr && a->bits == b->bits;
}

/* The root and the CNode for parts: their own capabilities are in no place. */
static bool model_kept(const struct model_cap *m)
{
	return m->type == CAP_CNODE && (m->ptr == FAKE_PHYS || m->ptr == PARTS_PTR);
}

static bool model_last(int place)
{
	if (model_kept(&model[place]))
		return false;
	for (int i = 0; i < PLACES; i++)
		if (i != place && model[i].type != CAP_NULL && model_same_object(&model[i], &model[place]))
			return false;
	return true;
}

void model_delete(int place)
{
	struct model_cap c = model[place];
	bool last;
	int node;

	if (c.type == CAP_NULL)
		return;
	last = model_last(place);
	for (int i = 0; i < PLACES; i++)
		if (model[i].type != CAP_NULL && model[i].parent == place)
			model[i].parent = c.parent;
	model[place] = (struct model_cap){.type = CAP_NULL};
	if (!last)
		return;
	model_ended[c.type]++;
	if (c.type != CAP_CNODE)
		return;
	node = node_of(c.ptr);
	for (unsigned i = 0; i < node_slots(node); i++)
		model_delete(place_of(node, i));
	nodes[node].live = false;
}

void model_revoke(int place)
{
	for (bool more = true; more && model[place].type != CAP_NULL;) {
		more = false;
		for (int i = 0; i < PLACES && !more; i++)
			if (model[i].type != CAP_NULL && model_below(i, place)) {
				model_delete(i);
				more = true;
			}
	}
}

bool model_nested(int place, bool below_too)
{
	static bool goes[PLACES];
	bool more = true;

	for (int i = 0; i < PLACES; i++)
		goes[i] = (i == place && !below_too) ||
			  (below_too && model[i].type != CAP_NULL && model_below(i, place));
	while (more) {
		more = false;
		for (int i = 0; i < PLACES; i++) {
			int node = goes[i] && model[i].type == CAP_CNODE && !model_kept(&model[i])
				       ? node_of(model[i].ptr)
				       : NOWHERE;
			bool dies = node != NOWHERE;

			for (int j = 0; dies && j < PLACES; j++)
				if (!goes[j] && model[j].type != CAP_NULL &&
				    model_same_object(&model[j], &model[i]))
					dies = false;
			if (!dies)
				continue;
			for (unsigned k = 0; k < node_slots(node); k++) {
				int p = place_of(node, k);

				if (model[p].type == CAP_CNODE || model[p].type == CAP_TCB)
					return true;
				if (model[p].type != CAP_NULL && !goes[p])
					more = goes[p] = true;
			}
		}
	}
	return false;
}

void no_overlap(int place)
{
	const struct model_cap *m = &model[place];

	for (int i = 0; i < PLACES; i++) {
		const struct model_cap *o = &model[i];

		if (o->type == CAP_NULL || i == place || model_same_object(o, m) ||
		    o->ptr >= m->ptr + BIT(m->bits) || m->ptr >= o->ptr + BIT(o->bits))
			continue;
		if (!(o->type == CAP_UNTYPED && model_below(place, i)))
			panic("memory is in use twice: places %d and %d", place, i);
	}
}

/* ---- the kernel's side ---- */

static bool differs_rights(const struct model_cap *m, cap_t c)
{
	unsigned r = 0;

	switch (m->type) {
	case CAP_ENDPOINT:
		r |= cap_endpoint_can_send(c) ? seL4_RightWrite : 0;
		r |= cap_endpoint_can_receive(c) ? seL4_RightRead : 0;
		r |= cap_endpoint_can_grant(c) ? seL4_RightGrant : 0;
		r |= cap_endpoint_can_grant_reply(c) ? seL4_RightGrantReply : 0;
		return r != m->rights || cap_endpoint_badge(c) != m->badge;
	case CAP_NOTIFICATION:
		r |= cap_notification_can_send(c) ? seL4_RightWrite : 0;
		r |= cap_notification_can_receive(c) ? seL4_RightRead : 0;
		return r != m->rights || cap_notification_badge(c) != m->badge;
	case CAP_REPLY:
		return (cap_reply_can_grant(c) ? seL4_RightGrant : 0) != m->rights;
	case CAP_FRAME:
		return cap_frame_rights(c) != m->rights || cap_frame_device(c) != m->device ||
		       cap_frame_split(c) != (m->split ? PARTS + 1u : 0);
	case CAP_CNODE:
		return cap_cnode_guard(c) != m->guard || cap_cnode_guard_size(c) != m->guard_size;
	case CAP_UNTYPED:
		return cap_untyped_free(c) != m->free || cap_untyped_device(c) != m->device;
	default:
		return false;
	}
}

/* Of all places at once, for compare(): what model_children() and model_last() say. */
static bool parents[PLACES];
static int used[PLACES];
static unsigned used_count;

static void model_survey(void)
{
	memset(parents, 0, sizeof(parents));
	used_count = 0;
	for (int p = 0; p < PLACES; p++) {
		if (model[p].type == CAP_NULL)
			continue;
		used[used_count++] = p;
		if (model[p].parent != NOWHERE)
			parents[model[p].parent] = true;
	}
}

static bool survey_last(int place)
{
	if (model_kept(&model[place]))
		return false;
	for (unsigned i = 0; i < used_count; i++)
		if (used[i] != place && model_same_object(&model[used[i]], &model[place]))
			return false;
	return true;
}

/* What is derived from a frame lies in it, and allows no more. */
static void model_within(const char *what, int place, const struct model_cap *from)
{
	const struct model_cap *m = &model[place];

	if (m->ptr < from->ptr || m->ptr + BIT(m->bits) > from->ptr + BIT(from->bits) ||
	    (m->rights & ~from->rights))
		panic("%s: place %d is more than what it is derived from", what, place);
}

static void compare_slot(const char *what, int place, unsigned *live)
{
	const struct cte *s = place_slot(place);
	const struct model_cap *m = &model[place];
	bool kernel_memory;

	if (cap_type(s->cap) != m->type)
		panic("%s: place %d holds type %d, should be %d", what, place, (int)cap_type(s->cap),
		      m->type);
	if (m->type == CAP_NULL)
		return;
	++*live;
	if (cap_paddr(s->cap).v != m->ptr || cap_size_bits(s->cap) != m->bits)
		panic("%s: place %d is object 0x%lx, should be 0x%lx", what, place, cap_paddr(s->cap).v,
		      m->ptr);
	if (differs_rights(m, s->cap))
		panic("%s: place %d has other rights, badge, guard or free memory", what, place);
	if (cte_has_children(s) != parents[place])
		panic("%s: place %d: children: %d", what, place, !parents[place]);
	/* of frames it is of no account, and those to the same memory need not be neighbours */
	if (m->type != CAP_FRAME && cte_is_final(s) != (m->type == CAP_UNTYPED || survey_last(place)))
		panic("%s: place %d: last: %d", what, place, !survey_last(place));
	if (m->type == CAP_FRAME && m->parent != NOWHERE && model[m->parent].type == CAP_FRAME)
		model_within(what, place, &model[m->parent]);
	kernel_memory = m->type != CAP_UNTYPED && m->type != CAP_FRAME;
	if (kernel_memory && !fake_present(paddr(m->ptr)))
		panic("%s: an object of type %d is not in the window", what, m->type);
	if (m->type == CAP_FRAME && !m->device && fake_present_count(paddr(m->ptr), BIT(m->bits)))
		panic("%s: a frame is in the window", what);
}

unsigned check_list(void)
{
	const struct cte *c = window_kv(paddr(OWN)), *next;
	unsigned n = 0;

	for (; mdb_next(c->mdb); c = next, n++) {
		next = window_kv(paddr(mdb_next(c->mdb)));
		if (mdb_prev(next->mdb) != window_pa(c).v || cap_is_null(next->cap))
			panic("the list is broken after %u", n);
	}
	return n;
}

void compare(const char *what)
{
	static const enum cap_type counted[] = {CAP_ENDPOINT, CAP_NOTIFICATION, CAP_REPLY, CAP_SCHED_CONTEXT,
						CAP_TCB};
	unsigned live = 0;

	model_survey();
	for (int p = 0; p < PLACES; p++)
		if (place_exists(p))
			compare_slot(what, p, &live);
	if (check_list() != live + OWN_COUNT - OWN_ROOT) /* the CNodes' own */
		panic("%s: capabilities outside the slots", what);
	for (unsigned i = 0; i < ARRAY_SIZE(counted); i++)
		if (fake_events[counted[i]] != model_ended[counted[i]])
			panic("%s: %u objects of type %d ended, should be %u", what, fake_events[counted[i]],
			      counted[i], model_ended[counted[i]]);
}
