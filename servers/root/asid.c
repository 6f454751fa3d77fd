/* Address-space ids. See asid.h. A pool's entry is free again when its space is deleted. */
#include "servers/root/asid.h"

#include "servers/root/memory.h"

static seL4_CPtr asid_pools[seL4_ASIDPoolCount] = {seL4_CapInitThreadASIDPool};
static unsigned asid_pool_count = 1;

static bool asid_pool_make(void)
{
	struct buddy_node *n;
	seL4_CPtr slot;

	if (asid_pool_count == seL4_ASIDPoolCount)
		return false;
	n = memory_take(seL4_ASIDPoolBits);
	slot = n ? memory_slot_take() : 0;
	if (slot && seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, n->slot, MEMORY_CNODE, slot, MEMORY_DEPTH) == seL4_NoError) {
		asid_pools[asid_pool_count++] = slot;
		return true;
	}
	memory_slot_release(slot);
	if (n)
		memory_release(n);
	return false;
}

bool asid_assign(seL4_CPtr space)
{
	do {
		for (unsigned i = 0; i < asid_pool_count; i++)
			if (seL4_X86_ASIDPool_Assign(asid_pools[i], space) == seL4_NoError)
				return true;
	} while (asid_pool_make());
	return false;
}
