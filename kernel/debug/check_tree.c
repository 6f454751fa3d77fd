/*
 * The derivation list: links, order, regions. All capabilities are in one list behind cte_own.slots[0], in
 * depth-first order: what follows from it here is that no memory has two owners. What an Untyped hands out
 * lies at rising addresses and is put right behind it, so that in the list siblings come at falling
 * addresses; copies are neighbours.
 */
#include "arch/x86/mm/window.h"
#include "cap/cnode.h"
#include "debug/check_private.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "object/irq.h"
#include "object/timer.h"
#include "arch/x86/arch.h"
#include "arch/x86/virt/vcpu_struct.h"

#define TREE_DEPTH 64u	 /* different sizes of memory inside each other: at most 47 - 4 */
#define TREE_TOPS  4096u /* pieces of memory under no Untyped, neighbours joined */

/* Memory that contains what follows in the list. */
struct check_level {
	cap_t cap;
	uint64_t start, end;
	uint64_t low; /* of what was found in it so far */
	uint64_t
	    frames; /* the lowest of the frames found last, one behind the other; 0: it was something else */
};

struct check_top {
	uint64_t start, end;
};

static struct check_level check_levels[TREE_DEPTH];
static unsigned check_depth;
static struct check_top check_tops[TREE_TOPS];
static unsigned check_top_count;
static uint64_t check_irqs[(IRQ_VECTOR_COUNT + 63) / 64];

static const struct cte *check_tree_slot(uint64_t p)
{
	return p ? window_kv(paddr(p)) : NULL;
}

#define CHECK_SLOTS (CHECK_WORDS * sizeof(uint64_t) / sizeof(struct cte)) /* looked at together */

/* Slots of an object that has some: all in the list. */
static void check_slots(const struct cte *slots, uint64_t count)
{
	for (uint64_t i = 0; i < count && check_ok(); i++) {
		const struct cte *s = &slots[i], *prev;

		if (count - i >= CHECK_SLOTS && check_words_zero(s)) {
			i += CHECK_SLOTS - 1;
			continue;
		}
		if (cap_is_null(s->cap)) {
			CHECK(s->mdb.w[0] == 0 && s->mdb.w[1] == 0 && s->cap.w[0] == 0 && s->cap.w[1] == 0,
			      "an empty slot is not empty", check_at(s), s->mdb.w[0], s->mdb.w[1]);
			continue;
		}
		prev = check_tree_slot(mdb_prev(s->mdb));
		check_count.slots++;
		CHECK(prev && mdb_next(prev->mdb) == window_pa(s).v, "a slot is not in the list that it says",
		      check_at(s), s->cap.w[1], check_at(prev));
	}
}

static void check_empty_slots(const struct cte *slots, uint64_t count)
{
	for (uint64_t i = 0; i < count && check_ok(); i++)
		CHECK(cap_is_null(slots[i].cap), "a zombie has a slot in use beyond its number",
		      check_at(&slots[i]), slots[i].cap.w[0], slots[i].cap.w[1]);
}

/* ---- memory ---- */

/* Memory that no Untyped in the list contains: remembered, to be compared with all other such. */
static void check_tree_top(uint64_t start, uint64_t end)
{
	struct check_top *last = check_top_count ? &check_tops[check_top_count - 1] : NULL;

	if (last && end == last->start) {
		last->start = start;
		return;
	}
	if (last && start == last->end) {
		last->end = end;
		return;
	}
	if (check_top_count < TREE_TOPS) /* beyond that the comparison is not complete */
		check_tops[check_top_count++] = (struct check_top){start, end};
}

static void check_tree_sift(unsigned root, unsigned count)
{
	struct check_top v = check_tops[root];

	for (unsigned child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && check_tops[child + 1].start > check_tops[child].start)
			child++;
		if (check_tops[child].start <= v.start)
			break;
		check_tops[root] = check_tops[child];
	}
	check_tops[root] = v;
}

static void check_tree_tops(void)
{
	for (unsigned i = check_top_count / 2; i-- > 0;)
		check_tree_sift(i, check_top_count);
	for (unsigned n = check_top_count; n > 1; n--) {
		struct check_top v = check_tops[n - 1];

		check_tops[n - 1] = check_tops[0];
		check_tops[0] = v;
		check_tree_sift(0, n - 1);
	}
	for (unsigned i = 1; i < check_top_count; i++)
		CHECK(check_tops[i - 1].end <= check_tops[i].start, "memory under two roots",
		      check_tops[i].start, check_tops[i - 1].start, check_tops[i - 1].end);
}

