/*
 * What we note of a domain: a heap for each, so that none uses up what others need. It grows by memory of an account of the domain's own at root, up to a limit; then,
 * and when root has no more, allocation fails, and what was asked of us ends with -ENOMEM.
 */
#ifndef DOMAIN_MANAGER_DOMAIN_HEAP_H
#define DOMAIN_MANAGER_DOMAIN_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include "user/heap.h"

#define DOMAIN_HEAP_MAX	 (32ull << 20) /* of one domain */
#define DOMAIN_HEAP_BASE (4ull << 20)
#define DOMAIN_HEAP_STEP 16384u /* by which it grows, at least */
#define DOMAIN_HEAP_BLOCK (256u << 10) /* of memory, at most */

struct domain_heap {
	struct heap heap;
	uint64_t bytes, limit; /* what it has; what it may have */
	uint64_t base;	       /* of that, what is not for its pages */
	/* Memory at `at`, where `bytes` of it are to be; zeroed or not. 0 or -ENOMEM, then none of it is there. */
	int (*more)(struct domain_heap *h, uint8_t *at, uint64_t bytes);
	/* domain_heap_pages.c */
	uint32_t account, pages;
	uint32_t slot_cnode[64], slot_untyped;
};

/* Empty, at `start`, where there is room for DOMAIN_HEAP_MAX. */
void domain_heap_init(struct domain_heap *h, void *start, int (*more)(struct domain_heap *h, uint8_t *at, uint64_t bytes));
/* For a domain of so many pages: what is noted of its memory, all of it in single pages, has room. Never less than before. */
void domain_heap_allow(struct domain_heap *h, uint64_t pages);
/* For something else, beside its pages. */
void domain_heap_allow_more(struct domain_heap *h, uint32_t bytes);

/* Zeroed; NULL: the limit is reached, or there is no memory. */
void *domain_heap_alloc(struct domain_heap *h, size_t count, size_t size);
/* As realloc: the new part is not zeroed; NULL: p is as it was. */
void *domain_heap_resize(struct domain_heap *h, void *p, size_t count, size_t size);
void domain_heap_free(struct domain_heap *h, void *p);

/* ---- domain_heap_pages.c ---- */
/* The heap of the table's row n; of row DOMAINS_MAX: of no domain. */
void domain_heap_begin(struct domain_heap *h, unsigned n);
/* All of it goes back to root, whatever still lies in it. */
void domain_heap_end(struct domain_heap *h);

#endif
