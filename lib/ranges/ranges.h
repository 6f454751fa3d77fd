/*
 * A sorted list of address ranges that neither overlap nor touch, with a fixed capacity given by the caller.
 * The kernel plans its boot memory with it and emits Untypeds from it. All ranges are [start, end), start <
 * end; so the last byte of the 64-bit space cannot be named, which no physical address needs.
 *
 * Every change is all or nothing: on RANGES_FULL the list is as it was.
 */
#ifndef LIB_RANGES_RANGES_H
#define LIB_RANGES_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start;
	uint64_t end;
};

struct ranges {
	struct range *items; /* items[0..count) sorted; items[i].end < items[i + 1].start */
	uint32_t count;
	uint32_t capacity;
};

enum ranges_error {
	RANGES_OK = 0,
	RANGES_FULL, /* the result would need more than capacity items */
	RANGES_BAD,  /* end < start, or an alignment that is no power of two */
};

enum {
	RANGES_BITS_MIN = 4, /* bounds of ranges_blocks_begin's block sizes, those of seL4 Untypeds */
	RANGES_BITS_MAX = 47,
};

void ranges_init(struct ranges *r, struct range *items, uint32_t capacity);

/* Union and difference with [start, end); an empty range changes nothing. */
enum ranges_error ranges_add(struct ranges *r, uint64_t start, uint64_t end);
enum ranges_error ranges_subtract(struct ranges *r, uint64_t start, uint64_t end);

/* Shrinks every range to multiples of align (a power of two); what becomes empty goes. */
enum ranges_error ranges_align(struct ranges *r, uint64_t align);

/* Every byte of [start, end) is in the list (true if empty) / at least one is. */
bool ranges_contain(const struct ranges *r, uint64_t start, uint64_t end);
bool ranges_overlap(const struct ranges *r, uint64_t start, uint64_t end);

/* Sum of all lengths. */
uint64_t ranges_total(const struct ranges *r);

/*
 * The lowest (or highest) address, a multiple of align (a power of two), at which size > 0 bytes lie wholly
 * in one range and in [min, max). False if there is none, or size is 0, or align is no power of two. The list
 * is not changed.
 */
bool ranges_find_low(const struct ranges *r, uint64_t size, uint64_t align, uint64_t min, uint64_t max,
		     uint64_t *at);
bool ranges_find_high(const struct ranges *r, uint64_t size, uint64_t align, uint64_t min, uint64_t max,
		      uint64_t *at);

/*
 * Cuts all ranges into blocks of 2^bits bytes, each naturally aligned, as large as possible, in
 * ascending order: bits from min_bits to max_bits, within RANGES_BITS_MIN..RANGES_BITS_MAX. Pieces smaller
 * than 2^min_bits at a range's ends are skipped. The list must not change meanwhile.
 */
struct ranges_block {
	uint64_t start;
	uint8_t bits;
};

struct ranges_blocks {
	const struct ranges *list;
	uint32_t index;
	uint64_t next;
	uint8_t min_bits;
	uint8_t max_bits;
};

void ranges_blocks_begin(struct ranges_blocks *it, const struct ranges *r, uint8_t min_bits,
			 uint8_t max_bits);
bool ranges_blocks_next(struct ranges_blocks *it, struct ranges_block *out);

#endif
