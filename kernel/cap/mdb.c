/*
 * The derivation tree: a doubly linked list of slots in depth-first order, and the rules that tell a child
 * from a sibling. Called by everything that makes, moves or deletes capabilities. Pure but for the slots
 * themselves: it never looks into objects, and never fails.
 *
 * Frames. What is derived from a frame may itself be derived from, to any depth up to 63, and what is left
 * when a capability in between goes falls to that one's parent. So a frame's place has two numbers: `depth`,
 * 0 for a frame made by retype; and `attach`: what is derived from a capability are those that follow it as
 * long as their attach is greater than its depth. attach is the depth, until an ancestor in between goes: then
 * what follows is attached where that ancestor was. For neighbours a, b: attach(b) <= depth(a) + 1.
 */
#include "cap/cte.h"
#include "api/error.h"
#include "arch/x86/mm/window.h"

static struct cte *mdb_slot(uint64_t p)
{
	return p ? window_kv(paddr(p)) : NULL;
}

static struct cte *mdb_prev_of(const struct cte *c)
{
	return mdb_slot(mdb_prev(c->mdb));
}

static struct cte *mdb_next_of(const struct cte *c)
{
	return mdb_slot(mdb_next(c->mdb));
}

static void mdb_set_prev(struct cte *c, const struct cte *prev)
{
	c->mdb = mdb_with_prev(c->mdb, prev ? window_pa(prev).v : 0);
}

static void mdb_set_next(struct cte *c, const struct cte *next)
{
	c->mdb = mdb_with_next(c->mdb, next ? window_pa(next).v : 0);
}

static const mdb_t mdb_none = {{0, 0}};

#define MDB_DEPTH_MAX 63u

/* [start, start + 2^bits) of b lies inside that of a. */
static bool mdb_region_contains(cap_t a, cap_t b)
{
	uint64_t a0 = cap_paddr(a).v, a1 = a0 + MASK(cap_size_bits(a));
	uint64_t b0 = cap_paddr(b).v, b1 = b0 + MASK(cap_size_bits(b));

	return a0 <= b0 && b1 <= a1;
}

/* Capabilities of the same type without memory of their own, or with the same memory. */
static bool mdb_same_kind(cap_t a, cap_t b)
{
	switch (cap_type_of(a)) {
	case CAP_CNODE:
		return cap_cnode_ptr(a) == cap_cnode_ptr(b) && cap_cnode_radix(a) == cap_cnode_radix(b);
	case CAP_SCHED_CONTEXT:
		return cap_sched_context_ptr(a) == cap_sched_context_ptr(b) &&
		       cap_sched_context_bits(a) == cap_sched_context_bits(b);
	case CAP_FRAME:
		return mdb_region_contains(a, b);
	case CAP_IRQ_HANDLER:
		return cap_irq_handler_irq(a) == cap_irq_handler_irq(b);
	case CAP_SCHED_CONTROL:
		return cap_sched_control_core(a) == cap_sched_control_core(b);
	case CAP_IOPORT:
		return cap_ioport_first(a) == cap_ioport_first(b) && cap_ioport_last(a) == cap_ioport_last(b);
	case CAP_IOSPACE:
		/* device 0 is the master, from which all others are minted */
		return cap_iospace_bdf(a) == 0 || cap_iospace_bdf(a) == cap_iospace_bdf(b);
	case CAP_IRQ_CONTROL:
	case CAP_IOPORT_CONTROL:
	case CAP_ASID_CONTROL:
	case CAP_DOMAIN:
		return true;
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION:
	case CAP_REPLY:
	case CAP_TCB:
	case CAP_ASID_POOL:
	case CAP_VCPU:
	case CAP_TIMER:
	case CAP_PT:
	case CAP_PD:
	case CAP_PDPT:
	case CAP_PML4:
	case CAP_IOPT:
	case CAP_EPT_PT:
	case CAP_EPT_PD:
	case CAP_EPT_PDPT:
	case CAP_EPT_PML4:
		return cap_paddr(a).v == cap_paddr(b).v;
	case CAP_NULL:
	case CAP_ZOMBIE:
	case CAP_UNTYPED:
		return false;
	}
	return false;
}

