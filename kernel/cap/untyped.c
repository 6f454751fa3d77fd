/*
 * Untyped memory: the checks of Retype, and its three steps: reset, preparing memory, making objects. The
 * first two are preemptible, and note in the capability how far they came; the restarted call goes on there.
 * The window's invariant is explained in untyped.h.
 */
#include "cap/untyped.h"
#include "cap/untyped_room.h"
#include "cap/cnode.h"
#include "api/error.h"
#include "api/invocation.h"
#include "arch/x86/mm/window.h"
#include "object/object.h"
#include "panic.h"
#include "sel4/constants.h"

#define UNTYPED_STEP	   BIT(16) /* bytes cleared between two looks at the interrupts */
#define UNTYPED_RESET_STEP BIT(20) /* bytes taken out of the window between two */

struct retype {
	word_t type;
	unsigned user_bits;   /* as the caller gave it: CNode radix, Untyped or SC size */
	unsigned object_bits; /* size of one object */
	struct cte *dest;
	unsigned count;
	bool reset; /* nothing made from it is left: begin at its start */
};

/* ---- checks ---- */

static exception_t untyped_check_type(struct retype *r)
{
	word_t user_bits = invocation_arg(1);

	r->type = invocation_arg(0);
	if (!object_type_exists(r->type))
		return error_invalid_argument(0);
	if (user_bits >= seL4_WordBits ||
	    object_size_bits(r->type, (unsigned)user_bits) > seL4_MaxUntypedBits)
		return error_range(0, seL4_MaxUntypedBits);
	r->user_bits = (unsigned)user_bits;
	r->object_bits = object_size_bits(r->type, r->user_bits);
	if ((r->type == seL4_CapTableObject && user_bits == 0) ||
	    (r->type == seL4_UntypedObject && user_bits < seL4_MinUntypedBits) ||
	    (r->type == seL4_SchedContextObject && user_bits < seL4_MinSchedContextBits))
		return error_invalid_argument(1);
	return EXC_NONE;
}

/* The CNode that gets the capabilities, and the window of empty slots in it. */
static exception_t untyped_check_dest(struct retype *r)
{
	word_t offset = invocation_arg(4), count = invocation_arg(5), slots;
	cap_t node;
	exception_t e = cnode_target_node(invocation_extra(0)->cap, invocation_arg(2), invocation_arg(3), &node);

	if (e != EXC_NONE)
		return e;
	slots = BIT(cap_cnode_radix(node));
	if (offset >= slots)
		return error_range(0, slots - 1);
	if (count < 1 || count > seL4_RetypeMaxObjects)
		return error_range(1, seL4_RetypeMaxObjects);
	if (count > slots - offset)
		return error_range(1, slots - offset);
	r->dest = cap_cnode_slots(node) + offset;
	r->count = (unsigned)count;
	for (unsigned i = 0; i < r->count; i++)
		if (!cap_is_null(r->dest[i].cap))
			return error_delete_first();
	return EXC_NONE;
}

static exception_t untyped_check_room(struct cte *slot, struct retype *r)
{
	r->reset = !cte_has_children(slot);
	if (!untyped_has_room(slot->cap, r->reset, r->object_bits, r->count))
		return error_not_enough_memory(untyped_left(slot->cap, r->reset));
	if (cap_untyped_device(slot->cap) && object_is_kernel(r->type))
		return error_invalid_argument(1);
	return EXC_NONE;
}

/* ---- reset ---- */

/*
 * Pages that a preempted retype of kernel objects had put into the window beyond `free` leave it, last first.
 * The end is rounded up: the rest of the last page lies beyond `free` as well.
 */
