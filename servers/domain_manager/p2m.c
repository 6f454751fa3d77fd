#include "servers/domain_manager/p2m.h"

#include <errno.h>
#include <string.h>

/* A word: kind in the upper 4 bits, frame in the lower 28. */
#define WORD_KIND_SHIFT 28
#define NO_REGION	UINT32_MAX

struct p2m_region {
	uint32_t index; /* gfn >> P2M_LARGE_ORDER */
	union {
		uint32_t large; /* a word, if small is NULL */
		uint32_t used;	/* else: words of small that are not 0; 0: there is nothing (p2m.h, empty) */
	};
	uint32_t *small;
	struct p2m_note note;
};
_Static_assert(P2M_GFN_LIMIT >> P2M_LARGE_ORDER <= NO_REGION, "a region's index");

static uint32_t word_of(struct p2m_entry e)
{
	return (uint32_t)e.kind << WORD_KIND_SHIFT | e.frame;
}

static struct p2m_entry entry_of(uint32_t word, bool large)
{
	return (struct p2m_entry){.kind = (enum p2m_kind)(word >> WORD_KIND_SHIFT), .large = large, .frame = word & (P2M_FRAME_LIMIT - 1)};
}

static const struct p2m_entry nothing = {.kind = P2M_NONE};

void p2m_init(struct p2m *p, struct domain_heap *heap)
{
	*p = (struct p2m){.heap = heap, .empty = NO_REGION};
}

void p2m_free(struct p2m *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		domain_heap_free(p->heap, p->region[i].small);
	domain_heap_free(p->heap, p->spare);
	domain_heap_free(p->heap, p->region);
	p2m_init(p, p->heap);
}