bool cap_same_region(cap_t a, cap_t b)
{
	switch (cap_type_of(a)) {
	case CAP_UNTYPED:
		return cap_is_physical(b) && mdb_region_contains(a, b);
	case CAP_IRQ_CONTROL:
		return cap_type(b) == CAP_IRQ_CONTROL || cap_type(b) == CAP_IRQ_HANDLER;
	case CAP_IOPORT_CONTROL:
		return cap_type(b) == CAP_IOPORT_CONTROL || cap_type(b) == CAP_IOPORT;
	case CAP_ASID_CONTROL:
		return cap_type(b) == CAP_ASID_CONTROL || cap_type(b) == CAP_ASID_POOL;
	default:
		break;
	}
	return cap_type(a) == cap_type(b) && mdb_same_kind(a, b);
}

bool cap_same_object(cap_t a, cap_t b)
{
	if (cap_type(a) != cap_type(b))
		return false;
	if (cap_type(a) == CAP_FRAME)
		return cap_frame_ptr(a) == cap_frame_ptr(b) && cap_frame_size(a) == cap_frame_size(b);
	if (cap_type(a) == CAP_IOSPACE)
		return cap_iospace_bdf(a) == cap_iospace_bdf(b);
	return mdb_same_kind(a, b); /* of two Untypeds: never, there is nothing to finalise */
}

bool cte_is_parent(const struct cte *parent, const struct cte *child)
{
	cap_t p = parent->cap, c = child->cap;
	word_t badge;

	if (cap_type(p) == CAP_FRAME)
		return mdb_attach(child->mdb) > mdb_depth(parent->mdb);
	if (!mdb_revocable(parent->mdb) || !cap_same_region(p, c))
		return false;
	if (cap_type(p) == CAP_ENDPOINT) {
		badge = cap_endpoint_badge(p);
		return badge == 0 || (badge == cap_endpoint_badge(c) && !mdb_first_badged(child->mdb));
	}
	if (cap_type(p) == CAP_NOTIFICATION) {
		badge = cap_notification_badge(p);
		return badge == 0 || (badge == cap_notification_badge(c) && !mdb_first_badged(child->mdb));
	}
	return true;
}

/* Is `cap` the head of a new level below src, so that it can itself be revoked? */
static bool mdb_new_level(cap_t cap, cap_t src)
{
	switch (cap_type_of(cap)) {
	case CAP_UNTYPED:
		return true;
	case CAP_ENDPOINT:
		return cap_type(src) != CAP_ENDPOINT || cap_endpoint_badge(cap) != cap_endpoint_badge(src);
	case CAP_NOTIFICATION:
		return cap_type(src) != CAP_NOTIFICATION ||
		       cap_notification_badge(cap) != cap_notification_badge(src);
	case CAP_IRQ_HANDLER:
		return cap_type(src) == CAP_IRQ_CONTROL;
	case CAP_IOPORT:
		return cap_type(src) == CAP_IOPORT_CONTROL;
	default:
		return false;
	}
}

static mdb_t mdb_with_place(mdb_t m, uint64_t depth, uint64_t attach)
{
	return mdb_with_attach(mdb_with_depth(m, depth), attach);
}

static void mdb_link_behind(struct cte *place, struct cte *c)
{
	struct cte *next = mdb_next_of(place);

	mdb_set_prev(c, place);
	mdb_set_next(c, next);
	mdb_set_next(place, c);
	if (next)
		mdb_set_prev(next, c);
}

static void mdb_link_before(struct cte *place, struct cte *c)
{
	struct cte *prev = mdb_prev_of(place);

	mdb_set_prev(c, prev);
	mdb_set_next(c, place);
	mdb_set_prev(place, c);
	if (prev)
		mdb_set_next(prev, c);
}

/* A head's copies are its children; a copy's copies are its siblings, before it so as not to come between it
 * and its children. */