static exception_t untyped_drop_stale(struct cte *slot)
{
	cap_t u = slot->cap;
	uint64_t unit = untyped_clear_unit((unsigned)cap_untyped_bits(u));

	while (cap_untyped_stale(u)) {
		uint64_t n = cap_untyped_cleared(u), start = cap_untyped_free(u) + (n - 1) * unit;

		window_unmap(untyped_at(u, start), ALIGN_UP(start + unit, PAGE_BITS) - start);
		u = n > 1 ? cap_untyped_with_cleared(u, n - 1) : untyped_unknown(u);
		slot->cap = u;
		if (n > 1 && preempt_point(PREEMPT_UNITS))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

/* Nothing is derived from the slot: all memory below `free` is taken back, from the top down. */
static exception_t untyped_reset(struct cte *slot)
{
	cap_t u;
	uint64_t end, start;
	exception_t e;

	if (cap_untyped_free(slot->cap) == 0)
		return EXC_NONE; /* what an interrupted retype has prepared stays good */
	e = untyped_drop_stale(slot);
	if (e != EXC_NONE)
		return e;
	u = untyped_unknown(slot->cap); /* whatever was made here may have been written */
	if (cap_untyped_device(u) || cap_untyped_bits(u) < PAGE_BITS) {
		slot->cap = cap_untyped_with_free(u, 0);
		return EXC_NONE;
	}
	while ((end = cap_untyped_free(u)) != 0) {
		start = (end - 1) & ~(UNTYPED_RESET_STEP - 1);
		window_unmap(untyped_at(u, start), ALIGN_UP(end, PAGE_BITS) - start);
		u = cap_untyped_with_free(u, start);
		slot->cap = u;
		if (start != 0 && preempt_point(PREEMPT_UNITS))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

/* ---- memory for objects ---- */

/*
 * What gets its first state while memory is prepared, since that of 256 takes too long for one piece: threads
 * and roots of address spaces. 0: others.
 */
static unsigned untyped_makes(const struct retype *r)
{
	return r->type == seL4_TCBObject ? 1 : r->type == seL4_X64_PML4Object ? 2 : 0;
}

/* Can it be noted that all of these bytes are done? Else there is no preemption after the last of them: so a
 * call that comes back again and again ends. */
static bool untyped_notable(uint64_t done, uint64_t unit)
{
	return done % unit == 0 && done / unit < UNTYPED_KEEP;
}

/*
 * Clearing was interrupted after `done` bytes from `base`. What is noted are whole units, and pages in the
 * window are never more than what is noted.
 */
static exception_t untyped_interrupted(struct cte *slot, const struct retype *r, uint64_t base, uint64_t done)
{
	bool kernel = object_is_kernel(r->type);
	cap_t u = cap_untyped_with_free(slot->cap, base); /* the gap before an aligned object is given up */
	uint64_t unit = untyped_clear_unit((unsigned)cap_untyped_bits(u)), units = done / unit;

	if (units >= UNTYPED_KEEP)
		units = UNTYPED_KEEP - 1;
	if (kernel && done > units * unit) {
		uint64_t start = base + units * unit;

		window_unmap(untyped_at(u, start), ALIGN_UP(base + done, PAGE_BITS) - start);
	}
	u = cap_untyped_with_cleared(u, units);
	u = cap_untyped_with_stale(u, kernel && units != 0);
	slot->cap = cap_untyped_with_made(u, cap_untyped_stale(u) ? untyped_makes(r) : 0);
	return EXC_PREEMPTED;
}

/* Makes [base, base + bytes) zero and, for kernel objects, present in the window. */
static exception_t untyped_prepare(struct cte *slot, const struct retype *r, uint64_t base, uint64_t bytes)
{
	cap_t u = slot->cap;
	bool kernel = object_is_kernel(r->type), keep = cap_untyped_cleared(u) == UNTYPED_KEEP;
	uint64_t unit = untyped_clear_unit((unsigned)cap_untyped_bits(u)), known, done = 0;
	exception_t e;

	if (keep && kernel) {
		u = untyped_unknown(u);
		slot->cap = u;
		keep = false;
	}
	known = keep ? 0 : cap_untyped_cleared(u) * unit;
	/* Stale pages are of use only to the very call that was interrupted, or one like it. */
	if (cap_untyped_stale(u) && !(kernel && base == cap_untyped_free(u) && bytes >= known &&
				      cap_untyped_made(u) == untyped_makes(r))) {
		e = untyped_drop_stale(slot);
		if (e != EXC_NONE)
			return e;
		known = 0;
	}
	if (cap_untyped_device(u) || r->type == seL4_UntypedObject || keep)
		return EXC_NONE;
	/* Cleared without stale pages: left by frames, so kernel objects have yet to be mapped. */
	if (base == cap_untyped_free(u) && (!kernel || cap_untyped_stale(slot->cap)))
		done = known < bytes ? known : bytes;

	while (done < bytes) {
		uint64_t n = bytes - done < UNTYPED_STEP ? bytes - done : UNTYPED_STEP;
		paddr_t p = untyped_at(u, base + done);

		window_clear(p, n);
		if (kernel) /* whole pages: small objects share them */
			window_map(paddr(ALIGN_DOWN(p.v, PAGE_BITS)),
				   ALIGN_UP(p.v + n, PAGE_BITS) - ALIGN_DOWN(p.v, PAGE_BITS));
		for (uint64_t at = done; untyped_makes(r) && at < done + n; at += BIT(r->object_bits))
			object_init(r->type, untyped_at(u, base + at), r->user_bits);
		done += n;
		if ((done < bytes || untyped_notable(done, unit)) && preempt_point(PREEMPT_UNITS))
			return untyped_interrupted(slot, r, base, done);
	}
	return EXC_NONE;
}

static exception_t untyped_retype(struct cte *slot, const struct retype *r)
{
	uint64_t base, bytes = untyped_offset(0, r->count, r->object_bits);
	exception_t e = r->reset ? untyped_reset(slot) : EXC_NONE;
	cap_t u = slot->cap;
	bool keep = cap_untyped_cleared(u) == UNTYPED_KEEP, init;
	cap_t cap;

	if (e != EXC_NONE)
		return e;
	base = untyped_base(u, r->object_bits);
	e = untyped_prepare(slot, r, base, bytes);
	if (e != EXC_NONE)
		return e;

	u = cap_untyped_with_free(slot->cap, base + bytes);
	if (!(keep && !object_is_kernel(r->type)))
		u = untyped_unknown(u);
	slot->cap = u;
	init = object_has_state(r->type) && !untyped_makes(r);
	cap = object_cap(r->type, untyped_at(u, base), r->user_bits, cap_untyped_device(u));
	for (unsigned i = 0; i < r->count; i++) {
		if (init)
			object_init(r->type, untyped_at(u, untyped_offset(base, i, r->object_bits)),
				    r->user_bits);
		r->dest[i].cap = cap;
		cap = object_cap_behind(cap, BIT(r->object_bits));
	}
	cte_insert_new_row(slot, r->dest, r->count);
	return EXC_NONE;
}

exception_t untyped_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	struct retype r = {0};
	exception_t e;

	(void)cap; /* slot->cap, which this changes */
	if (label != UntypedRetype)
		return error_illegal_operation();
	if (length < 6 || !invocation_extra(0))
		return error_truncated();
	e = untyped_check_type(&r);
	if (e == EXC_NONE)
		e = untyped_check_dest(&r);
	if (e == EXC_NONE)
		e = untyped_check_room(slot, &r);
	if (e != EXC_NONE)
		return e;
	return untyped_retype(slot, &r);
}

void untyped_take_page(struct cte *slot)
{
	paddr_t p = untyped_at(slot->cap, 0);

	INVARIANT(cap_untyped_bits(slot->cap) == PAGE_BITS && !cap_untyped_device(slot->cap));
	window_clear(p, PAGE_SIZE);
	window_map(p, PAGE_SIZE);
	slot->cap = untyped_unknown(cap_untyped_with_free(slot->cap, PAGE_SIZE));
}