/* The first region whose index is not below this. */
static uint32_t find(const struct p2m *p, uint32_t index)
{
	uint32_t low = 0, high = p->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (p->region[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool region_is(const struct p2m *p, uint32_t i, uint64_t gfn)
{
	return i < p->count && p->region[i].index == gfn >> P2M_LARGE_ORDER;
}

static inline struct p2m_region *region_any(const struct p2m *p, uint64_t gfn)
{
	uint32_t i = p->last;

	if (gfn >= P2M_GFN_LIMIT)
		return NULL;
	if (!region_is(p, i, gfn))
		i = find(p, (uint32_t)(gfn >> P2M_LARGE_ORDER));
	return region_is(p, i, gfn) ? &p->region[i] : NULL;
}

/* One in which something is. */
static inline struct p2m_region *region_of(const struct p2m *p, uint64_t gfn)
{
	return gfn >> P2M_LARGE_ORDER == p->empty ? NULL : region_any(p, gfn);
}

/* To be changed. */
static inline struct p2m_region *region_at(struct p2m *p, uint64_t gfn)
{
	struct p2m_region *r = region_of(p, gfn);

	if (r)
		p->last = (uint32_t)(r - p->region);
	return r;
}

/* Nothing is in it any more. */
static void region_remove(struct p2m *p, struct p2m_region *r)
{
	uint32_t at = (uint32_t)(r - p->region);

	if (p->spare)
		domain_heap_free(p->heap, r->small);
	else
		p->spare = r->small;
	memmove(r, r + 1, (p->count - at - 1) * sizeof(*r));
	p->count--;
}

static void empty_remove(struct p2m *p)
{
	if (p->empty != NO_REGION)
		region_remove(p, region_any(p, (uint64_t)p->empty << P2M_LARGE_ORDER));
	p->empty = NO_REGION;
}

/* Its last page went. */
static void region_emptied(struct p2m *p, struct p2m_region *r)
{
	uint32_t index = r->index;

	r->note = (struct p2m_note){0};
	if (p->empty != NO_REGION) {
		empty_remove(p);
		r = region_any(p, (uint64_t)index << P2M_LARGE_ORDER);
		p->last = (uint32_t)(r - p->region);
	}
	p->empty = index;
}

/* For single pages, at gfn where nothing is in all of the 2 MiB. */
static struct p2m_region *region_again(struct p2m *p, uint64_t gfn)
{
	if (gfn >> P2M_LARGE_ORDER != p->empty)
		return NULL;
	p->empty = NO_REGION;
	return region_at(p, gfn);
}

static struct p2m_region *region_add(struct p2m *p, uint64_t gfn)
{
	uint32_t index = (uint32_t)(gfn >> P2M_LARGE_ORDER), at;

	empty_remove(p);
	at = find(p, index);
	if (p->count == p->room) {
		uint32_t room = p->room ? p->room * 2 : 16;
		struct p2m_region *more = domain_heap_resize(p->heap, p->region, room, sizeof(*more));

		if (!more)
			return NULL;
		p->region = more;
		p->room = room;
	}
	memmove(&p->region[at + 1], &p->region[at], (p->count - at) * sizeof(p->region[0]));
	p->region[at] = (struct p2m_region){.index = index};
	p->count++;
	p->last = at;
	return &p->region[at];
}

static uint32_t *words_take(struct p2m *p)
{
	uint32_t *words = p->spare;

	p->spare = NULL;
	return words ? words : domain_heap_alloc(p->heap, P2M_LARGE_PAGES, sizeof(words[0]));
}

static struct p2m_entry entry_in(const struct p2m_region *r, uint64_t gfn)
{
	if (!r)
		return nothing;
	return r->small ? entry_of(r->small[gfn % P2M_LARGE_PAGES], false) : entry_of(r->large, true);
}

struct p2m_entry p2m_get(const struct p2m *p, uint64_t gfn)
{
	return entry_in(region_of(p, gfn), gfn);
}

int p2m_set(struct p2m *p, uint64_t gfn, struct p2m_entry e)
{
	struct p2m_region *r = region_at(p, gfn);

	if (gfn >= P2M_GFN_LIMIT || e.kind == P2M_NONE || e.frame >= P2M_FRAME_LIMIT || (e.large && gfn % P2M_LARGE_PAGES))
		return -EINVAL;
	if (r && (e.large || !r->small || r->small[gfn % P2M_LARGE_PAGES]))
		return -EEXIST;
	if (!r && !e.large)
		r = region_again(p, gfn);
	if (!r) {
		r = region_add(p, gfn);
		if (!r)
			return -ENOMEM;
		if (!e.large) {
			r->small = words_take(p);
			if (!r->small) {
				region_remove(p, r);
				return -ENOMEM;
			}
		}
	}
	if (e.large) {
		r->large = word_of(e);
	} else {
		r->small[gfn % P2M_LARGE_PAGES] = word_of(e);
		r->used++;
	}
	p->pages[e.kind] += e.large ? P2M_LARGE_PAGES : 1;
	return 0;
}

int p2m_clear(struct p2m *p, uint64_t gfn)
{
	struct p2m_region *r = region_at(p, gfn);
	struct p2m_entry e = entry_in(r, gfn);

	if (e.kind == P2M_NONE)
		return -ENOENT;
	p->pages[e.kind] -= e.large ? P2M_LARGE_PAGES : 1;
	if (!r->small) {
		region_remove(p, r);
		return 0;
	}
	r->small[gfn % P2M_LARGE_PAGES] = 0;
	if (--r->used == 0)
		region_emptied(p, r);
	return 0;
}

int p2m_split(struct p2m *p, uint64_t gfn, uint32_t first)
{
	struct p2m_region *r;
	struct p2m_entry e;

	empty_remove(p);
	r = region_at(p, gfn);
	if (!r || r->small)
		return -ENOENT;
	if (first > P2M_FRAME_LIMIT - P2M_LARGE_PAGES)
		return -EINVAL;
	e = entry_of(r->large, false);
	r->small = words_take(p);
	if (!r->small)
		return -ENOMEM;
	r->used = P2M_LARGE_PAGES;
	for (uint32_t i = 0; i < P2M_LARGE_PAGES; i++) {
		e.frame = first + i;
		r->small[i] = word_of(e);
	}
	return 0;
}

static int change(struct p2m *p, uint64_t gfn, enum p2m_kind from, enum p2m_kind to)
{
	struct p2m_region *r = region_at(p, gfn);
	uint32_t *word = r && r->small ? &r->small[gfn % P2M_LARGE_PAGES] : NULL;

	if (!word || entry_of(*word, false).kind != from)
		return -ENOENT;
	*word = word_of((struct p2m_entry){.kind = to, .frame = *word & (P2M_FRAME_LIMIT - 1)});
	p->pages[from]--;
	p->pages[to]++;
	if (to == P2M_OUT)
		r->note.out++;
	else if (from == P2M_OUT)
		r->note.out--;
	return 0;
}

int p2m_out(struct p2m *p, uint64_t gfn)
{
	return change(p, gfn, P2M_RAM, P2M_OUT);
}

int p2m_in(struct p2m *p, uint64_t gfn)
{
	return change(p, gfn, P2M_OUT, P2M_RAM);
}

int p2m_give(struct p2m *p, uint64_t gfn)
{
	return change(p, gfn, P2M_OUT, P2M_GIVEN);
}

int p2m_replace(struct p2m *p, uint64_t gfn)
{
	return change(p, gfn, P2M_GIVEN, P2M_RAM);
}

struct p2m_note *p2m_note(struct p2m *p, uint64_t gfn)
{
	struct p2m_region *r = region_at(p, gfn);

	return r ? &r->note : NULL;
}

bool p2m_next(const struct p2m *p, uint64_t gfn, uint64_t *found)
{
	if (gfn >= P2M_GFN_LIMIT)
		return false;
	for (uint32_t i = find(p, (uint32_t)(gfn >> P2M_LARGE_ORDER)); i < p->count; i++) {
		const struct p2m_region *r = &p->region[i];
		uint64_t base = (uint64_t)r->index << P2M_LARGE_ORDER, from = gfn > base ? gfn - base : 0;

		for (uint64_t k = from; k < P2M_LARGE_PAGES; k++)
			if (!r->small || r->small[k]) {
				*found = base + k;
				return true;
			}
	}
	return false;
}
