#include "servers/domain_manager/page_window.h"

#include <errno.h>
#include <string.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain.h"
#include "user/slot.h"
#include "user/vspace.h"

#define WINDOWS_VADDR (TASK_SHARED_VADDR + 0xc0000000ull)
#define PAGE_BITS     12u

static uint32_t slots[PAGE_WINDOWS], slot_whole, slot_piece;

static bool slots_make(void)
{
	if (!slot_whole)
		slot_whole = (uint32_t)slot_alloc();
	for (unsigned i = 0; i < PAGE_WINDOWS; i++)
		if (!slots[i])
			slots[i] = (uint32_t)slot_alloc();
	if (!slot_piece)
		slot_piece = (uint32_t)slot_alloc();
	return slot_whole && slot_piece && slots[0] && slots[PAGE_WINDOWS - 1];
}

/* Of a domain whose memory was made in one piece (ram.h): it is not in the record. */
static int derive_extent(struct domain *d, uint64_t gfn, bool write, uint32_t slot)
{
	for (uint32_t i = 0; i < d->extents; i++) {
		const struct vmm_extent *e = &d->extent[i];
		uint64_t offset = (gfn << PAGE_BITS) - e->gpa;
		uint32_t index = e->slot_vspace - d->extent_slot + (uint32_t)(offset >> e->order);
		int r;

		if (gfn << PAGE_BITS < e->gpa || offset >> e->order >= e->count)
			continue;
		if (seL4_CNode_Copy(TASK_SLOT_CNODE, slot_whole, seL4_WordBits, d->slot_ram, index, d->ram_radix, seL4_AllRights))
			return -ENOMEM;
		r = insula_Frame_Derive(slot_whole, TASK_SLOT_CNODE, slot, seL4_WordBits, write ? seL4_ReadWrite : seL4_CanRead,
					offset & ((1ull << e->order) - 1), PAGE_BITS)
			    ? -ENOMEM
			    : 0;
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot_whole, seL4_WordBits);
		return r;
	}
	return -ENOENT;
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
	if (r == -ENOENT)
		r = derive_extent(d, gfn, write, slots[n]);
	if (r)
		return r;
	if (vspace_map(slots[n], vaddr, write, false)) {
		page_window_close(n);
		return -ENOMEM;
	}
	*at = (uint8_t *)vaddr;
	return 0;
}

int page_window_piece(struct domain *d, uint64_t gfn, bool write, uint32_t *slot)
{
	if (gfn >= P2M_GFN_LIMIT)
		return -ENOENT;
	if (!slots_make())
		return -ENOMEM;
	*slot = slot_piece;
	return derive_extent(d, gfn, write, slot_piece);
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
