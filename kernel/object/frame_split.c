/*
 * Parts of frames (extensions; docs/extensions/): InsulaFrameDerive makes a child capability to a part;
 * InsulaFrameSplit puts 512 capabilities to the parts of a large frame in that capability's place, with its
 * mapping. Called by frame_decode.
 *
 * Splitting goes in steps, and can be interrupted after any: (1) the mapping is replaced; (2) part after part
 * gets its capability, and the large one, which notes how many have theirs (`split`), stands for the others;
 * (3) what is derived from the large one is handed on to the part that contains it; (4) the large one goes. A
 * call that finds one or more of these done goes on behind them. So no step depends on what user code did to
 * the parts since: step 3 looks at each slot again, and leaves what it does not find.
 */
#include "api/invocation.h"
#include "cap/cnode.h"
#include "insula/ext.h"
#include "arch/x86/mm/window.h"
#include "object/frame.h"
#include "sel4/constants.h"

/* ---- derive ---- */

static bool frame_size_of_bits(word_t bits, enum frame_size *size)
{
	for (unsigned s = FRAME_4K; s <= FRAME_1G; s++)
		if (frame_size_bits(s) == bits) {
			*size = (enum frame_size)s;
			return true;
		}
	return false;
}

exception_t frame_derive_check(struct cte *slot, cap_t cap, struct frame_part *part)
{
	word_t offset = invocation_arg(3), bits = invocation_arg(4),
	       whole = BIT(frame_size_bits(cap_frame_size(cap)));
	struct lookup_result dest;
	enum frame_size size;
	exception_t e;

	if (!frame_size_of_bits(bits, &size) || size > cap_frame_size(cap))
		return error_invalid_argument(4);
	if (!ALIGNED(offset, bits))
		return error_alignment();
	if (offset >= whole)
		return error_range(0, whole - BIT(bits));
	if (!cte_can_derive(slot))
		return error_illegal_operation();
	dest = cnode_target_slot(invocation_extra(0)->cap, invocation_arg(0), invocation_arg(1), false);
	if (dest.status != EXC_NONE)
		return dest.status;
	e = cte_ensure_empty(dest.slot);
	if (e != EXC_NONE)
		return e;

	part->cap = cap_mask_rights(cap_frame_new(paddr(cap_frame_ptr(cap) + offset), size,
						  cap_frame_device(cap), (unsigned)cap_frame_rights(cap)),
				    invocation_arg(2));
	part->dest = dest.slot;
	return EXC_NONE;
}

exception_t frame_derive(unsigned length, struct cte *slot, cap_t cap)
{
	struct frame_part part;
	exception_t e;

	if (length < 5 || !invocation_extra(0))
		return error_truncated();
	e = frame_derive_check(slot, cap, &part);
	if (e != EXC_NONE)
		return e;
	cte_insert_derived(part.cap, slot, part.dest);
	return EXC_NONE;
}

/* ---- split ---- */

struct split {
	struct cte *slot; /* of the large frame */
	struct cte *dest; /* 512 slots */
	struct cte *table;
	const struct frame_space *space; /* in which the frame is mapped; NULL: it is not */
};

static unsigned split_done(const struct split *s)
{
	return (unsigned)cap_frame_split(s->slot->cap) - 1;
}

static unsigned split_part_bits(cap_t cap)
{
	return frame_size_bits(cap_frame_size(cap) - 1);
}

/* The slots for the parts that have none yet, as Retype would look for 512. */
static exception_t split_check_dest(struct split *s)
{
	unsigned split = (unsigned)cap_frame_split(s->slot->cap);
	word_t offset = invocation_arg(2), slots;
	exception_t e;
	cap_t node;

	e = cnode_target_node(invocation_extra(0)->cap, invocation_arg(0), invocation_arg(1), &node);
	if (e != EXC_NONE)
		return e;
	slots = BIT(cap_cnode_radix(node));
	if (offset >= slots)
		return error_range(0, slots - 1);
	if (slots - offset < FRAME_PARTS)
		return error_range(1, slots - offset);
	s->dest = cap_cnode_slots(node) + offset;
	for (unsigned i = split ? split - 1 : 0; i < FRAME_PARTS; i++) {
		e = cte_ensure_empty(s->dest + i);
		if (e != EXC_NONE)
			return e;
	}
	return EXC_NONE;
}