static bool check_tree_frame_in(cap_t outer, cap_t cap)
{
	return cap_type(outer) == CAP_FRAME && cap_type(cap) == CAP_FRAME;
}

/* The innermost memory in the list before that contains [start, end); levels that do not are left. */
static struct check_level *check_tree_around(cap_t cap, uint64_t start, uint64_t end)
{
	for (; check_depth; check_depth--) {
		struct check_level *l = &check_levels[check_depth - 1];
		bool holds = cap_type(l->cap) == CAP_UNTYPED || check_tree_frame_in(l->cap, cap);

		if (holds && l->start <= start && end <= l->end)
			return l;
		CHECK(end <= l->start || start >= l->end || check_tree_frame_in(l->cap, cap),
		      "memory half inside other memory", start, l->start, l->end);
	}
	return NULL;
}

static void check_tree_untyped(cap_t u)
{
	uint64_t size = BIT(cap_untyped_bits(u));

	CHECK(cap_untyped_free(u) <= size, "an Untyped's free offset lies beyond it", cap_untyped_ptr(u),
	      cap_untyped_free(u), size);
	CHECK(ALIGNED(cap_untyped_ptr(u), cap_untyped_bits(u)), "an Untyped is not aligned",
	      cap_untyped_ptr(u), cap_untyped_bits(u), 0);
	CHECK(!cap_untyped_stale(u) || cap_untyped_cleared(u), "stale pages where nothing was cleared",
	      cap_untyped_ptr(u), u.w[0], u.w[1]);
}

/*
 * What is derived from one large frame lies in it in any order. So frames that follow each other are taken
 * together: none of them reaches into what was found before, nor anything found later into one of them.
 */
static void check_tree_inside(struct check_level *l, cap_t cap, uint64_t start, uint64_t end)
{
	bool frame = cap_type(cap) == CAP_FRAME, untyped = cap_type(cap) == CAP_UNTYPED;
	bool device = untyped ? cap_untyped_device(cap) : frame && cap_frame_device(cap);

	if (!frame && l->frames) {
		l->low = l->frames;
		l->frames = 0;
	}
	CHECK(end <= l->start + cap_untyped_free(l->cap), "memory in use that its Untyped calls free", start,
	      l->start, cap_untyped_free(l->cap));
	CHECK(end <= l->low, "memory in use twice", start, end, l->low);
	CHECK(device == cap_untyped_device(l->cap), "device memory under RAM, or RAM under a device", start,
	      cap.w[0], cap.w[1]);
	if (!frame)
		l->low = start;
	else if (!l->frames || start < l->frames)
		l->frames = start;
}

/* The first capability of an object in the list: where it lies. */
static void check_tree_place(cap_t cap)
{
	uint64_t start = cap_paddr(cap).v, end = start + BIT(cap_size_bits(cap));
	struct check_level *l = check_tree_around(cap, start, end);

	if (!l)
		check_tree_top(start, end);
	else if (cap_type(l->cap) == CAP_UNTYPED)
		check_tree_inside(l, cap, start, end);
	if (cap_type(cap) == CAP_UNTYPED || cap_type(cap) == CAP_FRAME) {
		if (cap_type(cap) == CAP_UNTYPED && l && l->start == start && l->end == end)
			check_depth--; /* its copy: the same memory, handed out by this one */
		CHECK(check_depth < TREE_DEPTH, "memory is nested too deeply", start, check_depth, 0);
		if (check_depth < TREE_DEPTH)
			check_levels[check_depth++] = (struct check_level){cap, start, end, end, 0};
	}
}

/* ---- objects ---- */

static void check_tree_zombie(cap_t cap)
{
	const struct cte *slots = window_kv(paddr(cap_zombie_ptr(cap)));
	uint64_t n = cap_zombie_number(cap),
		 size = cap_zombie_is_tcb(cap) ? TCB_SLOT_COUNT : BIT(cap_zombie_bits(cap));

	CHECK(n <= size, "a zombie has more slots than its object", cap_zombie_ptr(cap), n, size);
	if (!check_ok())
		return;
	check_slots(slots, n);
	check_empty_slots(slots + n, size - n);
	if (cap_zombie_is_tcb(cap))
		check_thread(window_kv(paddr(cap_zombie_ptr(cap))), true);
}

