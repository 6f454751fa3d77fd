/* A set of words with counts, in memory that its owner gives. Open addressing; emptied by going on to the
 * next round. And what makes large tables cheap to look through. */
#include "debug/check_private.h"

#define CHECK_4(w)  ((w)[0] | (w)[1] | (w)[2] | (w)[3])
#define CHECK_16(w) (CHECK_4(w) | CHECK_4((w) + 4) | CHECK_4((w) + 8) | CHECK_4((w) + 12))

/* Without a branch on the way: nearly always all of it is 0. */
bool check_words_zero(const void *words)
{
	const uint64_t *w = words;

	_Static_assert(CHECK_WORDS == 32, "");
	return (CHECK_16(w) | CHECK_16(w + 16)) == 0;
}

void check_set_clear(struct check_set *s)
{
	s->round++;
	s->used = 0;
	s->full = false;
}

/* Where the key is, or could be put. */
static struct check_set_entry *check_set_find(const struct check_set *s, uint64_t key)
{
	uint64_t i = key * UINT64_C(0x9e3779b97f4a7c15) >> 20;

	for (;; i++) {
		struct check_set_entry *e = &s->entries[i & (s->size - 1)];

		if (e->round != s->round || e->key == key)
			return e;
	}
}

uint32_t check_set_add(struct check_set *s, uint64_t key)
{
	struct check_set_entry *e = check_set_find(s, key);

	if (e->round == s->round)
		return ++e->count;
	if (s->used >= s->size / 2) {
		s->full = true;
		return 1;
	}
	s->entries[s->used++].nth = (uint32_t)(e - s->entries);
	e->key = key;
	e->round = s->round;
	e->count = 1;
	return 1;
}

uint32_t check_set_count(const struct check_set *s, uint64_t key)
{
	const struct check_set_entry *e = check_set_find(s, key);

	return e->round == s->round ? e->count : 0;
}
