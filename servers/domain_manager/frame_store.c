#include "servers/domain_manager/frame_store.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "user/slot.h"

#define MAP_WORDS   (FRAME_CHUNK / 64u)
#define FEW_PLACES  128u /* of the first chunk of each kind: a small domain needs no more */

/* A row of places for each copy. */
struct frame_chunk {
	uint32_t cnode; /* our slot */
	uint16_t used, places;
	uint8_t radix, from; /* of its CNode; words of the map below this one have no free place */
	bool single; /* without the row of FRAME_OWNER */
	uint64_t map[MAP_WORDS]; /* set: taken, or none of the places */
};
_Static_assert(FRAME_OWNER == 0 && FRAME_COPIES == 3 && FRAME_CHUNK == 512 && FEW_PLACES == 128, "radix_of");

/* Slots for three rows, rounded up, or for two. */
static uint8_t radix_of(bool few, bool single)
{
	return (uint8_t)((few ? 7u : 9u) + (single ? 1u : 2u));
}

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

static int chunk_add(struct frame_store *s, bool single, bool few)
{
	struct frame_chunk *more = domain_heap_resize(s->heap, s->chunk, s->chunks + 1, sizeof(*more)), *c;
	uint32_t slot;

	if (!more)
		return -ENOMEM;
	s->chunk = more;
	slot = (uint32_t)slot_alloc();
	if (!slot)
		return -ENOMEM;
	if (object_pool_make(s->pool, seL4_CapTableObject, radix_of(few, single), TASK_SLOT_CNODE, slot)) {
		slot_free(slot);
		return -ENOMEM;
	}
	c = &s->chunk[s->chunks++];
	*c = (struct frame_chunk){.cnode = slot, .places = few ? FEW_PLACES : FRAME_CHUNK, .radix = radix_of(few, single), .single = single};
	for (uint32_t w = c->places / 64; w < MAP_WORDS; w++)
		c->map[w] = ~0ull;
	return 0;
}

static uint32_t free_in(struct frame_chunk *c)
{
	uint32_t w = c->from;

	while (!~c->map[w])
		w++;
	c->from = (uint8_t)w;
	return w * 64 + (uint32_t)__builtin_ctzll(~c->map[w]);
}

static bool has_room(const struct frame_chunk *c, bool single)
{
	return c->single == single && c->used < c->places;
}

/* A chunk with a free place: the one that was used last, another, or a new one. */
static int chunk_find(struct frame_store *s, bool single, uint32_t *chunk)
{
	uint32_t i = s->last[single];
	bool few = true;
	int r;

	if (i < s->chunks && has_room(&s->chunk[i], single)) {
		*chunk = i;
		return 0;
	}
	for (i = 0; i < s->chunks && !has_room(&s->chunk[i], single); i++)
		few = few && s->chunk[i].single != single;
	r = i == s->chunks ? chunk_add(s, single, few) : 0;
	*chunk = s->last[single] = i;
	return r;
}

static int take(struct frame_store *s, bool single, uint32_t *frame)
{
	struct frame_chunk *c;
	uint32_t i, k;
	int r = chunk_find(s, single, &i);

	if (r)
		return r;
	c = &s->chunk[i];
	k = free_in(c);
	c->map[k / 64] |= 1ull << (k % 64);
	c->used++;
	*frame = i * FRAME_CHUNK + k;
	return 0;
}

int frame_store_take(struct frame_store *s, uint32_t *frame)
{
	return take(s, false, frame);
}

int frame_store_take_single(struct frame_store *s, uint32_t *frame)
{
	return take(s, true, frame);
}

int frame_store_take_chunk(struct frame_store *s, uint32_t *first)
{
	struct frame_chunk *c;
	uint32_t i = 0;
	int r;

	while (i < s->chunks && (s->chunk[i].used || !s->chunk[i].single || s->chunk[i].places != FRAME_CHUNK))
		i++;
	r = i == s->chunks ? chunk_add(s, true, false) : 0;
	if (r)
		return r;
	c = &s->chunk[i];
	memset(c->map, 0xff, sizeof(c->map));
	c->used = FRAME_CHUNK;
	*first = i * FRAME_CHUNK;
	return 0;
}

bool frame_store_is_single(const struct frame_store *s, uint32_t frame)
{
	return s->chunk[frame / FRAME_CHUNK].single;
}

struct frame_place frame_store_place(const struct frame_store *s, uint32_t frame, enum frame_copy copy)
{
	const struct frame_chunk *c = &s->chunk[frame / FRAME_CHUNK];
	seL4_Word row = copy - (seL4_Word)c->single;

	return (struct frame_place){.root = c->cnode, .index = row * c->places + frame % FRAME_CHUNK, .depth = c->radix};
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
	if (k / 64 < c->from)
		c->from = (uint8_t)(k / 64);
	c->used--;
	s->last[c->single] = frame / FRAME_CHUNK;
}

void frame_store_give(struct frame_store *s, uint32_t frame)
{
	for (unsigned copy = FRAME_COPIES; copy-- > (frame_store_is_single(s, frame) ? 1u : 0u);)
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
	c->used = c->from = 0;
}
