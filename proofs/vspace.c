/*
 * Page tables' indices and entries (kernel/object/vspace_walk.h and .c; the EPT code walks with the same indices): which entry of a
 * table translates an address, what an entry lets through, and which entry names a table or maps a page.
 */
// proves: vspace_level_bits vspace_index vspace_page_entry vspace_table_entry vspace_part_entry vspace_is_page vspace_is_table
// What these functions do not call, and Frama-C warns of: assembler in headers.
// wp: -kernel-warn-key
// wp: asm:clobber=inactive
#include "proofs/cap.h"
#include "proofs/error.h"
#include "arch/x86/cpu.h"
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

/*@ axiomatic entries {
	axiom entry_part: \forall integer w, v; word(w) && word(v) ==> bits(put(w, 51, 12, v, 12), 51, 13) == bits(v, 51, 13);
	axiom part_small: \forall integer i, n; 0 <= i <= 511 && n == 12 ==> (uint64_t)(i << n) == i * 0x1000;
	axiom part_large: \forall integer i, n; 0 <= i <= 511 && n == 21 ==> (uint64_t)(i << n) == i * 0x200000;
} */
/* No right that was not given: a page is the user's only with the read right, writable only with both. */
/*@ predicate said(integer field, boolean so) = field == (so ? 1 : 0); */
/*@ requires 1 <= level <= 3 && p.v <= 0xfffffffffe000 && p.v % 0x1000 == 0 && (level != 1 ==> p.v % 0x2000 == 0);
	assigns \nothing;
	ensures there: f_pte_present(\result) == 1;
	ensures read: said(f_pte_user(\result), (rights & CAP_RIGHT_READ) != 0);
	ensures write: f_pte_write(\result) == ((rights & CAP_RIGHT_READ) == 0 ? 0 : (rights & CAP_RIGHT_WRITE) != 0 ? 1 : 0);
	ensures run: f_pte_nx(\result) == (cpu.nx == 0 ? 0 : (rights & CAP_RIGHT_READ) == 0 ? 1 :
		(attributes & insula_X86_ExecuteNever) != 0 ? 1 : 0);
	ensures caching: said(f_pte_pwt(\result), (attributes & VSPACE_PWT) != 0) && said(f_pte_pcd(\result), (attributes & VSPACE_PCD) != 0);
	ensures pat: said(level == 1 ? f_pte_small_pat(\result) : f_pte_big_pat(\result), (attributes & VSPACE_PAT) != 0);
	ensures small: level == 1 ==> f_pte_base(\result) == p.v;
	ensures large: level != 1 ==> f_pte_large(\result) == 1;
	ensures place: level != 1 ==> f_pte_big_base(\result) == p.v; */
pte_t vspace_page_entry(paddr_t p, unsigned level, unsigned rights, word_t attributes);
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

/* A part maps its share of the large page, with the same rights and caching. */
/*@ requires 2 <= level <= 3 && index <= 511 && f_pte_large(large) == 1;
	requires f_pte_big_base(large) + index * (level == 2 ? 0x1000 : 0x200000) <= 0xffffffffff000;
	assigns \nothing;
	ensures rights: f_pte_present(\result) == f_pte_present(large) && f_pte_user(\result) == f_pte_user(large) &&
		f_pte_write(\result) == f_pte_write(large) && f_pte_nx(\result) == f_pte_nx(large);
	ensures caching: f_pte_pwt(\result) == f_pte_pwt(large) && f_pte_pcd(\result) == f_pte_pcd(large) &&
		f_pte_big_pat(large) == (level == 2 ? f_pte_small_pat(\result) : f_pte_big_pat(\result));
	ensures small: level == 2 ==> f_pte_base(\result) == f_pte_big_base(large) + index * 0x1000;
	ensures large: level == 3 ==> f_pte_large(\result) == 1 && f_pte_big_base(\result) == f_pte_big_base(large) + index * 0x200000; */
pte_t vspace_part_entry(pte_t large, unsigned level, unsigned index);

#include "object/vspace_walk.c"
