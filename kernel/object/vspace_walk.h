/*
 * Walking user page tables, and what their entries look like. Tables are kernel objects, reached through the window.
 * Levels: 1 PT, 2 PD, 3 PDPT, 4 PML4. An entry of level n translates 2^(12 + 9 (n - 1)) bytes: 4 KiB, 2 MiB, 1 GiB.
 */
#ifndef OBJECT_VSPACE_WALK_H
#define OBJECT_VSPACE_WALK_H

#include "types.h"
#include "arch/x86/mm/pte_fields.h"

static inline unsigned vspace_level_bits(unsigned level)
{
	return PAGE_BITS + 9 * (level - 1);
}

static inline unsigned vspace_index(uint64_t address, unsigned level)
{
	return (unsigned)(address >> vspace_level_bits(level)) & 511u;
}

/*
 * The entry of this level for an address of the user half; NULL if a table on the way is missing (or a large page is there). Then
 * *missing is the level of the first table that is.
 */
uint64_t *vspace_walk(paddr_t root, uint64_t address, unsigned level, unsigned *missing);
/* The same for a decode function: EXC_LOOKUP_FAULT with the bits left that seL4 reports (21, 30, 39). */
exception_t vspace_lookup(paddr_t root, uint64_t address, unsigned level, uint64_t **entry);

enum vspace_attribute { VSPACE_PWT = 1, VSPACE_PCD = 2, VSPACE_PAT = 4 };

/* rights: CAP_RIGHT_*. Without read: present, but for the kernel only. */
pte_t vspace_page_entry(paddr_t p, unsigned level, unsigned rights, word_t attributes);
pte_t vspace_table_entry(paddr_t p, word_t attributes);
/* The entry of level - 1 for the index-th of the 512 parts of what this large page's entry maps, in the same way. */
pte_t vspace_part_entry(pte_t large, unsigned level, unsigned index);

/* Does the entry of this level map a page at p / name the table at p? */
bool vspace_is_page(pte_t e, unsigned level, paddr_t p);
bool vspace_is_table(pte_t e, paddr_t p);

#endif
