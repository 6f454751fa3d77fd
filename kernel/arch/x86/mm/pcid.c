/* Which address space has which identifier (pcid.h): a cache of two ways, the one not used last being given
 * away. */
#include "arch/x86/mm/pcid.h"

#define PCID_STALE 1ull
#define PCID_HASH  0x9e3779b97f4a7c15ull /* 2^64 / golden ratio: neighbours fall far apart */
#define PCID_SHIFT 59			 /* leaves log2(PCID_SETS) bits */

_Static_assert(1 << (64 - PCID_SHIFT) == PCID_SETS, "the hash names a set");

static unsigned pcid_set(uint64_t root)
{
	return (unsigned)((root >> PAGE_BITS) * PCID_HASH >> PCID_SHIFT);
}

static unsigned pcid_number(unsigned set, unsigned way)
{
	return 1 + set * PCID_WAYS + way;
}

uint64_t pcid_use(struct pcid_cache *c, uint64_t root)
{
	unsigned set = pcid_set(root), way = c->recent[set];
	uint64_t *entry = c->root[set];

	if ((entry[way] & ~PCID_STALE) != root)
		way ^= 1;
	c->recent[set] = (uint8_t)way;
	if (likely(entry[way] == root))
		return root | pcid_number(set, way) | PCID_KEEP;
	entry[way] = root;
	return root | pcid_number(set, way);
}

unsigned pcid_of(const struct pcid_cache *c, uint64_t root)
{
	unsigned set = pcid_set(root);

	for (unsigned way = 0; way < PCID_WAYS; way++)
		if (c->root[set][way] == root)
			return pcid_number(set, way);
	return 0;
}

void pcid_stale(struct pcid_cache *c, uint64_t root)
{
	unsigned set = pcid_set(root);

	for (unsigned way = 0; way < PCID_WAYS; way++)
		if (c->root[set][way] == root)
			c->root[set][way] = root | PCID_STALE;
}
