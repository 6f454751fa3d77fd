/*
 * Capability lookup as system calls need it: cnode_lookup_slot(), with the usual CSpace of one CNode that
 * resolves all 64 bits done in place. Such a CSpace's capability is taken apart once and remembered in the
 * TCB; the remembered parts hold as long as the capability is the same.
 */
#ifndef API_LOOKUP_H
#define API_LOOKUP_H

#include "cap/cnode.h"
#include "object/tcb.h"
#include "sel4/constants.h"

/* The slot in a CSpace that is remembered; false if it is not, or the lookup fails. */
static inline __attribute__((always_inline)) bool lookup_slot_short(const struct tcb *t, cptr_t cptr,
								    struct cte **slot)
{
	const cap_t root = t->slot[TCB_CSPACE].cap;
	uint64_t radix = t->cspace_radix, guard = cptr >> radix;

	if (unlikely(root.w[1] != t->cspace_word || guard != cap_cnode_guard(root)))
		return false;
	*slot = t->cspace_slots + (cptr ^ guard << radix);
	return true;
}

static inline void lookup_remember(struct tcb *t)
{
	const cap_t root = t->slot[TCB_CSPACE].cap;

	if (cap_type(root) != CAP_CNODE ||
	    cap_cnode_radix(root) + cap_cnode_guard_size(root) != seL4_WordBits)
		return;
	t->cspace_radix = cap_cnode_radix(root);
	t->cspace_slots = cap_cnode_slots(root);
	t->cspace_word = root.w[1];
}

/* NULL: not found, percpu->lookup_fault is filled. */
static inline struct cte *lookup_slot(struct tcb *t, cptr_t cptr)
{
	struct lookup_result r;
	struct cte *slot;

	if (likely(lookup_slot_short(t, cptr, &slot)))
		return slot;
	lookup_remember(t);
	r = cnode_lookup_slot(t, cptr);
	return r.status == EXC_NONE ? r.slot : NULL;
}

#endif
