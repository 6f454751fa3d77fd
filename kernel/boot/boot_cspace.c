/* The first thread's CNode at boot. See boot_cspace.h. */
#include "boot/boot_cspace.h"
#include "panic.h"

struct cte *boot_cspace_put(struct boot_cspace *c, uint64_t slot, cap_t cap)
{
	INVARIANT(slot < c->size && cap_is_null(c->slots[slot].cap));
	cte_insert_root(&c->slots[slot], cap);
	return &c->slots[slot];
}

struct cte *boot_cspace_append(struct boot_cspace *c, cap_t cap)
{
	return boot_cspace_put(c, c->next++, cap);
}