/* IRQ handlers and I/O ports have no memory: a vector's capabilities have to be neighbours all the same. */
static void check_tree_irq(cap_t cap)
{
	unsigned irq = (unsigned)cap_irq_handler_irq(cap);

	CHECK(irq < IRQ_VECTOR_COUNT, "an interrupt that does not exist", irq, cap.w[0], cap.w[1]);
	if (!check_ok())
		return;
	CHECK(!(check_irqs[irq / 64] & BIT(irq % 64)), "an interrupt's capabilities are not neighbours", irq,
	      0, 0);
	check_irqs[irq / 64] |= BIT(irq % 64);
}

static void check_tree_vcpu(cap_t cap)
{
	const struct vcpu *v = window_kv(paddr(cap_vcpu_ptr(cap)));

	check_slots(&v->state_slot, 1);
	CHECK(!v->tcb || v->tcb->vcpu == v, "a vCPU's thread is not bound to it", check_at(v),
	      check_at(v->tcb), 0);
	CHECK((v->state != NULL) == !cap_is_null(v->state_slot.cap),
	      "a vCPU's state page without its frame, or the reverse", check_at(v), check_at(v->state),
	      v->state_slot.cap.w[1]);
	if (v->state)
		check_window_held(v->state);
}

static void check_tree_object(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		check_endpoint(cap);
		break;
	case CAP_NOTIFICATION:
		check_notification(cap);
		break;
	case CAP_REPLY:
		check_reply(cap);
		break;
	case CAP_CNODE:
		check_slots(cap_cnode_slots(cap), BIT(cap_cnode_radix(cap)));
		break;
	case CAP_TCB:
		check_slots(cap_tcb_of(cap)->slot, TCB_SLOT_COUNT);
		check_thread(cap_tcb_of(cap), false);
		break;
	case CAP_ZOMBIE:
		check_tree_zombie(cap);
		break;
	case CAP_SCHED_CONTEXT:
		check_sched_context(cap);
		break;
	case CAP_TIMER:
		check_slots(&cap_timer_of(cap)->notification, 1);
		check_timer(cap);
		break;
	case CAP_VCPU:
		check_tree_vcpu(cap);
		break;
	case CAP_IRQ_HANDLER:
		check_tree_irq(cap);
		break;
	default:
		break;
	}
	if (cap_is_physical(cap) && cap_type(cap) != CAP_UNTYPED && cap_type(cap) != CAP_FRAME)
		check_window_kernel(cap_paddr(cap), BIT(cap_size_bits(cap)));
}

/* ---- rights: nothing allows more than what it was derived from ---- */

/*
 * Whose children may follow in the list: of frames at most one for each depth, the nearest; of anything else
 * the object's first capability, and the first of those with one badge.
 */
static struct {
	const struct cte *slot[TREE_DEPTH];
	unsigned count;
} check_parents;

static word_t check_tree_rights(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		return cap_endpoint_can_send(cap) | cap_endpoint_can_receive(cap) << 1 |
		       cap_endpoint_can_grant(cap) << 2 | cap_endpoint_can_grant_reply(cap) << 3;
	case CAP_NOTIFICATION:
		return cap_notification_can_send(cap) | cap_notification_can_receive(cap) << 1;
	case CAP_REPLY:
		return cap_reply_can_grant(cap);
	case CAP_FRAME:
		return cap_frame_rights(cap);
	default:
		return 0;
	}
}

/* Those that `slot` is no child of, and no later one. */
static void check_tree_leave(const struct cte *slot)
{
	const struct cte *p;

	while (check_parents.count) {
		p = check_parents.slot[check_parents.count - 1];
		if (cap_type(p->cap) == cap_type(slot->cap) &&
		    (cap_type(p->cap) == CAP_FRAME ? mdb_depth(p->mdb) < mdb_attach(slot->mdb)
						   : cap_same_object(p->cap, slot->cap)))
			break;
		check_parents.count--;
	}
}

