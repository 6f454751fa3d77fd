#include "servers/domain_manager/page_window.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain.h"
#include "user/slot.h"
#include "user/vspace.h"

#define WINDOWS_VADDR (TASK_SHARED_VADDR + 0xc0000000ull)
#define PAGE_BITS     12u

static uint32_t slots[PAGE_WINDOWS];

static bool slots_make(void)
{
	for (unsigned i = 0; i < PAGE_WINDOWS; i++)
		if (!slots[i])
			slots[i] = (uint32_t)slot_alloc();
	return slots[0] && slots[PAGE_WINDOWS - 1];
}

int page_window_open(unsigned n, struct domain *d, uint64_t gfn, bool write, uint8_t **at)
{
	uint64_t vaddr = WINDOWS_VADDR + ((uint64_t)n << PAGE_BITS);
	int r;

	if (gfn >= P2M_GFN_LIMIT)
		return -ENOENT;
	if (!slots_make())
		return -ENOMEM;
	r = physmap_derive(&d->map, gfn, write, slots[n]);
	if (r)
		return r;
	if (vspace_map(slots[n], vaddr, write, false)) {
		page_window_close(n);
		return -ENOMEM;
	}
	*at = (uint8_t *)vaddr;
	return 0;
}

void page_window_close(unsigned n)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slots[n], seL4_WordBits);
}

int page_window_zero(uint32_t slot)
{
	const uint64_t vaddr = WINDOWS_VADDR + ((uint64_t)PAGE_WINDOWS << PAGE_BITS);

	if (vspace_map(slot, vaddr, true, false))
		return -ENOMEM;
	memset((void *)vaddr, 0, 1u << PAGE_BITS);
	vspace_unmap(slot);
	return 0;
}
