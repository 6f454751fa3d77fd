/*
 * The record of memory that is handed out by single pages: blocks of 2 MiB, which of their pages are free, and what is kept for whom. Pages of one block may be several
 * domains'. Pure: it knows neither capabilities nor root (page_store.h).
 */
#ifndef DOMAIN_MANAGER_PAGE_POOL_H
#define DOMAIN_MANAGER_PAGE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/domain_heap.h"

#define PAGE_POOL_EACH	 512u	   /* pages of a block */
#define PAGE_POOL_BLOCKS (1u << 18) /* at most: 512 GiB */
#define PAGE_POOL_NONE	 UINT32_MAX

struct page_pool_block {
	bool used;
	uint16_t free;		     /* of its pages */
	uint32_t cnode;		     /* these three are the caller's: where the pages' capabilities are, */
	uint64_t memory, cnode_memory; /* and root's numbers of what was had for both */
	const void *sole;		     /* whose all its pages are that are not free; NULL: several domains', or nobody's */
	uint64_t map[PAGE_POOL_EACH / 64];   /* set: free */
	uint64_t dirty[PAGE_POOL_EACH / 64]; /* set: somebody has used it */
};

/* A page's number: its block's, times PAGE_POOL_EACH, and its own. */
struct page_pool {
	struct domain_heap *heap;
	struct page_pool_block *block;
	uint32_t count, room;
	uint64_t free;	   /* pages */
	uint64_t promised; /* of these, kept for domains */
	uint32_t whole;	   /* blocks of which all pages are free */
};

void page_pool_init(struct page_pool *p, struct domain_heap *heap);
/* There is room for one block more. False: there is no memory for it. */
bool page_pool_room(struct page_pool *p);

/* A block whose pages are all free and clean, or (owner) all of one domain's. PAGE_POOL_NONE: there is no memory for the record. */
uint32_t page_pool_add(struct page_pool *p, const void *owner);
/* It is no more. None of its free pages may be promised. */
void page_pool_remove(struct page_pool *p, uint32_t block);
struct page_pool_block *page_pool_block(struct page_pool *p, uint32_t block);

/* What is not promised. */
static inline uint64_t page_pool_open(const struct page_pool *p)
{
	return p->free - p->promised;
}

/*
 * An open page for a domain, PAGE_POOL_NONE if there is none: of block *hint if that has one (it is the one taken from afterwards), else of one that is the domain's
 * alone, else of that with the fewest free, so that the others become whole again. *dirty: it must be cleared.
 */
uint32_t page_pool_take(struct page_pool *p, const void *owner, uint32_t *hint, bool *dirty);
/* It is free again. True: all of its block is. */
bool page_pool_give(struct page_pool *p, uint32_t page);

#endif
