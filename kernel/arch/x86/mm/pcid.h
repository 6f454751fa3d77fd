/*
 * Process-context identifiers (SDM 3A, 4.10.1; AMD APM 2, 5.5.1): numbers under which a CPU's TLB keeps the
 * translations of several address spaces, so that a load of CR3 need not drop them. There are few, and any
 * number of spaces: each CPU keeps a cache of which space has which. Identifier 0 is the kernel's own root.
 *
 * The rule: the TLB may hold translations of a space under its identifier alone, and they are right unless
 * the entry is marked stale. A stale or newly given identifier is emptied by the next load of its space.
 * Pure; the caller executes what is returned. One CPU's cache is used by that CPU, and by others only for
 * pcid_stale, all under the kernel's lock.
 */
#ifndef ARCH_X86_MM_PCID_H
#define ARCH_X86_MM_PCID_H

#include "types.h"

enum { PCID_SETS = 32, PCID_WAYS = 2 };

struct pcid_cache {
	uint64_t root[PCID_SETS][PCID_WAYS]; /* bit 0: stale; 0: not given */
	uint8_t recent[PCID_SETS];	     /* the way used last */
};

/* In a value for CR3: translations under its identifier are kept. Reads as 0. */
#define PCID_KEEP BIT(63)

/* root: a PML4's address, not 0. The value to be loaded into CR3 now: with its identifier, and PCID_KEEP if
 * what the TLB has of it is right. */
uint64_t pcid_use(struct pcid_cache *c, uint64_t root);
/* The identifier under which the TLB may hold valid translations of this space; 0: it holds none that are not
 * emptied before the next use. */
unsigned pcid_of(const struct pcid_cache *c, uint64_t root);
/* Translations of this space have become wrong. */
void pcid_stale(struct pcid_cache *c, uint64_t root);

#endif
