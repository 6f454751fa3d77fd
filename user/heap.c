/*
 * The heap's blocks. A block is a header, its payload, and the next block's header: payload sizes are 16 n + 0, headers 16 bytes: own size with
 * flags and mark, and the size of the block before. The stretch ends with a header of size 0 that is in use.
 */
#include "user/heap.h"

#include <string.h>

#define HEAP_MARK  0x68656170ull /* upper half of a good header's first word: sizes stay below 4 GiB * 16 */
#define HEAP_USED  1ull
#define HEAP_MIN   32u /* payload: room for the list's links */
#define HEAP_LIMIT (0xfffffff0ull)

struct heap_block {
	uint64_t word;     /* mark << 32 | payload bytes | used */
	uint64_t previous; /* payload bytes of the block before; 0: this is the first */
};
_Static_assert(sizeof(struct heap_block) == HEAP_ALIGN, "payloads are aligned");

static size_t heap_size(const struct heap_block *b)
{
	return b->word & HEAP_LIMIT;
}

static bool heap_used(const struct heap_block *b)
{
	return b->word & HEAP_USED;
}

static void heap_set(struct heap_block *b, size_t size, bool used)
{
	b->word = HEAP_MARK << 32 | size | (used ? HEAP_USED : 0);
}

static struct heap_block *heap_next(const struct heap_block *b)
{
	return (struct heap_block *)(void *)((uint8_t *)(uintptr_t)(b + 1) + heap_size(b));
}

static struct heap_block *heap_previous(const struct heap_block *b)
{
	return (struct heap_block *)(void *)((uint8_t *)(uintptr_t)b - b->previous) - 1;
}

static struct heap_free *heap_links(struct heap_block *b)
{
	return (struct heap_free *)(void *)(b + 1);
}

static struct heap_block *heap_block_of(const void *payload)
{
	return (struct heap_block *)(uintptr_t)payload - 1;
}

static unsigned heap_class(size_t size)
{
	return 63u - (unsigned)__builtin_clzll(size) - 5;
}

static bool heap_good(const struct heap *h, const struct heap_block *b)
{
	const uint8_t *p = (const uint8_t *)b;

	return p >= h->start && p + sizeof(*b) <= h->end && b->word >> 32 == HEAP_MARK && !(b->word & 0xe) &&
	       heap_size(b) <= (size_t)(h->end - p) - sizeof(*b);
}

/* ---- free lists ---- */

static void heap_insert(struct heap *h, struct heap_block *b)
{
	unsigned c = heap_class(heap_size(b));
	struct heap_free *f = heap_links(b);

	f->next = h->list[c];
	f->previous = NULL;
	if (f->next)
		f->next->previous = f;
	h->list[c] = f;
	h->nonempty |= 1ull << c;
}

static void heap_remove(struct heap *h, struct heap_block *b)
{
	unsigned c = heap_class(heap_size(b));
	struct heap_free *f = heap_links(b);

	if (f->next)
		f->next->previous = f->previous;
	if (f->previous)
		f->previous->next = f->next;
	else
		h->list[c] = f->next;
	if (!h->list[c])
		h->nonempty &= ~(1ull << c);
}

/* The smallest class first; in the class of the size itself the first that fits. */
static struct heap_block *heap_find(const struct heap *h, size_t size)
{
	unsigned c = heap_class(size);
	uint64_t larger;

	for (struct heap_free *f = h->list[c]; f; f = f->next)
		if (heap_size(heap_block_of(f)) >= size)
			return heap_block_of(f);
	larger = c + 1 < HEAP_CLASSES ? h->nonempty >> (c + 1) << (c + 1) : 0;
	return larger ? heap_block_of(h->list[__builtin_ctzll(larger)]) : NULL;
}

/* Cuts a block (in no list) to `size`; the rest, joined with what follows, goes to the lists. */
static void heap_cut(struct heap *h, struct heap_block *b, size_t size)
{
	size_t rest = heap_size(b) - size;
	struct heap_block *tail, *after = heap_next(b);

	if (!heap_used(after)) {
		heap_remove(h, after);
		rest += heap_size(after) + sizeof(*after);
		after = heap_next(after);
	}
	if (rest < sizeof(*b) + HEAP_MIN) {
		size += rest;
		heap_set(b, size, heap_used(b));
		after->previous = size;
		return;
	}
	heap_set(b, size, heap_used(b));
	tail = heap_next(b);
	heap_set(tail, rest - sizeof(*tail), false);
	tail->previous = size;
	after->previous = heap_size(tail);
	heap_insert(h, tail);
}

