#include "servers/domain_manager/page_store.h"

#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain.h"
#include "user/slot.h"

#define RADIX	   9u /* of a CNode with a block's pages */
#define BLOCK_BITS 21u
#define HEAP_ROW   DOMAINS_MAX /* behind those of the domains */
_Static_assert(1u << RADIX == PAGE_POOL_EACH && BLOCK_BITS == 12 + RADIX, "a block");

static struct {
	struct domain_heap heap;
	struct page_pool pool;
	uint32_t account;
	uint32_t untyped, large; /* slots that are empty between operations; 0: not begun */
} store;

int page_store_info(uint64_t info[ROOT_INFO_WORDS])
{
	int r = root_info(info);

	info[ROOT_INFO_FREE] += page_store_open() << 12;
	info[ROOT_INFO_DOMAINS] -= page_store_open() << 12;
	return r;
}

uint64_t page_store_open(void)
{
	return page_pool_open(&store.pool);
}

int page_store_begin(void)
{
	if (store.large)
		return 0;
	if (!store.account && root_account_create(&store.account))
		return -ENOMEM;
	if (!store.pool.heap) {
		domain_heap_begin(&store.heap, HEAP_ROW);
		domain_heap_allow_more(&store.heap, DOMAIN_HEAP_MAX - DOMAIN_HEAP_BASE);
		page_pool_init(&store.pool, &store.heap);
	}
	if (!page_pool_room(&store.pool))
		return -ENOMEM;
	if (!store.untyped)
		store.untyped = (uint32_t)slot_alloc();
	store.large = store.untyped ? (uint32_t)slot_alloc() : 0;
	return store.large ? 0 : -ENOMEM;
}

static void drop(uint32_t slot)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
}

/* An object that is all of a block. */
static int object_make(seL4_Word type, unsigned radix, unsigned bits, uint32_t slot, uint64_t *block)
{
	int r = root_account_alloc_block(store.account, bits, store.untyped, block);

	if (!r && seL4_Untyped_Retype(store.untyped, type, radix, TASK_SLOT_CNODE, 0, 0, slot, 1)) {
		(void)root_account_return(store.account, *block);
		r = -ENOMEM;
	}
	drop(store.untyped);
	return r;
}

/* A record, with a CNode for its pages. */
static int block_begin(const void *owner, uint32_t *block)
{
	struct page_pool_block *b;
	uint32_t cnode;
	uint64_t of;
	int r = page_store_begin();

	if (r)
		return r;
	cnode = (uint32_t)slot_alloc();
	if (!cnode)
		return -ENOMEM;
	r = object_make(seL4_CapTableObject, RADIX, RADIX + seL4_SlotBits, cnode, &of);
	if (r) {
		slot_free(cnode);
		return r;
	}
	*block = page_pool_add(&store.pool, owner);
	b = page_pool_block(&store.pool, *block);
	if (!b) {
		drop(cnode);
		slot_free(cnode);
		(void)root_account_return(store.account, of);
		return -ENOMEM;
	}
	b->cnode = cnode;
	b->cnode_memory = of;
	return 0;
}

/* The record goes, and the CNode with what is in it. */
static void block_forget(uint32_t block)
{
	struct page_pool_block *b = page_pool_block(&store.pool, block);

	drop(b->cnode);
	slot_free(b->cnode);
	(void)root_account_return(store.account, b->cnode_memory);
	page_pool_remove(&store.pool, block);
}

/* Its memory goes back: root revokes what was made of it. */
static void block_end(uint32_t block)
{
	(void)root_account_return(store.account, page_pool_block(&store.pool, block)->memory);
	block_forget(block);
}

void page_store_promise(int64_t pages)
{
	store.pool.promised += (uint64_t)pages;
	/* blocks that were kept for this alone */
	for (uint32_t i = 0; i < store.pool.count && store.pool.whole && page_store_open() >= PAGE_POOL_EACH; i++) {
		const struct page_pool_block *b = page_pool_block(&store.pool, i);

		if (b && b->free == PAGE_POOL_EACH)
			block_end(i);
	}
}

int page_store_grow(void)
{
	struct page_pool_block *b;
	insula_Frame_Split_t s;
	uint32_t block;
	int r = block_begin(NULL, &block);

	if (r)
		return r;
	b = page_pool_block(&store.pool, block);
	r = object_make(seL4_X86_LargePageObject, 0, BLOCK_BITS, store.large, &b->memory);
	if (r) {
		block_forget(block);
		return r;
	}
	s = insula_Frame_Split(store.large, b->cnode, 0, 0, 0, 0);
	if (s.error || s.left) {
		drop(store.large);
		block_end(block);
		return -ENOMEM;
	}
	return 0;
}

int page_store_adopt(uint32_t account, uint64_t of, const void *owner, uint32_t *first)
{
	uint32_t block;
	int r = block_begin(owner, &block);

	if (r)
		return r;
	r = root_account_move(account, of, store.account);
	if (r) {
		block_forget(block);
		return r;
	}
	page_pool_block(&store.pool, block)->memory = of;
	*first = block * PAGE_POOL_EACH;
	return 0;
}

void page_store_adopt_undo(uint32_t account, uint32_t first)
{
	uint32_t block = first / PAGE_POOL_EACH;

	(void)root_account_move(store.account, page_pool_block(&store.pool, block)->memory, account);
	block_forget(block);
}

int page_store_take(const void *owner, uint32_t *hint, uint32_t *page, bool *dirty)
{
	*page = page_pool_take(&store.pool, owner, hint, dirty);
	return *page == PAGE_POOL_NONE ? -ENOMEM : 0;
}

void page_store_give(uint32_t page)
{
	if (page_pool_give(&store.pool, page) && page_store_open() >= PAGE_POOL_EACH)
		block_end(page / PAGE_POOL_EACH);
}

struct frame_place page_store_place(uint32_t page)
{
	const struct page_pool_block *b = page_pool_block(&store.pool, page / PAGE_POOL_EACH);

	return b ? (struct frame_place){.root = b->cnode, .index = page % PAGE_POOL_EACH, .depth = RADIX} : (struct frame_place){0};
}

bool page_store_shared(uint32_t page)
{
	const struct page_pool_block *b = page_pool_block(&store.pool, page / PAGE_POOL_EACH);

	return b && !b->sole;
}

uint64_t page_store_end(const void *owner)
{
	uint64_t pages = 0;

	for (uint32_t i = store.pool.count; i-- > 0;) {
		struct page_pool_block *b = page_pool_block(&store.pool, i);

		if (!b || b->sole != owner)
			continue;
		if (page_store_open() < b->free) {
			b->sole = NULL; /* its free pages are kept for others */
			continue;
		}
		pages += PAGE_POOL_EACH - b->free;
		block_end(i);
	}
	return pages;
}
