#include "servers/domain_manager/page_pool.h"

#include <string.h>

void page_pool_init(struct page_pool *p, struct domain_heap *heap)
{
	*p = (struct page_pool){.heap = heap};
}

/* The first record that is not in use; `count` if there is none before. */
static uint32_t place(const struct page_pool *p)
{
	uint32_t i = 0;

	while (i < p->count && p->block[i].used)
		i++;
	return i;
}

bool page_pool_room(struct page_pool *p)
{
	uint32_t room = p->room ? p->room * 2 : 16;
	struct page_pool_block *more;

	if (place(p) < p->room)
		return true;
	more = room > PAGE_POOL_BLOCKS ? NULL : domain_heap_resize(p->heap, p->block, room, sizeof(*more));
	if (!more)
		return false;
	p->block = more;
	p->room = room;
	return true;
}

uint32_t page_pool_add(struct page_pool *p, const void *owner)
{
	uint32_t i;

	if (!page_pool_room(p))
		return PAGE_POOL_NONE;
	i = place(p);
	p->count += i == p->count;
	p->block[i] = (struct page_pool_block){.used = true, .sole = owner};
	if (owner)
		return i;
	p->block[i].free = PAGE_POOL_EACH;
	memset(p->block[i].map, 0xff, sizeof(p->block[i].map));
	p->free += PAGE_POOL_EACH;
	p->whole++;
	return i;
}

void page_pool_remove(struct page_pool *p, uint32_t block)
{
	p->free -= p->block[block].free;
	p->whole -= p->block[block].free == PAGE_POOL_EACH;
	p->block[block].used = false;
	p->block[block].free = 0;
	while (p->count && !p->block[p->count - 1].used)
		p->count--;
}

struct page_pool_block *page_pool_block(struct page_pool *p, uint32_t block)
{
	return block < p->count && p->block[block].used ? &p->block[block] : NULL;
}

/* Where the next page for this domain comes from. */
static uint32_t choose(const struct page_pool *p, const void *owner)
{
	uint32_t best = PAGE_POOL_NONE;

	for (uint32_t i = 0; i < p->count; i++) {
		const struct page_pool_block *b = &p->block[i];

		if (!b->free)
			continue;
		if (b->sole == owner)
			return i;
		if (best == PAGE_POOL_NONE || b->free < p->block[best].free)
			best = i;
	}
	return best;
}

uint32_t page_pool_take(struct page_pool *p, const void *owner, uint32_t *hint, bool *dirty)
{
	struct page_pool_block *b = page_pool_block(p, *hint);
	uint32_t k = 0;

	if (page_pool_open(p) == 0)
		return PAGE_POOL_NONE;
	if (!b || !b->free) {
		*hint = choose(p, owner);
		b = &p->block[*hint];
	}
	while (!b->map[k / 64])
		k += 64;
	k += (uint32_t)__builtin_ctzll(b->map[k / 64]);
	*dirty = b->dirty[k / 64] >> (k % 64) & 1;
	b->map[k / 64] &= ~(1ull << (k % 64));
	b->dirty[k / 64] |= 1ull << (k % 64);
	b->sole = b->free == PAGE_POOL_EACH || b->sole == owner ? owner : NULL;
	p->whole -= b->free == PAGE_POOL_EACH;
	b->free--;
	p->free--;
	return *hint * PAGE_POOL_EACH + k;
}

bool page_pool_give(struct page_pool *p, uint32_t page)
{
	struct page_pool_block *b = &p->block[page / PAGE_POOL_EACH];
	uint32_t k = page % PAGE_POOL_EACH;

	b->map[k / 64] |= 1ull << (k % 64);
	b->dirty[k / 64] |= 1ull << (k % 64);
	b->free++;
	p->free++;
	p->whole += b->free == PAGE_POOL_EACH;
	return b->free == PAGE_POOL_EACH;
}
