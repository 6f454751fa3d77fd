/*
 * Range list. Owns nothing: the caller gives the items. Called by the kernel's boot memory plan; never
 * allocates, and leaves the list as it was when a change does not fit. Contract in ranges.h.
 */
#include "ranges/ranges.h"
#include "mem/mem.h"

void ranges_init(struct ranges *r, struct range *items, uint32_t capacity)
{
	r->items = items;
	r->count = 0;
	r->capacity = capacity;
}

/* Index of the first item that ends at or after `at` (touch) or after it. */
static uint32_t first_ending(const struct ranges *r, uint64_t at, bool touch)
{
	uint32_t low = 0, high = r->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint64_t end = r->items[mid].end;
		if (touch ? end >= at : end > at)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Replaces items[from..to) by the n given ones. */
static enum ranges_error replace(struct ranges *r, uint32_t from, uint32_t to, const struct range *with,
				 uint32_t n)
{
	uint32_t gone = to - from;
	uint32_t left = r->count - gone;

	if (n > r->capacity - left)
		return RANGES_FULL;
	if (r->count > to && n != gone)
		memmove(&r->items[from + n], &r->items[to], (r->count - to) * sizeof(struct range));
	for (uint32_t i = 0; i < n; i++)
		r->items[from + i] = with[i];
	r->count = left + n;
	return RANGES_OK;
}

enum ranges_error ranges_add(struct ranges *r, uint64_t start, uint64_t end)
{
	if (end < start)
		return RANGES_BAD;
	if (end == start)
		return RANGES_OK;

	uint32_t from = first_ending(r, start, true);
	uint32_t to = from;
	struct range sum = {start, end};
	while (to < r->count && r->items[to].start <= end) {
		if (r->items[to].start < sum.start)
			sum.start = r->items[to].start;
		if (r->items[to].end > sum.end)
			sum.end = r->items[to].end;
		to++;
	}
	return replace(r, from, to, &sum, 1);
}

enum ranges_error ranges_subtract(struct ranges *r, uint64_t start, uint64_t end)
{
	if (end < start)
		return RANGES_BAD;
	if (end == start)
		return RANGES_OK;

	uint32_t from = first_ending(r, start, false);
	uint32_t to = from;
	struct range rest[2];
	uint32_t n = 0;
	while (to < r->count && r->items[to].start < end) {
		if (r->items[to].start < start) {
			rest[n].start = r->items[to].start;
			rest[n++].end = start;
		}
		if (r->items[to].end > end) {
			rest[n].start = end;
			rest[n++].end = r->items[to].end;
		}
		to++;
	}
	return replace(r, from, to, rest, n);
}

static bool power_of_two(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

enum ranges_error ranges_align(struct ranges *r, uint64_t align)
{
	uint32_t kept = 0;

	if (!power_of_two(align))
		return RANGES_BAD;
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t end = r->items[i].end & ~(align - 1);
		uint64_t start = r->items[i].start;
		if (start > UINT64_MAX - (align - 1))
			continue;
		start = (start + (align - 1)) & ~(align - 1);
		if (start >= end)
			continue;
		r->items[kept].start = start;
		r->items[kept++].end = end;
	}
	r->count = kept;
	return RANGES_OK;
}

bool ranges_contain(const struct ranges *r, uint64_t start, uint64_t end)
{
	if (end <= start)
		return end == start;
	uint32_t i = first_ending(r, start, false);
	return i < r->count && r->items[i].start <= start && r->items[i].end >= end;
}

bool ranges_overlap(const struct ranges *r, uint64_t start, uint64_t end)
{
	if (end <= start)
		return false;
	uint32_t i = first_ending(r, start, false);
	return i < r->count && r->items[i].start < end;
}

uint64_t ranges_total(const struct ranges *r)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->count; i++)
		sum += r->items[i].end - r->items[i].start;
	return sum;
}

/* The part of an item inside [min, max); false if it is smaller than size. */
static bool clip(const struct range *item, uint64_t size, uint64_t min, uint64_t max, uint64_t *start,
		 uint64_t *end)
{
	*start = item->start > min ? item->start : min;
	*end = item->end < max ? item->end : max;
	return *end > *start && *end - *start >= size;
}

bool ranges_find_low(const struct ranges *r, uint64_t size, uint64_t align, uint64_t min, uint64_t max,
		     uint64_t *at)
{
	if (size == 0 || !power_of_two(align))
		return false;
	for (uint32_t i = first_ending(r, min, false); i < r->count && r->items[i].start < max; i++) {
		uint64_t start, end;
		if (!clip(&r->items[i], size, min, max, &start, &end) || start > UINT64_MAX - (align - 1))
			continue;
		start = (start + (align - 1)) & ~(align - 1);
		if (start < end && end - start >= size) {
			*at = start;
			return true;
		}
	}
	return false;
}

bool ranges_find_high(const struct ranges *r, uint64_t size, uint64_t align, uint64_t min, uint64_t max,
		      uint64_t *at)
{
	if (size == 0 || !power_of_two(align))
		return false;
	for (uint32_t i = r->count; i > 0 && r->items[i - 1].end > min; i--) {
		uint64_t start, end;
		if (!clip(&r->items[i - 1], size, min, max, &start, &end))
			continue;
		uint64_t high = (end - size) & ~(align - 1);
		if (high >= start) {
			*at = high;
			return true;
		}
	}
	return false;
}

void ranges_blocks_begin(struct ranges_blocks *it, const struct ranges *r, uint8_t min_bits, uint8_t max_bits)
{
	it->list = r;
	it->index = 0;
	it->next = 0;
	it->min_bits = min_bits < RANGES_BITS_MIN ? RANGES_BITS_MIN : min_bits;
	it->max_bits = max_bits > RANGES_BITS_MAX ? RANGES_BITS_MAX : max_bits;
}

bool ranges_blocks_next(struct ranges_blocks *it, struct ranges_block *out)
{
	if (it->min_bits > it->max_bits)
		return false;
	uint64_t least = 1ull << it->min_bits;

	while (it->index < it->list->count) {
		const struct range *item = &it->list->items[it->index];
		uint64_t start = it->next > item->start ? it->next : item->start;
		if (start > UINT64_MAX - (least - 1))
			return false;
		start = (start + (least - 1)) & ~(least - 1);
		if (start >= item->end || item->end - start < least) {
			it->index++;
			continue;
		}
		uint8_t bits = it->min_bits;
		while (bits < it->max_bits && (start & ((2ull << bits) - 1)) == 0 &&
		       item->end - start >= 2ull << bits)
			bits++;
		out->start = start;
		out->bits = bits;
		it->next = start + (1ull << bits); /* at most item->end: no overflow */
		return true;
	}
	return false;
}
