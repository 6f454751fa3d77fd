/*
 * VSpaces (PML4, PDPT, PD, PT), frames, ASIDs: mapping and unmapping of user memory, decode of their
 * invocations. EPT objects are in ept.h. Facts: section 7 and its check table.
 */
#ifndef OBJECT_VSPACE_H
#define OBJECT_VSPACE_H

#include "object/tcb.h"

exception_t vspace_decode(word_t label, unsigned length, struct cte *slot,
			  cap_t cap); /* paging structures, frames */
exception_t asid_control_decode(word_t label, unsigned length, cap_t cap);
exception_t asid_pool_decode(word_t label, unsigned length, cap_t cap);

/* A new PML4 in zeroed memory: the kernel's upper half is filled in. */
void vspace_init_root(paddr_t pml4);
/*
 * The PML4 of a thread's VSpace; one without user memory if it has none that is valid. It is looked up once and
 * kept in the thread, until a PML4's capability or an ASID goes anywhere: that makes a new generation. A
 * thread whose VSpace capability is replaced says vspace_changed().
 */
extern uint64_t vspace_generation; /* never 0 */
void vspace_find_cr3(struct tcb *t);
static inline bool vspace_cr3_known(const struct tcb *t)
{
	return t->cr3_generation == vspace_generation;
}
static inline uint64_t vspace_cr3(struct tcb *t)
{
	if (unlikely(!vspace_cr3_known(t)))
		vspace_find_cr3(t);
	return t->cr3;
}
static inline void vspace_changed(struct tcb *t)
{
	t->cr3_generation = 0;
}
bool vspace_root_valid(cap_t cap); /* PML4 with an assigned, live ASID */

/* Deletion: the mapping of this capability is taken away and flushed. `final` for tables. */
void vspace_finalise(cap_t cap, bool final);

/*
 * The VSpace or EPT root (physical address of its top table) that an ASID names; false if none. ASIDs are one
 * space for both kinds: 8 pools of 512.
 */
enum asid_kind { ASID_VSPACE = 1, ASID_EPT = 2 };
bool asid_lookup(unsigned asid, enum asid_kind kind, paddr_t *root);
/* Allocation at boot: pool 0 in `page`, ASID 1 for the first thread's PML4. */
void asid_init(paddr_t page, paddr_t first_pml4);

/* Boot: maps a page in the first thread's VSpace; tables must exist. */
void vspace_boot_map(paddr_t pml4, vaddr_t v, paddr_t p, bool write, bool execute);
void vspace_boot_map_table(paddr_t pml4, vaddr_t v, paddr_t table,
			   unsigned level); /* 3: PDPT, 2: PD, 1: PT */

#endif
