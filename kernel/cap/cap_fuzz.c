/*
 * CNode, Untyped and frame invocations beside a reference model, written from the API's rules and not from
 * the code: capabilities with explicit parents, Untypeds with a watermark, frames that are derived from and
 * split. Of every invocation the model says beforehand what it answers, error and words included; afterwards
 * every slot must be as the model says: which capability, its rights, badge, guard, whether something is
 * derived from it; what was finalised; which pages are in the window.
 *
 * Long operations are interrupted as the input says. In half of the runs an interrupted one is left undone,
 * and others come in between, also those on objects inside objects under deletion, of which the model knows
 * nothing: there the derivation list must be sound, and a revoke of all memory must end everything.
 */
// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c
// links: kernel/api/error.c kernel/cap/cap_fake.c kernel/object/frame_split.c
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "insula/ext.h"
#include "object/frame.h"
#include "object/tcb.h"
#include "panic.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ROOT_SLOTS = 64, /* of the root CNode, in use */
	NODES = 24,	 /* CNodes at a time; 0 is the root */
	STRIDE = 64,
	PARTS = 512,	    /* slots of one CNode more: room for the parts of a frame */
	PARTS_NODE = NODES, /* it */
	PARTS_PLACE = NODES * STRIDE,
	PLACES = PARTS_PLACE + PARTS,
	NOWHERE = -1,
	STEPS_MAX = 3000,
	OWN_HEAD = 0,
	OWN_ROOT = 1,
	OWN_PARTS = 2,
	OWN_COUNT = 3,
	DEPTH_MAX = 63, /* of frames below frames */
};

#define BASE	  (FAKE_PHYS + FAKE_BYTES / 2)
#define OWN	  (FAKE_PHYS + (32u << FAKE_RADIX)) /* the page behind the root CNode */
#define ROOT_CAP  1u
#define DEVICE	  17u
#define PARTS_CAP 18u
#define PARTS_PTR (FAKE_PHYS + (1u << 20))

/* ---- the dice ---- */

static const uint8_t *dice;
static size_t dice_left;
static uint64_t dice_state;

static unsigned below(unsigned n)
{
	if (dice_left) {
		dice_left--;
		dice_state ^= *dice++;
	}
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice_state ^ dice_state >> 31) >> 12) % n;
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* ---- the model ---- */

struct model_cap {
	enum cap_type type; /* CAP_NULL: an empty slot */
	uint64_t ptr;
	unsigned bits; /* of the object's size */
	bool original; /* things can be derived from it */
	bool device;
	int parent; /* place */
	uint64_t badge;
	unsigned rights; /* seL4's word, as far as the type has them */
	uint64_t guard;
	unsigned guard_size;
	uint64_t free;	/* Untyped */
	unsigned depth; /* frame: how many it was made below */
	bool split;	/* a husk: its parts are made */
};

static struct model_cap model[PLACES];
static struct {
	bool live;
	uint64_t ptr;
	unsigned radix;
} nodes[NODES + 1];
static unsigned model_ended[64]; /* objects, by type */

/* What an invocation answers. */
struct answer {
	enum sel4_error error;
	unsigned count;
	word_t words[ERROR_WORDS];
};

static struct answer answer0(enum sel4_error e)
{
	return (struct answer){e, 0, {0}};
}

static struct answer answer1(enum sel4_error e, word_t a)
{
	return (struct answer){e, 1, {a}};
}

static struct answer answer_range(word_t min, word_t max)
{
	return (struct answer){seL4_RangeError, 2, {min, max}};
}

static struct answer answer_lookup(bool source, unsigned count, word_t type, word_t a, word_t b, word_t c)
{
	return (struct answer){seL4_FailedLookup, 1 + count, {source, type, a, b, c}};
}

static int node_of(uint64_t ptr)
{
	for (int i = 0; i <= NODES; i++)
		if (nodes[i].live && nodes[i].ptr == ptr)
			return i;
	return NOWHERE;
}

static int place_node(int place)
{
	return place < PARTS_PLACE ? place / STRIDE : PARTS_NODE;
}

static unsigned place_index(int place)
{
	return (unsigned)(place < PARTS_PLACE ? place % STRIDE : place - PARTS_PLACE);
}

static int place_of(int node, uint64_t index)
{
	return node * STRIDE + (int)index; /* of the last node, too */
}

static unsigned node_slots(int node)
{
	return node == 0 ? 1u << FAKE_RADIX : 1u << nodes[node].radix;
}

