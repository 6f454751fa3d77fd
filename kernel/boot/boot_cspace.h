/* The first thread's CNode while boot fills it: one slot after the other. */
#ifndef BOOT_BOOT_CSPACE_H
#define BOOT_BOOT_CSPACE_H

#include "cap/cte.h"

struct boot_cspace {
	struct cte *slots;
	uint64_t size; /* number of slots */
	uint64_t next; /* free from here on */
};

/* Into a slot of its own, or the next one; the capability has no parent. Returns the slot. INVARIANT: it fits. */
struct cte *boot_cspace_put(struct boot_cspace *c, uint64_t slot, cap_t cap);
struct cte *boot_cspace_append(struct boot_cspace *c, cap_t cap);

#endif