static void check_tree_derived(const struct cte *slot)
{
	bool frame = cap_type(slot->cap) == CAP_FRAME;
	const struct cte *p;

	check_tree_leave(slot);
	for (unsigned i = check_parents.count; i-- > 0;) {
		p = check_parents.slot[i];
		if (!cte_is_parent(p, slot))
			continue;
		CHECK(!(check_tree_rights(slot->cap) & ~check_tree_rights(p->cap)),
		      "a capability allows more than its parent", check_at(slot), slot->cap.w[0],
		      p->cap.w[0]);
		break;
	}
	/* a badge of its own ends the group before it */
	if (!frame && check_parents.count == 2 && mdb_revocable(slot->mdb))
		check_parents.count--;
	if ((frame || mdb_revocable(slot->mdb)) && check_parents.count < TREE_DEPTH)
		check_parents.slot[check_parents.count++] = slot;
}

static word_t check_tree_badge(cap_t cap)
{
	return cap_type(cap) == CAP_ENDPOINT ? cap_endpoint_badge(cap) : cap_notification_badge(cap);
}

/* Where a frame is among what is derived from another (cap/mdb.c). */
static void check_tree_frames(const struct cte *prev, const struct cte *slot)
{
	uint64_t depth = mdb_depth(slot->mdb), attach = mdb_attach(slot->mdb);
	uint64_t above = mdb_depth(prev->mdb) + 1;

	if (cap_type(slot->cap) != CAP_FRAME) {
		CHECK(depth == 0, "depth of what is no frame", check_at(slot), depth, attach);
		return;
	}
	CHECK(attach <= depth && attach <= above, "a frame is attached where there is nothing",
	      check_at(slot), attach, above);
	CHECK(attach == 0 || cap_type(prev->cap) != CAP_FRAME || attach < above ||
		  cap_same_region(prev->cap, slot->cap),
	      "a frame is derived from one that does not contain it", check_at(slot), slot->cap.w[1],
	      prev->cap.w[1]);
}

/* Capabilities with one badge, made by one Mint, are a group: only its first is marked as such. */
static void check_tree_flags(const struct cte *prev, const struct cte *slot)
{
	cap_t cap = slot->cap;

	if (cap_type(cap) == CAP_UNTYPED)
		CHECK(mdb_revocable(slot->mdb), "an Untyped that cannot be revoked", check_at(slot), cap.w[1],
		      slot->mdb.w[1]);
	if ((cap_type(cap) == CAP_ENDPOINT || cap_type(cap) == CAP_NOTIFICATION) && check_tree_badge(cap) &&
	    !mdb_first_badged(slot->mdb))
		CHECK(cap_same_object(prev->cap, cap) && check_tree_badge(prev->cap) == check_tree_badge(cap),
		      "a badged capability without the first of its group", check_at(slot),
		      check_tree_badge(cap), prev->cap.w[1]);
}

static void check_tree_step(const struct cte *prev, const struct cte *slot)
{
	cap_t cap = slot->cap;
	bool first = !cap_same_object(prev->cap, cap);

	CHECK(!cap_is_null(cap), "an empty slot in the derivation list", check_at(slot), slot->mdb.w[0],
	      slot->mdb.w[1]);
	CHECK(mdb_prev(slot->mdb) == window_pa(prev).v, "the derivation list's links do not agree",
	      check_at(slot), mdb_prev(slot->mdb), window_pa(prev).v);
	if (!check_ok())
		return;
	check_now->caps++;
	check_tree_flags(prev, slot);
	check_tree_frames(prev, slot);
	check_tree_derived(slot);
	if (cap_type(cap) == CAP_UNTYPED)
		check_tree_untyped(cap);
	if (first && cap_is_physical(cap))
		check_tree_place(cap);
	if (check_ok() && first)
		check_tree_object(cap);
	if (cap_type(cap) == CAP_FRAME)
		check_memory_frame(slot);
	if (cap_type(cap) == CAP_FRAME && first)
		check_window_frame(cap);
	if (cap_is_paging(cap) || cap_type(cap) == CAP_ASID_POOL)
		check_memory_table(slot, first);
}

void check_tree(void)
{
	const struct cte *prev = cte_own.slots, *slot;

	check_depth = check_top_count = check_parents.count = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(check_irqs); i++)
		check_irqs[i] = 0;
	for (; check_ok() && (slot = check_tree_slot(mdb_next(prev->mdb))) != NULL; prev = slot)
		check_tree_step(prev, slot);
	check_slots(cte_own.slots + 1, cte_own.count - 1);
	if (check_ok())
		check_tree_tops();
}
