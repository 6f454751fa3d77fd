/*
 * Capability lookup as system calls need it: cnode_lookup_slot(), with the usual CSpace of one CNode that resolves all
 * 64 bits done in place.
 */
#ifndef API_LOOKUP_H
#define API_LOOKUP_H

#include "cap/cnode.h"
#include "object/tcb.h"
#include "sel4/constants.h"

/*
 * The slot in a CSpace of one CNode; NULL for others, and where the lookup fails. Subtracting type, radix and guard
 * size from the capability's word leaves the address alone if they are as expected.
 */
static inline __attribute__((always_inline)) struct cte *lookup_slot_short(const struct tcb *t, cptr_t cptr)
{
	const cap_t root = t->slot[TCB_CSPACE].cap;
	const uint64_t radix_unit = cap_cnode_with_radix(cap_null(), 1).w[1];
	const uint64_t guard_unit = cap_cnode_with_guard_size(cap_null(), 1).w[1];
	uint64_t radix = cap_cnode_radix(root), guard = cptr >> radix, index = cptr ^ guard << radix;
	uint64_t place = root.w[1] - cap_of_type(CAP_CNODE).w[1] - seL4_WordBits * guard_unit -
	                 radix * (radix_unit - guard_unit);

	if (unlikely(place >= guard_unit || guard != cap_cnode_guard(root)))
		return NULL;
	return (struct cte *)window_kv(paddr(place << seL4_SlotBits)) + index;
}

/* NULL: not found, percpu->lookup_fault is filled. */
static inline struct cte *lookup_slot(struct tcb *t, cptr_t cptr)
{
	struct cte *slot = lookup_slot_short(t, cptr);
	struct lookup_result r;

	if (likely(slot))
		return slot;
	r = cnode_lookup_slot(t, cptr);
	return r.status == EXC_NONE ? r.slot : NULL;
}

#endif