/* ---- the contract ---- */

void heap_init(struct heap *h, void *start, size_t bytes)
{
	struct heap_block *first = start, *last;

	memset(h, 0, sizeof(*h));
	h->start = h->end = start;
	bytes &= ~(size_t)(HEAP_ALIGN - 1);
	if (bytes < 128)
		return;
	if (bytes > HEAP_LIMIT)
		bytes = HEAP_LIMIT;
	h->end = h->start + bytes;
	heap_set(first, bytes - 2 * sizeof(*first), false);
	first->previous = 0;
	last = heap_next(first);
	heap_set(last, 0, true);
	last->previous = heap_size(first);
	heap_insert(h, first);
}

/* The end's header becomes a block's, which is freed as if it had been handed out. */
bool heap_extend(struct heap *h, size_t bytes)
{
	struct heap_block *b = (struct heap_block *)(void *)h->end - 1, *last;

	if (bytes % HEAP_ALIGN || bytes < 64 || bytes > HEAP_LIMIT - (size_t)(h->end - h->start))
		return false;
	if (h->start == h->end) {
		heap_init(h, h->start, bytes);
		return h->start != h->end;
	}
	h->end += bytes;
	heap_set(b, bytes - sizeof(*b), true);
	last = heap_next(b);
	heap_set(last, 0, true);
	last->previous = heap_size(b);
	h->used += bytes;
	return heap_free(h, b + 1);
}

/* The end's header becomes that of a block which is the gap, and never freed. */
bool heap_extend_at(struct heap *h, void *start, size_t bytes)
{
	struct heap_block *gap = (struct heap_block *)(void *)h->end - 1, *b = start, *last;
	size_t between;

	if (start == h->end && h->start != h->end)
		return heap_extend(h, bytes);
	if (h->start == h->end || (uint8_t *)start < h->end || (uintptr_t)start % HEAP_ALIGN || bytes % HEAP_ALIGN || bytes < 128 || bytes > HEAP_LIMIT)
		return false;
	between = (size_t)((uint8_t *)start - h->end);
	if (between > HEAP_LIMIT - bytes || (size_t)(h->end - h->start) > HEAP_LIMIT - bytes - between)
		return false;
	h->end = (uint8_t *)start + bytes;
	heap_set(gap, between, true);
	heap_set(b, bytes - 2 * sizeof(*b), true);
	b->previous = between;
	last = heap_next(b);
	heap_set(last, 0, true);
	last->previous = heap_size(b);
	h->used += between + bytes;
	return heap_free(h, b + 1);
}

static size_t heap_round(size_t n)
{
	return n < HEAP_MIN ? HEAP_MIN : (n + HEAP_ALIGN - 1) & ~(size_t)(HEAP_ALIGN - 1);
}

void *heap_alloc(struct heap *h, size_t n)
{
	return heap_alloc_aligned(h, HEAP_ALIGN, n);
}

void *heap_alloc_aligned(struct heap *h, size_t align, size_t n)
{
	struct heap_block *b;
	uintptr_t payload, aligned;

	if (align < HEAP_ALIGN)
		align = HEAP_ALIGN;
	if (n > HEAP_LIMIT / 2 || align > HEAP_LIMIT / 4)
		return NULL;
	n = heap_round(n);
	/* room for a free block of its own before the aligned payload */
	b = heap_find(h, align == HEAP_ALIGN ? n : n + align + sizeof(*b) + HEAP_MIN);
	if (!b)
		return NULL;
	heap_remove(h, b);
	payload = (uintptr_t)(b + 1);
	aligned = (payload + align - 1) & ~(uintptr_t)(align - 1);
	if (aligned != payload) {
		struct heap_block *front = b;
		size_t whole = heap_size(b);

		if (aligned - payload < sizeof(*b) + HEAP_MIN)
			aligned += align * ((sizeof(*b) + HEAP_MIN + align - 1) / align);
		b = heap_block_of((void *)aligned);
		heap_set(front, (size_t)(aligned - payload) - sizeof(*b), false);
		heap_set(b, whole - (size_t)(aligned - payload), true);
		b->previous = heap_size(front);
		heap_next(b)->previous = heap_size(b);
		heap_insert(h, front);
	}
	heap_set(b, heap_size(b), true);
	heap_cut(h, b, n);
	h->used += heap_size(b) + sizeof(*b);
	return b + 1;
}

