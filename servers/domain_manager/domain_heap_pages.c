/* The memory of a domain's heap: frames of an account of its own, which outlives that of its memory, in our address space. */
#include <errno.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/root_call.h"
#include "user/slot.h"
#include "user/vspace.h"

#define HEAPS_VADDR (TASK_SHARED_VADDR + 0x100000000ull)
#define HEAPS_END   (TASK_SHARED_VADDR + 0x400000000ull) /* context.c's pages */
#define CNODE_RADIX 7u
#define CNODE_SLOTS (1u << CNODE_RADIX)
#define CNODES	    (sizeof(((struct domain_heap *)0)->slot_cnode) / sizeof(uint32_t))
#define STEP_BITS   14u
#define BLOCK_BITS  18u /* at most */
#define BLOCK_PAGES (1u << (BLOCK_BITS - 12u))
_Static_assert(HEAPS_VADDR + (DOMAINS_MAX + 1) * DOMAIN_HEAP_MAX <= HEAPS_END, "those of the domains, and one");
_Static_assert(1u << BLOCK_BITS == DOMAIN_HEAP_BLOCK, "the same");
_Static_assert(1u << STEP_BITS == DOMAIN_HEAP_STEP && CNODES * CNODE_SLOTS * 4096ull == DOMAIN_HEAP_MAX, "slots for all of it");

static int account_make(struct domain_heap *h)
{
	if (!h->slot_untyped)
		h->slot_untyped = (uint32_t)slot_alloc();
	if (!h->slot_untyped)
		return -ENOMEM;
	return h->account ? 0 : root_account_create(&h->account);
}

static void untyped_drop(struct domain_heap *h)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, h->slot_untyped, seL4_WordBits);
}

static int cnode_make(struct domain_heap *h, uint32_t *cnode)
{
	uint32_t slot = (uint32_t)slot_alloc();
	int r = slot ? root_account_alloc(h->account, CNODE_RADIX + seL4_SlotBits, h->slot_untyped) : -ENOMEM;

	if (!r && seL4_Untyped_Retype(h->slot_untyped, seL4_CapTableObject, CNODE_RADIX, TASK_SLOT_CNODE, 0, 0, slot, 1))
		r = -ENOMEM;
	untyped_drop(h);
	if (r && slot)
		slot_free(slot);
	if (!r)
		*cnode = slot;
	return r;
}

/* The frames of one block, at `at`: of as much of `bytes` as makes a block. Its size in *done. */
static int step(struct domain_heap *h, uint64_t at, uint64_t bytes, uint64_t *done)
{
	uint32_t slot = (uint32_t)slot_alloc(), pages, *cnode;
	unsigned bits = BLOCK_BITS;
	int r = slot ? 0 : -ENOMEM;

	while (1ull << bits > bytes)
		bits--;
	*done = 1ull << bits;
	pages = (uint32_t)(*done / 4096);
	/* they may begin in one CNode and end in the next */
	for (uint32_t i = 0; !r && i < 2; i++) {
		cnode = &h->slot_cnode[(h->pages + i * (pages - 1)) / CNODE_SLOTS];
		r = *cnode ? 0 : cnode_make(h, cnode);
	}
	if (!r)
		r = root_account_alloc(h->account, bits, h->slot_untyped);
	for (uint32_t i = 0; !r && i < pages; i++) {
		if (seL4_Untyped_Retype(h->slot_untyped, seL4_X86_4K, 0, TASK_SLOT_CNODE, 0, 0, slot, 1)) {
			r = -ENOMEM;
			break;
		}
		cnode = &h->slot_cnode[(h->pages + i) / CNODE_SLOTS];
		r = vspace_map(slot, at + i * 4096ull, true, false);
		if (!r && seL4_CNode_Move(*cnode, (h->pages + i) % CNODE_SLOTS, CNODE_RADIX, TASK_SLOT_CNODE, slot, seL4_WordBits))
			r = -ENOMEM;
		if (r)
			(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
	}
	untyped_drop(h);
	if (slot)
		slot_free(slot);
	if (!r)
		h->pages += pages;
	return r;
}

/* What a failed step leaves is taken back: the heap has its pages one behind the other. */
static void steps_undo(struct domain_heap *h, uint32_t pages)
{
	for (uint32_t i = pages; i < h->pages + BLOCK_PAGES && i / CNODE_SLOTS < CNODES; i++)
		if (h->slot_cnode[i / CNODE_SLOTS])
			(void)seL4_CNode_Delete(h->slot_cnode[i / CNODE_SLOTS], i % CNODE_SLOTS, CNODE_RADIX);
	h->pages = pages;
}

static int more(struct domain_heap *h, uint8_t *at, uint64_t bytes)
{
	uint32_t before = h->pages;
	uint64_t block = 0;
	int r = account_make(h);

	for (uint64_t done = 0; !r && done < bytes; done += block)
		r = step(h, (uint64_t)(uintptr_t)at + done, bytes - done, &block);
	if (r)
		steps_undo(h, before);
	return r ? -ENOMEM : 0;
}

void domain_heap_begin(struct domain_heap *h, unsigned n)
{
	domain_heap_init(h, (void *)(HEAPS_VADDR + n * DOMAIN_HEAP_MAX), more);
}

void domain_heap_end(struct domain_heap *h)
{
	if (h->account)
		(void)root_account_free(h->account);
	for (unsigned i = 0; i < CNODES; i++)
		if (h->slot_cnode[i]) {
			(void)seL4_CNode_Delete(TASK_SLOT_CNODE, h->slot_cnode[i], seL4_WordBits);
			slot_free(h->slot_cnode[i]);
		}
	if (h->slot_untyped)
		slot_free(h->slot_untyped);
	*h = (struct domain_heap){0};
}
