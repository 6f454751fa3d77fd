#include "servers/domain_manager/frame_store.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "user/slot.h"

#define CHUNK_RADIX 11u /* FRAME_COPIES * FRAME_CHUNK slots, rounded up */
#define MAP_WORDS   (FRAME_CHUNK / 64u)

struct frame_chunk {
	uint32_t cnode; /* our slot */
	uint32_t used;
	uint64_t map[MAP_WORDS];
};
_Static_assert(FRAME_COPIES * FRAME_CHUNK <= 1u << CHUNK_RADIX, "a chunk's CNode");

void frame_store_init(struct frame_store *s, struct object_pool *pool, struct domain_heap *heap)
{
	*s = (struct frame_store){.pool = pool, .heap = heap};
}

void frame_store_end(struct frame_store *s)
{
	for (uint32_t i = 0; i < s->chunks; i++) {
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, s->chunk[i].cnode, seL4_WordBits);
		slot_free(s->chunk[i].cnode);
	}
	if (s->heap)
		domain_heap_free(s->heap, s->chunk);
	*s = (struct frame_store){0};
}

static int chunk_add(struct frame_store *s)
{
	struct frame_chunk *more = domain_heap_resize(s->heap, s->chunk, s->chunks + 1, sizeof(*more));
	uint32_t slot;

	if (!more)
		return -ENOMEM;
	s->chunk = more;
	slot = (uint32_t)slot_alloc();
	if (!slot)
		return -ENOMEM;
	if (object_pool_make(s->pool, seL4_CapTableObject, CHUNK_RADIX, TASK_SLOT_CNODE, slot)) {
		slot_free(slot);
		return -ENOMEM;
	}
	s->chunk[s->chunks++] = (struct frame_chunk){.cnode = slot};
	return 0;
}

static uint32_t free_in(const struct frame_chunk *c)
{
	for (uint32_t w = 0; w < MAP_WORDS; w++)
		if (~c->map[w])
			return w * 64 + (uint32_t)__builtin_ctzll(~c->map[w]);
	return FRAME_CHUNK;
}

int frame_store_take(struct frame_store *s, uint32_t *frame)
{
	for (uint32_t i = 0;; i++) {
		int r = i == s->chunks ? chunk_add(s) : 0;
		uint32_t k;

		if (r)
			return r;
		if (s->chunk[i].used == FRAME_CHUNK)
			continue;
		k = free_in(&s->chunk[i]);
		s->chunk[i].map[k / 64] |= 1ull << (k % 64);
		s->chunk[i].used++;
		*frame = i * FRAME_CHUNK + k;
		return 0;
	}
}

int frame_store_take_chunk(struct frame_store *s, uint32_t *first)
{
	for (uint32_t i = 0;; i++) {
		int r = i == s->chunks ? chunk_add(s) : 0;

		if (r)
			return r;
		if (s->chunk[i].used)
			continue;
		memset(s->chunk[i].map, 0xff, sizeof(s->chunk[i].map));
		s->chunk[i].used = FRAME_CHUNK;
		*first = i * FRAME_CHUNK;
		return 0;
	}
}

struct frame_place frame_store_place(const struct frame_store *s, uint32_t frame, enum frame_copy copy)
{
	return (struct frame_place){.root = s->chunk[frame / FRAME_CHUNK].cnode, .index = copy * FRAME_CHUNK + frame % FRAME_CHUNK, .depth = CHUNK_RADIX};
}

static void copy_delete(struct frame_store *s, uint32_t frame, enum frame_copy copy)
{
	struct frame_place p = frame_store_place(s, frame, copy);

	(void)seL4_CNode_Delete(p.root, p.index, p.depth);
}

static void place_free(struct frame_store *s, uint32_t frame)
{
	struct frame_chunk *c = &s->chunk[frame / FRAME_CHUNK];
	uint32_t k = frame % FRAME_CHUNK;

	c->map[k / 64] &= ~(1ull << (k % 64));
	c->used--;
}

void frame_store_give(struct frame_store *s, uint32_t frame)
{
	for (unsigned copy = FRAME_COPIES; copy-- > 0;)
		copy_delete(s, frame, (enum frame_copy)copy);
	place_free(s, frame);
}

void frame_store_give_one(struct frame_store *s, uint32_t frame)
{
	copy_delete(s, frame, FRAME_OWNER);
	place_free(s, frame);
}

void frame_store_give_chunk(struct frame_store *s, uint32_t first)
{
	struct frame_chunk *c = &s->chunk[first / FRAME_CHUNK];

	memset(c->map, 0, sizeof(c->map));
	c->used = 0;
}
