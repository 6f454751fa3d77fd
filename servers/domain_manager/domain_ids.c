#include "servers/domain_manager/domain_ids.h"

#define WORDS (DOMAIN_ID_MAX / 64 + 1)
#define SOMES (DOMAIN_ID_MAX / 64 / 64 + 1)

void domain_ids_set(struct domain_ids *ids, uint32_t id, uint16_t row)
{
	uint32_t w = id / 64;

	if (id >= DOMAIN_ID_MAX)
		return;
	ids->row[id] = row;
	if (row != DOMAIN_NO_ROW)
		ids->used[w] |= 1ull << (id % 64);
	else
		ids->used[w] &= ~(1ull << (id % 64));
	if (ids->used[w])
		ids->some[w / 64] |= 1ull << (w % 64);
	else
		ids->some[w / 64] &= ~(1ull << (w % 64));
}

/* The first bit that is set in n words, from bit `from` on; 64 * n: none. */
static uint32_t bit_next(const uint64_t *words, uint32_t n, uint32_t from)
{
	for (uint32_t w = from / 64; w < n; w++) {
		uint64_t bits = w == from / 64 ? words[w] & ~0ull << (from % 64) : words[w];

		if (bits)
			return w * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return 64 * n;
}

uint16_t domain_ids_next(const struct domain_ids *ids, uint32_t from)
{
	uint32_t w = from / 64, id;

	if (from >= DOMAIN_ID_MAX)
		return DOMAIN_NO_ROW;
	id = bit_next(&ids->used[w], 1, from % 64);
	if (id < 64)
		return ids->row[w * 64 + id];
	w = bit_next(ids->some, SOMES, w + 1);
	if (w >= WORDS)
		return DOMAIN_NO_ROW;
	return ids->row[w * 64 + bit_next(&ids->used[w], 1, 0)];
}