static exception_t split_check_table(struct split *s)
{
	cap_t cap = s->slot->cap;
	const struct frame_space *space = cap_frame_map(cap) == FRAME_VSPACE ? &frame_space_vspace
					  : cap_frame_map(cap) == FRAME_EPT  ? &frame_space_ept
									     : NULL;

	if (!space || cap_frame_split(cap) || !space->mapped(cap))
		return EXC_NONE;
	s->space = space;
	s->table = invocation_extra(1);
	if (!s->table)
		return error_truncated();
	if (!space->is_table(s->table->cap, frame_level(cap) - 1))
		return error_invalid_capability(2);
	return EXC_NONE;
}

/* Step 1. A mapping that is gone from its space does not come back with the parts. */
static void split_begin(struct split *s)
{
	cap_t cap = s->slot->cap;

	if (s->space)
		s->space->replace(cap, s->table);
	else
		cap =
		    cap_frame_with_map(cap_frame_with_mapped(cap_frame_with_asid(cap, 0), 0), FRAME_UNMAPPED);
	s->slot->cap = cap_frame_with_split(cap, 1);
}

static cap_t split_part(cap_t cap, unsigned i)
{
	uint64_t offset = (uint64_t)i << split_part_bits(cap);
	cap_t part = cap_frame_with_split(cap_frame_with_size(cap, cap_frame_size(cap) - 1), 0);

	part = cap_frame_with_ptr(part, cap_frame_ptr(cap) + offset);
	return cap_frame_map(cap) == FRAME_UNMAPPED
		   ? part
		   : cap_frame_with_mapped(part, cap_frame_mapped(cap) + offset);
}

/* Step 2. */
static exception_t split_make_parts(struct split *s)
{
	for (unsigned i = split_done(s); i < FRAME_PARTS; i++) {
		cte_insert_part(split_part(s->slot->cap, i), s->slot, s->dest + i);
		s->slot->cap = cap_frame_with_split(s->slot->cap, i + 2);
		if (preempt_point(1))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

/*
 * Step 3, for one child: NULL if there is no part for it in the slot where it belongs. What is there may be a part of
 * another capability to the same memory, with another owner: it gets nothing that allows more than itself.
 */
static struct cte *split_part_for(const struct split *s, const struct cte *child)
{
	cap_t whole = s->slot->cap, c = child->cap;
	unsigned bits = split_part_bits(whole);
	struct cte *part;

	if (cap_frame_size(c) >= cap_frame_size(whole))
		return NULL;
	part = s->dest + ((cap_frame_ptr(c) - cap_frame_ptr(whole)) >> bits);
	if (!cte_is_part(part, s->slot) || cap_frame_size(part->cap) + 1 != cap_frame_size(whole) ||
	    cap_frame_ptr(part->cap) != ALIGN_DOWN(cap_frame_ptr(c), bits) || cap_frame_split(part->cap) ||
	    (cap_frame_rights(c) & ~cap_frame_rights(part->cap)))
		return NULL;
	return part;
}

/* *left: something stays below the large frame. */
static exception_t split_hand_on(struct split *s, bool *left)
{
	struct cte *child, *part;
	unsigned n;

	*left = false;
	while ((child = cte_first_child(s->slot)) != NULL) {
		part = split_part_for(s, child);
		n = part ? cte_hand_on(s->slot, part) : 0;
		if (n == 0) {
			*left = true;
			return EXC_NONE;
		}
		if (preempt_point(n))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

exception_t frame_split(unsigned length, struct cte *slot, cap_t cap)
{
	struct split s = {.slot = slot};
	exception_t e;
	bool left;

	if (length < 3 || !invocation_extra(0))
		return error_truncated();
	if (cap_frame_size(cap) == FRAME_4K || cap_frame_map(cap) == FRAME_IOSPACE ||
	    cap_frame_map(cap) == FRAME_KERNEL)
		return error_illegal_operation();
	e = split_check_dest(&s);
	if (e == EXC_NONE)
		e = split_check_table(&s);
	if (e != EXC_NONE)
		return e;

	if (!cap_frame_split(cap)) {
		split_begin(&s);
		if (preempt_point(PREEMPT_UNITS)) /* that was 512 entries */
			return EXC_PREEMPTED;
	}
	e = split_make_parts(&s);
	if (e == EXC_NONE)
		e = split_hand_on(&s, &left);
	if (e != EXC_NONE)
		return e;
	if (!left)
		cte_unlink(slot); /* it maps nothing any more */
	invocation_reply1(left);
	return EXC_NONE;
}
