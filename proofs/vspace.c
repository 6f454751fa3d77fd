/*
 * Page tables' indices and entries (kernel/object/vspace_walk.h and .c; the EPT code walks with the same indices): which entry of a
 * table translates an address, and which entry names a table or maps a page.
 */
// proves: vspace_level_bits vspace_index vspace_table_entry vspace_is_page vspace_is_table
#include "proofs/cap.h"
#include "proofs/error.h"
#include "object/vspace_walk.h"

/*@ logic integer level_bits(integer level) = level == 1 ? 12 : level == 2 ? 21 : level == 3 ? 30 : 39; */
/*@ requires 1 <= level <= 4;
	assigns \nothing;
	ensures \result == level_bits(level); */
static inline unsigned vspace_level_bits(unsigned level);
/* Always an entry of the table, and the one of those nine bits. */
/*@ requires 1 <= level <= 4;
	assigns \nothing;
	ensures \result <= 511;
	ensures level == 1 ==> \result == bits(address, 20, 12);
	ensures level == 2 ==> \result == bits(address, 29, 21);
	ensures level == 3 ==> \result == bits(address, 38, 30);
	ensures level == 4 ==> \result == bits(address, 47, 39); */
static inline unsigned vspace_index(uint64_t address, unsigned level);
/*@ axiomatic indices {
	axiom index_1: \forall integer w; word(w) ==> ((uint32_t)(w >> 12) & 0x1ff) == bits(w, 20, 12);
	axiom index_2: \forall integer w; word(w) ==> ((uint32_t)(w >> 21) & 0x1ff) == bits(w, 29, 21);
	axiom index_3: \forall integer w; word(w) ==> ((uint32_t)(w >> 30) & 0x1ff) == bits(w, 38, 30);
	axiom index_4: \forall integer w; word(w) ==> ((uint32_t)(w >> 39) & 0x1ff) == bits(w, 47, 39);
} */

/*@ requires p.v <= 0xffffffffff000 && p.v % 0x1000 == 0;
	assigns \nothing;
	ensures f_pte_present(\result) == 1 && f_pte_large(\result) == 0 && f_pte_base(\result) == p.v; */
pte_t vspace_table_entry(paddr_t p, word_t attributes);
/*@ assigns \nothing;
	ensures \result <==> f_pte_present(e) != 0 &&
		(level == 1 ? f_pte_base(e) == p.v : f_pte_large(e) != 0 && f_pte_big_base(e) == p.v); */
bool vspace_is_page(pte_t e, unsigned level, paddr_t p);
/*@ assigns \nothing; ensures \result <==> f_pte_present(e) != 0 && f_pte_large(e) == 0 && f_pte_base(e) == p.v; */
bool vspace_is_table(pte_t e, paddr_t p);

#include "object/vspace_walk.c"
