/*
 * Kernel objects that are made for a domain out of its account: paging structures, CNodes, single pages. Nothing is given back one by one: all of it goes
 * with the account.
 */
#ifndef DOMAIN_MANAGER_OBJECT_POOL_H
#define DOMAIN_MANAGER_OBJECT_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/sel4.h"

struct object_pool {
	uint32_t account;
	uint32_t untyped; /* our slot with the block that is being used up; 0: none yet */
	uint64_t at, end; /* in it */
	uint32_t blocks;  /* that there have been */
};

/* Takes one slot of ours. False: there is none. */
bool object_pool_init(struct object_pool *p, uint32_t account);
/* Gives the slot back; the account has been freed, or is about to be. */
void object_pool_end(struct object_pool *p);

/* An object in slot `index` of a CNode of ours. bits as for Untyped_Retype. 0 or -ENOMEM. */
int object_pool_make(struct object_pool *p, seL4_Word type, unsigned bits, seL4_CPtr cnode, seL4_Word index);

#endif
