#include "servers/domain_manager/domain_heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_EXTRA 64u /* what a heap needs beyond a payload that is all of it: two headers, rounded up */

void domain_heap_init(struct domain_heap *h, void *start, int (*more)(struct domain_heap *h, uint8_t *at, uint64_t bytes))
{
	*h = (struct domain_heap){.base = DOMAIN_HEAP_BASE, .limit = DOMAIN_HEAP_BASE, .more = more};
	heap_init(&h->heap, start, 0);
}

static void limit_raise(struct domain_heap *h, uint64_t limit)
{
	if (limit > DOMAIN_HEAP_MAX)
		limit = DOMAIN_HEAP_MAX;
	if (limit > h->limit)
		h->limit = limit;
}

#define PAGE_NOTES 12u /* 2 MiB in single pages: some 4.2 KiB, and half of that again for a moment where the table of them grows */

void domain_heap_allow(struct domain_heap *h, uint64_t pages)
{
	limit_raise(h, pages < DOMAIN_HEAP_MAX / PAGE_NOTES ? h->base + pages * PAGE_NOTES : DOMAIN_HEAP_MAX);
}

void domain_heap_allow_more(struct domain_heap *h, uint32_t bytes)
{
	h->base += bytes;
	limit_raise(h, h->limit + bytes);
}

/* By which it grows if there is so much. Root notes each block, and has room for some thousands. */
static uint64_t part_of(uint64_t bytes)
{
	uint64_t part = DOMAIN_HEAP_STEP;

	while (part < DOMAIN_HEAP_BLOCK && part * 16 <= bytes)
		part *= 2;
	return part;
}

static void *take(struct domain_heap *h, size_t n)
{
	void *p = heap_alloc(&h->heap, n);
	uint64_t bytes = (n + BLOCK_EXTRA + DOMAIN_HEAP_STEP - 1) / DOMAIN_HEAP_STEP * DOMAIN_HEAP_STEP, part = part_of(h->bytes), room = h->limit - h->bytes;

	if (p || n > DOMAIN_HEAP_MAX || bytes > room)
		return p;
	if (part > bytes && part <= room && !h->more(h, h->heap.start + h->bytes, part))
		bytes = part;
	else if (h->more(h, h->heap.start + h->bytes, bytes))
		return NULL;
	h->bytes += bytes;
	return heap_extend(&h->heap, bytes) ? heap_alloc(&h->heap, n) : NULL;
}

void *domain_heap_alloc(struct domain_heap *h, size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	p = take(h, n);
	if (p)
		memset(p, 0, n);
	return p;
}

void *domain_heap_resize(struct domain_heap *h, void *p, size_t count, size_t size)
{
	size_t n, old;
	void *to;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	if (!p)
		return take(h, n);
	if (heap_resize(&h->heap, p, n))
		return p;
	old = heap_size_of(&h->heap, p);
	to = take(h, n);
	if (!to)
		return NULL;
	memcpy(to, p, old < n ? old : n);
	domain_heap_free(h, p);
	return to;
}

void domain_heap_free(struct domain_heap *h, void *p)
{
	if (p && !heap_free(&h->heap, p))
		abort(); /* it is damaged */
}