static void mdb_insert_frame(cap_t cap, struct cte *src, struct cte *dst)
{
	uint64_t depth = mdb_depth(src->mdb);

	dst->cap = cap;
	if (mdb_revocable(src->mdb)) {
		dst->mdb = mdb_with_place(mdb_none, depth + 1, depth + 1);
		mdb_link_behind(src, dst);
	} else {
		dst->mdb = mdb_with_place(mdb_none, depth, mdb_attach(src->mdb));
		mdb_link_before(src, dst);
	}
}

bool cte_can_derive(const struct cte *src)
{
	return mdb_depth(src->mdb) + 2 <= MDB_DEPTH_MAX; /* copies of what is derived lie one deeper */
}

void cte_insert_derived(cap_t cap, struct cte *src, struct cte *dst)
{
	uint64_t depth = mdb_depth(src->mdb) + 1;

	dst->cap = cap;
	dst->mdb = mdb_with_place(mdb_with_first_badged(mdb_with_revocable(mdb_none, 1), 1), depth, depth);
	mdb_link_behind(src, dst);
}

void cte_insert_part(cap_t cap, struct cte *place, struct cte *dst)
{
	dst->cap = cap;
	dst->mdb = place->mdb;
	mdb_link_before(place, dst);
}

bool cte_is_part(const struct cte *slot, const struct cte *place)
{
	return cap_type(slot->cap) == CAP_FRAME && mdb_depth(slot->mdb) == mdb_depth(place->mdb) &&
	       mdb_revocable(slot->mdb) == mdb_revocable(place->mdb);
}

static void mdb_lower_attach(struct cte *c, uint64_t attach)
{
	if (mdb_attach(c->mdb) > attach)
		c->mdb = mdb_with_attach(c->mdb, attach);
}

unsigned cte_hand_on(struct cte *from, struct cte *to)
{
	struct cte *first = mdb_next_of(from), *last = first, *next;
	uint64_t depth = mdb_depth(first->mdb);
	unsigned n;

	for (n = 1; (next = mdb_next_of(last)) && mdb_attach(next->mdb) > depth; n++) {
		if (n == CTE_HAND_ON_MAX)
			return 0;
		last = next;
	}
	mdb_set_next(from, next);
	if (next) {
		mdb_set_prev(next, from);
		mdb_lower_attach(next, mdb_attach(first->mdb));
	}
	next = mdb_next_of(to);
	mdb_set_next(to, first);
	mdb_set_prev(first, to);
	mdb_set_next(last, next);
	if (next)
		mdb_set_prev(next, last);
	return n;
}

void cte_insert(cap_t cap, struct cte *src, struct cte *dst)
{
	bool level = mdb_new_level(cap, src->cap);

	if (cap_type(src->cap) == CAP_FRAME) {
		mdb_insert_frame(cap, src, dst);
		return;
	}
	dst->cap = cap;
	dst->mdb = mdb_with_first_badged(mdb_with_revocable(mdb_none, level), level);
	mdb_link_behind(src, dst);
	/* Of an Untyped and its copy only the copy may hand out memory. */
	if (cap_type(cap) == CAP_UNTYPED && cap_type(src->cap) == CAP_UNTYPED &&
	    cap_untyped_ptr(cap) == cap_untyped_ptr(src->cap) &&
	    cap_untyped_bits(cap) == cap_untyped_bits(src->cap)) {
		src->cap = cap_untyped_with_free(src->cap, BIT(cap_untyped_bits(src->cap)));
		src->cap = cap_untyped_with_stale(cap_untyped_with_cleared(src->cap, 0), 0);
	}
}

void cte_insert_new(struct cte *parent, struct cte *dst, cap_t cap)
{
	dst->cap = cap;
	dst->mdb = mdb_with_first_badged(mdb_with_revocable(mdb_none, 1), 1);
	mdb_link_behind(parent, dst);
}

void cte_insert_new_row(struct cte *parent, struct cte *dst, unsigned count)
{
	const mdb_t head = mdb_with_first_badged(mdb_with_revocable(mdb_none, 1), 1);
	struct cte *next = mdb_next_of(parent);

	/* each goes right behind the parent, before the one made earlier */
	if (next)
		mdb_set_prev(next, dst);
	for (unsigned i = 0; i < count; i++) {
		dst[i].mdb = mdb_with_prev(head, window_pa(i + 1 < count ? dst + i + 1 : parent).v);
		mdb_set_next(dst + i, next);
		next = dst + i;
	}
	mdb_set_next(parent, next);
}

