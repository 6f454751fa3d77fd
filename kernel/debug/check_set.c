/* A set of words with counts, in memory that its owner gives. Open addressing; emptied by going on to the
 * next round. */
#include "debug/check_private.h"

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
	s->used++;
	*e = (struct check_set_entry){key, s->round, 1};
	return 1;
}

uint32_t check_set_count(const struct check_set *s, uint64_t key)
{
	const struct check_set_entry *e = check_set_find(s, key);

	return e->round == s->round ? e->count : 0;
}