/* A payload that is handed out, its neighbours' headers agreeing; NULL if not. */
static struct heap_block *heap_handed_out(const struct heap *h, const void *p)
{
	struct heap_block *b = heap_block_of(p), *next;

	if ((uintptr_t)p % HEAP_ALIGN || !heap_good(h, b) || !heap_used(b) || heap_size(b) == 0)
		return NULL;
	next = heap_next(b);
	if (!heap_good(h, next) || next->previous != heap_size(b))
		return NULL;
	if (b->previous && (b->previous > (size_t)((uint8_t *)b - h->start) || !heap_good(h, heap_previous(b)) ||
			    heap_size(heap_previous(b)) != b->previous))
		return NULL;
	return b;
}

bool heap_free(struct heap *h, void *p)
{
	struct heap_block *b = heap_handed_out(h, p), *next;

	if (!b)
		return false;
	h->used -= heap_size(b) + sizeof(*b);
	heap_set(b, heap_size(b), false);
	next = heap_next(b);
	if (!heap_used(next)) {
		heap_remove(h, next);
		heap_set(b, heap_size(b) + sizeof(*b) + heap_size(next), false);
	}
	if (b->previous && !heap_used(heap_previous(b))) {
		struct heap_block *before = heap_previous(b);

		heap_remove(h, before);
		heap_set(before, heap_size(before) + sizeof(*b) + heap_size(b), false);
		b->word = 0; /* a second free of it is noticed */
		b = before;
	}
	heap_next(b)->previous = heap_size(b);
	heap_insert(h, b);
	return true;
}

size_t heap_size_of(const struct heap *h, const void *p)
{
	const struct heap_block *b = heap_handed_out(h, p);

	return b ? heap_size(b) : 0;
}

bool heap_resize(struct heap *h, void *p, size_t n)
{
	struct heap_block *b = heap_handed_out(h, p), *next;
	size_t old;

	if (!b || n > HEAP_LIMIT / 2)
		return false;
	n = heap_round(n);
	old = heap_size(b);
	next = heap_next(b);
	if (n > old) {
		if (heap_used(next) || old + sizeof(*b) + heap_size(next) < n)
			return false;
		heap_remove(h, next);
		heap_set(b, old + sizeof(*b) + heap_size(next), true);
		heap_next(b)->previous = heap_size(b);
	}
	heap_cut(h, b, n);
	h->used = h->used - old + heap_size(b);
	return true;
}

bool heap_check(const struct heap *h)
{
	const struct heap_block *b = (const struct heap_block *)(const void *)h->start;
	size_t previous = 0, used = 0, free_blocks = 0, listed = 0;
	bool before_free = false;

	if (h->start == h->end)
		return true;
	for (;; b = heap_next(b)) {
		if (!heap_good(h, b) || b->previous != previous || (before_free && !heap_used(b)))
			return false;
		if (heap_size(b) == 0)
			break;
		previous = heap_size(b);
		before_free = !heap_used(b);
		if (heap_used(b))
			used += heap_size(b) + sizeof(*b);
		else
			free_blocks++;
	}
	for (unsigned c = 0; c < HEAP_CLASSES; c++) {
		if (!!h->list[c] != !!(h->nonempty >> c & 1))
			return false;
		for (struct heap_free *f = h->list[c]; f; f = f->next, listed++)
			if (heap_used(heap_block_of(f)) || heap_class(heap_size(heap_block_of(f))) != c)
				return false;
	}
	return (const uint8_t *)(b + 1) == h->end && used == h->used && free_blocks == listed;
}
