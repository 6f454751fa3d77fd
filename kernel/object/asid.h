/* ASIDs: what the memory objects themselves need; the rest is in vspace.h. */
#ifndef OBJECT_ASID_H
#define OBJECT_ASID_H

#include "object/vspace.h"

/* The root's last capability is gone: its ASID is free again, and no CPU uses the root. Stale ASIDs change nothing. */
void asid_root_gone(unsigned asid, enum asid_kind kind, paddr_t root);
/* The pool's last capability is gone: all its roots lose their ASIDs. */
void asid_pool_gone(unsigned base, paddr_t pool);

#endif