struct cte_own cte_own;

void cte_begin(struct cte *slots, unsigned count)
{
	cte_own = (struct cte_own){slots, count};
}

void cte_insert_root(struct cte *dst, cap_t cap)
{
	dst->cap = cap;
	dst->mdb = mdb_with_first_badged(mdb_with_revocable(mdb_none, 1), 1);
	if (cte_own.slots)
		mdb_link_behind(cte_own.slots, dst);
}

void cte_move(cap_t cap, struct cte *src, struct cte *dst)
{
	struct cte *prev = mdb_prev_of(src), *next = mdb_next_of(src);

	dst->cap = cap;
	dst->mdb = src->mdb;
	src->cap = cap_null();
	src->mdb = mdb_none;
	if (prev)
		mdb_set_next(prev, dst);
	if (next)
		mdb_set_prev(next, dst);
}

/* The neighbours that c's links name are made to point back to c. */
static void mdb_relink(struct cte *c)
{
	struct cte *prev = mdb_prev_of(c), *next = mdb_next_of(c);

	if (prev)
		mdb_set_next(prev, c);
	if (next)
		mdb_set_prev(next, c);
}

/* A link of one of the two exchanged slots: what named a names b now, and the other way. */
static uint64_t mdb_exchanged(uint64_t link, const struct cte *a, const struct cte *b)
{
	if (link == window_pa(a).v)
		return window_pa(b).v;
	if (link == window_pa(b).v)
		return window_pa(a).v;
	return link;
}

void cte_swap(cap_t cap1, struct cte *slot1, cap_t cap2, struct cte *slot2)
{
	mdb_t m1 = slot1->mdb, m2 = slot2->mdb;

	/* Neighbours of each other: their links to each other turn round. */
	m1 = mdb_with_prev(m1, mdb_exchanged(mdb_prev(m1), slot1, slot2));
	m1 = mdb_with_next(m1, mdb_exchanged(mdb_next(m1), slot1, slot2));
	m2 = mdb_with_prev(m2, mdb_exchanged(mdb_prev(m2), slot1, slot2));
	m2 = mdb_with_next(m2, mdb_exchanged(mdb_next(m2), slot1, slot2));
	slot1->cap = cap2;
	slot2->cap = cap1;
	slot1->mdb = m2;
	slot2->mdb = m1;
	mdb_relink(slot1);
	mdb_relink(slot2);
}

void cte_unlink(struct cte *slot)
{
	struct cte *prev = mdb_prev_of(slot), *next = mdb_next_of(slot);

	if (prev)
		mdb_set_next(prev, next);
	if (next) {
		mdb_set_prev(next, prev);
		/* The next of the same badge becomes the head of its level. */
		if (mdb_first_badged(slot->mdb))
			next->mdb = mdb_with_first_badged(next->mdb, 1);
		mdb_lower_attach(next, mdb_attach(slot->mdb));
	}
	slot->cap = cap_null();
	slot->mdb = mdb_none;
}

struct cte *cte_first_child(const struct cte *slot)
{
	struct cte *next = mdb_next_of(slot);

	return next && cte_is_parent(slot, next) ? next : NULL;
}

bool cte_has_children(const struct cte *slot)
{
	return cte_first_child(slot) != NULL;
}

bool cte_is_final(const struct cte *slot)
{
	const struct cte *prev = mdb_prev_of(slot), *next = mdb_next_of(slot);

	/* Capabilities to one object are always neighbours. */
	return !(prev && cap_same_object(prev->cap, slot->cap)) &&
	       !(next && cap_same_object(slot->cap, next->cap));
}

exception_t cte_ensure_no_children(const struct cte *slot)
{
	return cte_has_children(slot) ? error_revoke_first() : EXC_NONE;
}

exception_t cte_ensure_empty(const struct cte *slot)
{
	return cap_is_null(slot->cap) ? EXC_NONE : error_delete_first();
}
