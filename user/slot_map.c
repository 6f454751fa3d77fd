/* A bitmap of slots. See slot_map.h. */
#include "user/slot_map.h"

#include <string.h>

void slot_map_init(struct slot_map *m, uint64_t *bits, uint32_t end)
{
	*m = (struct slot_map){.bits = bits, .end = end};
	memset(bits, 0xff, (end + 63ull) / 64 * 8);
}

static bool slot_map_used(const struct slot_map *m, uint32_t slot)
{
	return m->bits[slot / 64] >> (slot % 64) & 1;
}

static uint32_t slot_map_take_one(struct slot_map *m)
{
	uint32_t words = (uint32_t)((m->end + 63ull) / 64);

	for (uint32_t i = 0; i < words; i++) {
		uint32_t w = (m->next + i) % words, slot;

		if (!~m->bits[w])
			continue;
		slot = w * 64 + (uint32_t)__builtin_ctzll(~m->bits[w]);
		m->bits[w] |= 1ull << (slot % 64);
		m->next = w;
		m->free--;
		return slot;
	}
	return 0;
}

uint32_t slot_map_take(struct slot_map *m, uint32_t n)
{
	uint32_t run = 0;

	if (n == 0 || n > m->free)
		return 0;
	if (n == 1)
		return slot_map_take_one(m);
	/* runs of used and of free slots within a word in turn; what is beyond the end is in use */
	for (uint32_t slot = 1; slot < m->end;) {
		uint64_t used = m->bits[slot / 64] >> (slot % 64);
		uint32_t left = 64 - slot % 64, length;

		if (used & 1) {
			run = 0;
			length = ~used ? (uint32_t)__builtin_ctzll(~used) : 64;
		} else {
			length = used ? (uint32_t)__builtin_ctzll(used) : left;
			run += length;
		}
		slot += length < left ? length : left;
		if (run >= n) {
			slot_map_hold(m, slot - run, n);
			return slot - run;
		}
	}
	return 0;
}

void slot_map_release(struct slot_map *m, uint32_t first, uint32_t n)
{
	for (uint32_t slot = first; n && slot < m->end; slot++, n--) {
		if (slot == 0 || !slot_map_used(m, slot))
			continue;
		m->bits[slot / 64] &= ~(1ull << (slot % 64));
		m->free++;
	}
}

void slot_map_hold(struct slot_map *m, uint32_t first, uint32_t n)
{
	for (uint32_t slot = first; n && slot < m->end; slot++, n--) {
		if (slot_map_used(m, slot))
			continue;
		m->bits[slot / 64] |= 1ull << (slot % 64);
		m->free--;
	}
}
