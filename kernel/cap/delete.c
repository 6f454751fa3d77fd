/*
 * Deletion. A slot is emptied by finalising its capability; a CNode's or TCB's last capability becomes a
 * zombie, which empties the object's slots one by one and can be interrupted between any two. All of it is
 * iteration: the deepest nesting is a slot of a zombie inside the deletion of that zombie.
 *
 * Called by CNode invocations, by retype's revoke, by objects that hold slots. It must never leave a slot
 * that names a finalised object: between finalisation and an empty slot there is either no preemption, or a
 * zombie.
 */
#include "cap/cte.h"
#include "object/object.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

struct delete_step {
	exception_t status;
	bool removable; /* the slot may be emptied */
	cap_t cleanup;
};

static struct cte *delete_zombie_slots(cap_t zombie)
{
	return window_kv(paddr(cap_zombie_ptr(zombie)));
}

/* Nothing is left to be done for cap: null, or a zombie with no slot but the one that it is in. */
static bool delete_removable(cap_t cap, const struct cte *slot)
{
	uint64_t n;

	if (cap_is_null(cap))
		return true;
	INVARIANT(cap_type(cap) == CAP_ZOMBIE);
	n = cap_zombie_number(cap);
	return n == 0 || (n == 1 && delete_zombie_slots(cap) == slot);
}

/*
 * The zombie in a slot that user code named: its object's last slot is emptied. That may swap the zombie away
 * (a zombie inside goes its own way), or delete it altogether.
 */
static exception_t delete_last_slot(struct cte *slot)
{
	cap_t zombie = slot->cap, now;
	uint64_t n = cap_zombie_number(zombie);
	struct cte *last = delete_zombie_slots(zombie) + (n - 1);
	exception_t e = cte_delete(last, false);

	if (e != EXC_NONE)
		return e;
	now = slot->cap;
	if (cap_is_null(now))
		return EXC_NONE;
	INVARIANT(cap_type(now) == CAP_ZOMBIE);
	if (cap_zombie_ptr(now) == cap_zombie_ptr(zombie) && cap_zombie_number(now) == n &&
	    cap_zombie_is_tcb(now) == cap_zombie_is_tcb(zombie)) {
		INVARIANT(cap_is_null(last->cap));
		slot->cap = cap_zombie_with_number(now, n - 1);
	} else {
		/*
		 * `last` was an object with a capability to ours: a zombie that now sits in its own first
		 * slot
		 */
		INVARIANT(delete_zombie_slots(now) == slot && delete_zombie_slots(zombie) != slot);
	}
	return EXC_NONE;
}

/*
 * The zombie in a slot inside an object under deletion: it goes into its own first slot, and what was there
 * comes here, to be deleted here. So nesting of objects costs no stack.
 */
static void delete_swap_first(struct cte *slot)
{
	struct cte *first = delete_zombie_slots(slot->cap);

	INVARIANT(first != slot);
	INVARIANT(cap_type(first->cap) != CAP_ZOMBIE || delete_zombie_slots(first->cap) != first);
	cte_swap(first->cap, first, slot->cap, slot);
}

static struct delete_step delete_finalise(struct cte *slot, bool immediate)
{
	struct delete_step done = {EXC_NONE, true, cap_null()};
	struct finalise_result f;
	exception_t e;

	while (!cap_is_null(slot->cap)) {
		bool final = cte_is_final(slot);

		e = final ? object_drain(slot) : EXC_NONE;
		if (e != EXC_NONE)
			return (struct delete_step){e, false, cap_null()};
		f = object_finalise(slot, final, false);
		if (delete_removable(f.remainder, slot)) {
			done.cleanup = f.cleanup;
			return done;
		}
		slot->cap = f.remainder;
		if (immediate) {
			e = delete_last_slot(slot);
			if (e != EXC_NONE)
				return (struct delete_step){e, false, cap_null()};
		} else {
			if (delete_zombie_slots(slot->cap) == slot)
				return (struct delete_step){EXC_NONE, false, cap_null()};
			delete_swap_first(slot);
		}
		if (preempt_point(1))
			return (struct delete_step){EXC_PREEMPTED, false, cap_null()};
	}
	return done;
}

static void delete_empty(struct cte *slot, cap_t cleanup)
{
	if (cap_is_null(slot->cap))
		return;
	cte_unlink(slot);
	object_post_delete(cleanup);
}

exception_t cte_delete(struct cte *slot, bool exposed)
{
	struct delete_step step = delete_finalise(slot, exposed);

	if (step.status != EXC_NONE)
		return step.status;
	if (exposed || step.removable)
		delete_empty(slot, step.cleanup);
	return EXC_NONE;
}

void cte_delete_one(struct cte *slot)
{
	struct finalise_result f;

	if (cap_is_null(slot->cap))
		return;
	f = object_finalise(slot, cte_is_final(slot), true);
	INVARIANT(delete_removable(f.remainder, slot));
	delete_empty(slot, f.cleanup);
}

exception_t cte_revoke(struct cte *slot)
{
	struct cte *child;
	exception_t e;

	while ((child = cte_first_child(slot)) != NULL) {
		e = cte_delete(child, true);
		if (e != EXC_NONE)
			return e;
		if (preempt_point(1))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}
