/*
 * The walk of second-level tables, one text for both vendors' entries: included where these are known, so that a
 * step of it is no call.
 */
#ifndef ARCH_X86_VIRT_VIRT_EPT_H
#define ARCH_X86_VIRT_VIRT_EPT_H

#include "arch/x86/mm/window.h"
#include "types.h"

static inline unsigned virt_ept_index(uint64_t gpa, unsigned level)
{
	return gpa >> (PAGE_BITS + 9 * (level - 1)) & 511;
}

/*
 * The entry of this level for an address. NULL: there is no table for it; *missing is that table's level.
 * next: one step, the table that an entry of a level above 1 points to; false: a leaf, or nothing.
 */
static inline __attribute__((always_inline)) uint64_t *virt_ept_walk(bool (*next)(uint64_t, paddr_t *),
								      paddr_t root, uint64_t gpa,
								      unsigned level, unsigned *missing)
{
	uint64_t *table = window_kv(root);

	for (unsigned l = 4; l > level; l--) {
		paddr_t below;

		if (!next(table[virt_ept_index(gpa, l)], &below)) {
			*missing = l - 1;
			return NULL;
		}
		table = window_kv(below);
	}
	return &table[virt_ept_index(gpa, level)];
}

#endif
