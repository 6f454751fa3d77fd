/* ASIDs: what the memory objects themselves need; the rest is in vspace.h. */
#ifndef OBJECT_ASID_H
#define OBJECT_ASID_H

#include "object/vspace.h"
#include "sel4/constants.h"

/* In the window; NULL: no such pool. Entries: the root's address with enum asid_kind in the low bits; 0: free, as ASID 0 always is. */
extern uint64_t *asid_pools[seL4_ASIDPoolCount];

/* Does this ASID name this root? Part of every switch between address spaces. */
static inline bool asid_names(unsigned asid, enum asid_kind kind, paddr_t root)
{
	const uint64_t *pool = asid_pools[asid / seL4_ASIDPoolEntries % seL4_ASIDPoolCount];

	return pool && pool[asid % seL4_ASIDPoolEntries] == (root.v | kind);
}

/* The root's last capability is gone: its ASID is free again, and no CPU uses the root. Stale ASIDs change nothing. */
void asid_root_gone(unsigned asid, enum asid_kind kind, paddr_t root);
/* The pool's last capability is gone: all its roots lose their ASIDs. */
void asid_pool_gone(unsigned base, paddr_t pool);

#endif