static bool model_known(int node, uint64_t index)
{
	return node == PARTS_NODE ? index < PARTS : index < STRIDE && (node != 0 || index < ROOT_SLOTS);
}

/* (root, index, depth) to a place; NOWHERE with *a filled; a slot beyond the known ones is a place too:
 * PLACES. */
static int model_slot(struct model_cap root, word_t index, word_t depth, bool source, struct answer *a)
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

static bool model_children(int place)
{
	for (int i = 0; i < PLACES; i++)
		if (model[i].type != CAP_NULL && model[i].parent == place)
			return true;
	return false;
}

static bool model_below(int place, int ancestor)
{
	for (int p = model[place].parent; p != NOWHERE; p = model[p].parent)
		if (p == ancestor)
			return true;
	return false;
}

static bool model_badged(enum cap_type t)
{
	return t == CAP_ENDPOINT || t == CAP_NOTIFICATION;
}

/* Rights masked. */
static struct model_cap model_masked(struct model_cap c, word_t rights)
{
	c.rights &= (unsigned)rights;
	if (c.type == CAP_FRAME && !(c.rights & seL4_RightRead))
		c.rights = 0;
	return c;
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

static void model_delete(int place)
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

static void model_revoke(int place)
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

/*
 * Would this take a CNode or thread whose capability lies in a CNode that goes as well? What becomes of those
 * is a matter of order; they are left to the other half of the runs. `below`: also all that is derived from
 * place.
 */
static bool model_nested(int place, bool below_too)
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

/* ---- the kernel's side ---- */

static struct cte *place_slot(int place)
{
	return (struct cte *)window_kv(paddr(nodes[place_node(place)].ptr)) + place_index(place);
}

static bool place_exists(int place)
{
	int node = place_node(place);
	unsigned index = place_index(place);

	return nodes[node].live && index < node_slots(node) && model_known(node, index);
}

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

/* The derivation list is sound in both directions; returns how many are in it. */
static unsigned check_list(void)
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

static void compare(const char *what)
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

/* Objects do not overlap: of two capabilities to memory, one's contains the other's and is its ancestor, or
 * they are the same object. */
static void no_overlap(int place)
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

/* ---- invocations ---- */

static bool leave_undone; /* an interrupted invocation is not taken up again */

/* As frame_decode does; nothing is mapped here. */
static bool frame_not_mapped(cap_t cap)
{
	(void)cap;
	return false;
}

const struct frame_space frame_space_vspace = {.mapped = frame_not_mapped},
			 frame_space_ept = {.mapped = frame_not_mapped};

static exception_t run_frame(struct cte *slot, cap_t cap, word_t label, unsigned count)
{
	if (label == InsulaFrameSplit)
		return frame_split(count, slot, cap);
	return cap_frame_split(cap) ? error_illegal_operation() : frame_derive(count, slot, cap);
}

static exception_t run(struct cte *slot, struct cte *x0, struct cte *x1, word_t label, unsigned count,
		       const word_t *words)
{
	exception_t e;

	do {
		cap_t cap = slot->cap;

		fake_message(count, words);
		fake_extra(x0, x1);
		if (cap_type(cap) == CAP_UNTYPED)
			e = untyped_decode(label, count, slot, cap);
		else if (cap_type(cap) == CAP_CNODE)
			e = cnode_decode(label, count, cap);
		else if (cap_type(cap) == CAP_FRAME)
			e = run_frame(slot, cap, label, count);
		else
			return EXC_FAULT; /* nothing to be invoked, any more */
	} while (e == EXC_PREEMPTED && !leave_undone);
	return e;
}

static void expect(const char *what, exception_t e, const struct answer *a)
{
	const struct syscall_error *got = &percpu_host->error;
	word_t words[ERROR_WORDS];
	unsigned n;

	if (e == EXC_NONE) {
		if (a->error != seL4_NoError)
			panic("%s succeeded, should be error %d", what, a->error);
		return;
	}
	if (e != EXC_SYSCALL_ERROR || a->error == seL4_NoError)
		panic("%s: result %d, error %d, should be %d", what, e, got->type, a->error);
	if (got->type != a->error)
		panic("%s: error %d, should be %d", what, got->type, a->error);
	n = error_words(got, words);
	if (n != a->count)
		panic("%s: error %d with %u words, should be %u", what, got->type, n, a->count);
	for (unsigned i = 0; i < n; i++)
		if (words[i] != a->words[i])
			panic("%s: error %d: word %u is 0x%lx, should be 0x%lx", what, got->type, i, words[i],
			      a->words[i]);
}

/* ---- choosing ---- */

enum wanted { ANY, EMPTY, USED, TYPED };

/* A place that exists; as wanted, if one is found soon. */
static int any_place(enum wanted wanted, enum cap_type type)
{
	int p = ROOT_CAP;

	for (unsigned i = 0; i < 300; i++) {
		p = (int)(one_in(3)			       ? below(PARTS_PLACE)
			  : one_in(wanted == EMPTY ? 400 : 12) ? PARTS_PLACE + below(PARTS)
							       : below(ROOT_SLOTS));
		if (place_exists(p) && (wanted == ANY || (wanted == EMPTY && model[p].type == CAP_NULL) ||
					(wanted == USED && model[p].type != CAP_NULL) ||
					(wanted == TYPED && model[p].type == type)))
			return p;
	}
	return (int)ROOT_CAP;
}

/* A capability to this place's CNode, if there is one. */
static int root_of(int place)
{
	int start = (int)below(PLACES);

	for (int i = 0; i < PLACES; i++) {
		int p = (start + i) % PLACES;

		if (model[p].type == CAP_CNODE && model[p].ptr == nodes[place_node(place)].ptr)
			return p;
	}
	return (int)ROOT_CAP;
}

/* How a place is named, by its own CNode's capability or through the root CNode: rightly, for the most part.
 */
static void name(int place, int *root, word_t *index, word_t *depth)
{
	int through = root_of(place);
	const struct model_cap *r = &model[through];
	unsigned radix = r->bits - seL4_SlotBits;

	*root = through;
	*depth = radix + r->guard_size;
	*index = place_index(place) | (r->guard_size ? r->guard << radix : 0);
	if (place >= STRIDE && through < ROOT_SLOTS &&
	    *depth + FAKE_RADIX + model[ROOT_CAP].guard_size <= 64 && one_in(2)) {
		*index |= (word_t)through << *depth;
		*depth += FAKE_RADIX;
		*root = (int)ROOT_CAP;
		*index |= model[ROOT_CAP].guard_size ? model[ROOT_CAP].guard << *depth : 0;
		*depth += model[ROOT_CAP].guard_size;
	}
	if (one_in(25))
		*root = any_place(ANY, CAP_NULL);
	if (one_in(25))
		*depth = below(70);
	if (one_in(25))
		*index ^= BIT(below(64));
}

static word_t any_guard(void)
{
	word_t size = one_in(6) ? below(64) : below(4);

	return (word_t)below(16) << 6 | size;
}

/* ---- one invocation each: the model's answer, the kernel's, and what they lead to ---- */

struct kind {
	word_t type;
	enum cap_type cap;
	unsigned bits; /* 0: chosen by the caller */
	unsigned rights;
};

static const struct kind kinds[] = {
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
	const struct kind *k = &kinds[below(ARRAY_SIZE(kinds) - (one_in(2) ? 0 : 2))];
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
		name(any_place(TYPED, CAP_CNODE), root, &r->words[2], &r->words[3]);
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

static void op_retype(void)
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
	e = run(place_slot(ut), place_slot(root), NULL, UntypedRetype, 6, r.words);
	expect("Retype", e, &a);
	if (e == EXC_NONE)
		model_make(&r, ut);
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

static void op_copy(void)
{
	static const word_t labels[] = {CNodeCopy, CNodeMint, CNodeMove, CNodeMutate};
	word_t label = labels[below(4)], words[6], rights = one_in(2) ? 15 : below(16);
	int dst_root, src_root, dst, src;
	struct answer a = answer0(seL4_NoError);
	struct model_cap c = {0};
	exception_t e;

	name(any_place(one_in(15) ? USED : EMPTY, CAP_NULL), &dst_root, &words[0], &words[1]);
	name(any_place(one_in(15) ? EMPTY : USED, CAP_NULL), &src_root, &words[2], &words[3]);
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
	e = run(place_slot(dst_root), place_slot(src_root), NULL, label,
		label == CNodeMove   ? 4
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

static void op_rotate(void)
{
	int roots[3], at[3] = {NOWHERE, NOWHERE, NOWHERE}, d, p, s;
	struct answer a = answer0(seL4_NoError);
	struct model_cap new_src, new_pivot;
	word_t w[8];
	exception_t e;

	name(any_place(one_in(15) ? ANY : USED, CAP_NULL), &roots[2], &w[6], &w[7]);
	name(any_place(one_in(15) ? ANY : USED, CAP_NULL), &roots[1], &w[3], &w[4]);
	if (one_in(2)) {
		name(any_place(one_in(15) ? ANY : EMPTY, CAP_NULL), &roots[0], &w[0], &w[1]);
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
	e = run(place_slot(roots[0]), place_slot(roots[1]), place_slot(roots[2]), CNodeRotate, 8, w);
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

static void op_delete(bool revoke)
{
	word_t w[2], label = revoke ? CNodeRevoke : CNodeDelete;
	struct answer a = answer0(seL4_NoError);
	int root, place;
	exception_t e;

	name(any_place(one_in(10) ? ANY : USED, CAP_NULL), &root, &w[0], &w[1]);
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
	e = run(place_slot(root), NULL, NULL, label, 2, w);
	expect(revoke ? "Revoke" : "Delete", e, &a);
	if (e != EXC_NONE || place == PLACES)
		return;
	if (revoke)
		model_revoke(place);
	else
		model_delete(place);
}

static void op_cancel(void)
{
	struct answer a = answer0(seL4_NoError);
	int root, place;
	word_t w[2];
	exception_t e;

	name(any_place(TYPED, CAP_ENDPOINT), &root, &w[0], &w[1]);
	if (model[root].type != CAP_CNODE)
		return;
	place = model_slot(model[root], w[0], w[1], false, &a);
	if (place != NOWHERE &&
	    (place == PLACES || model[place].type != CAP_ENDPOINT || model[place].rights != 15))
		a = answer0(seL4_IllegalOperation);
	e = run(place_slot(root), NULL, NULL, CNodeCancelBadgedSends, 2, w);
	expect("CancelBadgedSends", e, &a);
}

/* ---- parts of frames (docs/extensions/derive.md, split.md) ---- */

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

/* A large one, if one is found soon. */
static int any_frame(void)
{
	int p = any_place(TYPED, CAP_FRAME);

	for (unsigned i = 0; i < 20 && model[p].bits <= seL4_PageBits; i++)
		p = any_place(TYPED, CAP_FRAME);
	return p;
}

static void op_derive(int src)
{
	int root, dst = NOWHERE;
	struct model_cap part;
	struct answer a;
	exception_t e;
	word_t w[5];

	if (model[src].type != CAP_FRAME)
		return;
	name(any_place(one_in(15) ? USED : EMPTY, CAP_NULL), &root, &w[0], &w[1]);
	w[2] = one_in(2) ? 15 : below(16);
	w[4] = one_in(20) ? below(64) : one_in(3) ? 21 : 12;
	w[3] = one_in(3) ? 0 : (word_t)below(PARTS + 8) << 12;
	if (one_in(30))
		w[3] += below(4096);
	a = model_derive(&model[src], w, root, &dst);
	if (a.error == seL4_NoError && dst == PLACES)
		return;
	e = run(place_slot(src), place_slot(root), NULL, InsulaFrameDerive, 5, w);
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
		expect("Delete", run(place_slot(PARTS_CAP), NULL, NULL, CNodeDelete, 2, w), &fine);
		model_delete(PARTS_PLACE + i);
	}
}

/* A large frame in an empty slot of the root. */
static void op_large(void)
{
	struct retype r = {.kind = &kinds[ARRAY_SIZE(kinds) - 1]};
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
	e = run(place_slot(FAKE_UT), place_slot(ROOT_CAP), NULL, UntypedRetype, 6, r.words);
	expect("Retype", e, &a);
	if (e == EXC_NONE)
		model_make(&r, FAKE_UT);
}

static void op_split(int place)
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
		name(root, &root, &w[0], &w[1]);
	if (f->bits == 12)
		a = answer0(seL4_IllegalOperation);
	else
		a = model_split_node(w, root, &node);
	for (int i = 0; a.error == seL4_NoError && fresh && i < PARTS; i++)
		if (model[PARTS_PLACE + i].type != CAP_NULL)
			a = answer0(seL4_DeleteFirst);
	n = model_heirs(place);
	e = run(place_slot(place), place_slot(root), NULL, InsulaFrameSplit, 3, w);
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

static void op_short(void)
{
	int root = any_place(TYPED, CAP_CNODE), ut = any_place(TYPED, CAP_UNTYPED);
	struct answer truncated = answer0(seL4_TruncatedMessage), illegal = answer0(seL4_IllegalOperation);
	const word_t w[6] = {0, 8};

	if (model[root].type == CAP_CNODE) {
		expect("short", run(place_slot(root), NULL, NULL, CNodeRevoke + below(8), below(2), w),
		       &truncated);
		expect("label",
		       run(place_slot(root), NULL, NULL,
			   one_in(2) ? TCBSuspend : IRQIssueIRQHandler + below(60), 6, w),
		       &illegal);
	}
	if (model[ut].type == CAP_UNTYPED) {
		expect("short", run(place_slot(ut), place_slot(ut), NULL, UntypedRetype, below(6), w),
		       &truncated);
		expect("short", run(place_slot(ut), NULL, NULL, UntypedRetype, 6, w), &truncated);
		expect("label", run(place_slot(ut), NULL, NULL, 2 + below(80), 6, w), &illegal);
	}
}

static void step(void)
{
	unsigned what = below(46);

	if (what >= 44)
		op_split(any_frame());
	else if (what >= 41)
		op_derive(one_in(3) ? any_place(TYPED, CAP_FRAME) : any_frame());
	else if (what >= 40)
		op_large();
	else if (what < 12)
		op_retype();
	else if (what < 28)
		op_copy();
	else if (what < 33)
		op_rotate();
	else if (what < 37)
		op_delete(false);
	else if (what < 38)
		op_delete(true);
	else if (what < 39)
		op_cancel();
	else
		op_short();
	compare("state");
}

/* ---- anything goes ---- */

/* Slots that can be reached: of the root, and of CNodes in it. */
static word_t chaos_index(word_t *depth)
{
	unsigned slot = below(ROOT_SLOTS);
	cap_t c = fake_root(slot)->cap;

	*depth = 8;
	if (slot == ROOT_CAP || slot == FAKE_UT || slot == DEVICE)
		return 2;
	if (slot != PARTS_CAP && (one_in(2) || cap_type(c) != CAP_CNODE))
		return slot;
	*depth += cap_cnode_radix(c) + cap_cnode_guard_size(c);
	return ((word_t)slot << cap_cnode_guard_size(c) | cap_cnode_guard(c)) << cap_cnode_radix(c) |
	       below(1u << cap_cnode_radix(c));
}

/* A frame, of the root, is derived from or split. */
static void chaos_frame(word_t index, word_t depth)
{
	const word_t derive[] = {index, depth, 15, one_in(2) ? 0 : (word_t)below(PARTS) << 12,
				 one_in(2) ? 12 : 21};
	const word_t split[] = {0, 0, 0};
	unsigned slot = below(ROOT_SLOTS);

	for (unsigned i = 0; i < ROOT_SLOTS && cap_type(fake_root(slot)->cap) != CAP_FRAME; i++)
		slot = (slot + 1) % ROOT_SLOTS;
	if (cap_type(fake_root(slot)->cap) != CAP_FRAME)
		return;
	if (one_in(3))
		run(fake_root(slot), fake_root(PARTS_CAP), NULL, InsulaFrameSplit, 3, split);
	else
		run(fake_root(slot), fake_root(ROOT_CAP), NULL, InsulaFrameDerive, 5, derive);
}

static void chaos_step(void)
{
	word_t d[3], i[3], w[8];
	struct cte *root = fake_root(ROOT_CAP), *ut = fake_root(below(ROOT_SLOTS));
	unsigned what = below(21);

	for (unsigned n = 0; n < 3; n++)
		i[n] = chaos_index(&d[n]);
	if (what < 6) {
		const struct kind *k = &kinds[below(ARRAY_SIZE(kinds))];
		const word_t r[] = {one_in(2) ? seL4_CapTableObject : k->type,
				    k->type == seL4_UntypedObject ? 12 + below(10) : 1 + below(9),
				    0,
				    0,
				    2 + below(10),
				    1 + below(2)};

		if (cap_type(ut->cap) != CAP_UNTYPED || cap_untyped_device(ut->cap))
			ut = fake_root(FAKE_UT);
		run(ut, root, NULL, UntypedRetype, 6, r);
		return;
	}
	if (what < 8) {
		chaos_frame(i[0], d[0]);
		return;
	}
	w[0] = i[0], w[1] = d[0], w[2] = i[1], w[3] = d[1], w[4] = 15, w[5] = below(3);
	if (what < 10)
		run(root, root, NULL, CNodeCopy, 5, w);
	else if (what < 11)
		run(root, root, NULL, CNodeMint, 6, w);
	else if (what < 15)
		run(root, root, NULL, CNodeMove, 4, w);
	else if (what < 19)
		run(root, NULL, NULL, CNodeDelete, 2, w);
	else if (what < 20) {
		const word_t r[] = {i[0], d[0], 0, i[1], d[1], 0, i[2], d[2]};

		run(root, root, root, CNodeRotate, 8, r);
	} else
		run(root, NULL, NULL, CNodeRevoke, 2, w);
}

static void chaos_end(void)
{
	const word_t w[] = {FAKE_UT, 8}, again[] = {seL4_X86_LargePageObject, 0, 0, 0, 20, 8};

	leave_undone = false;
	if (run(fake_root(ROOT_CAP), NULL, NULL, CNodeRevoke, 2, w) != EXC_NONE)
		panic("the last revoke failed");
	for (unsigned i = 0; i < 1u << FAKE_RADIX; i++)
		if (i != FAKE_UT && i != ROOT_CAP && i != DEVICE && i != PARTS_CAP &&
		    !cap_is_null(fake_root(i)->cap))
			panic("slot %u is not empty at the end", i);
	if (run(fake_root(FAKE_UT), fake_root(ROOT_CAP), NULL, UntypedRetype, 6, again) != EXC_NONE)
		panic("the memory is not free at the end");
	if (fake_present_count(paddr(BASE), BIT(FAKE_UT_BITS)))
		panic("something is left in the window");
}

/* ---- */

static void start(void)
{
	struct cte *own;
	const cap_t device = cap_untyped_new(paddr(0x80000000u), 22, true);

	fake_reset();
	own = window_kv(paddr(OWN));
	window_map(paddr(OWN), PAGE_SIZE);
	window_clear(paddr(OWN), PAGE_SIZE);
	cte_begin(own, OWN_COUNT);
	memset(fake_root(FAKE_UT), 0, sizeof(struct cte)); /* into the list, as at boot */
	cte_insert_root(fake_root(FAKE_UT), cap_untyped_new(paddr(BASE), FAKE_UT_BITS, false));
	cte_insert_root(fake_root(DEVICE), device);
	cte_insert_root(&own[OWN_ROOT], fake_root_cap());
	cte_insert(fake_root_cap(), &own[OWN_ROOT], fake_root(ROOT_CAP));
	window_map(paddr(PARTS_PTR), 32u * PARTS);
	window_clear(paddr(PARTS_PTR), 32u * PARTS);
	cte_insert_root(&own[OWN_PARTS], cap_cnode_new(paddr(PARTS_PTR), 9));
	cte_insert(own[OWN_PARTS].cap, &own[OWN_PARTS], fake_root(PARTS_CAP));

	memset(model, 0, sizeof(model));
	memset(nodes, 0, sizeof(nodes));
	memset(model_ended, 0, sizeof(model_ended));
	nodes[0].live = true;
	nodes[0].ptr = FAKE_PHYS;
	nodes[0].radix = FAKE_RADIX;
	nodes[PARTS_NODE].live = true;
	nodes[PARTS_NODE].ptr = PARTS_PTR;
	nodes[PARTS_NODE].radix = 9;
	model[PARTS_CAP] = (struct model_cap){
	    .type = CAP_CNODE, .ptr = PARTS_PTR, .bits = 9 + seL4_SlotBits, .parent = NOWHERE};
	model[FAKE_UT] = (struct model_cap){
	    .type = CAP_UNTYPED, .ptr = BASE, .bits = FAKE_UT_BITS, .original = true, .parent = NOWHERE};
	model[DEVICE] = (struct model_cap){.type = CAP_UNTYPED,
					   .ptr = 0x80000000u,
					   .bits = 22,
					   .original = true,
					   .parent = NOWHERE,
					   .device = true};
	model[ROOT_CAP] = (struct model_cap){
	    .type = CAP_CNODE, .ptr = FAKE_PHYS, .bits = FAKE_RADIX + seL4_SlotBits, .parent = NOWHERE};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool chaos;

	dice = data;
	dice_left = size;
	dice_state = size;
	start();
	chaos = below(2);
	leave_undone = chaos && below(2);
	fake_poll_every = below(5);
	for (unsigned i = 0; i < STEPS_MAX && (dice_left || i < 250); i++) {
		if (chaos)
			chaos_step();
		else
			step();
		check_list();
	}
	if (chaos)
		chaos_end();
	return 0;
}
