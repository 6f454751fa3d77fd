/*
 * What the kernel's capability functions promise, in the words of the fields (f_cap_*). Included by every unit whose code
 * calls them; the unit `cap` proves it.
 */
#ifndef PROOFS_CAP_H
#define PROOFS_CAP_H

#include "cap/cap.h"
#include "insula/ext.h"
#include "sel4/constants.h"

/*@ predicate null_cap(cap_t c) = c.w[0] == 0 && c.w[1] == 0; */
/*@ predicate same_words(cap_t a, cap_t b) = a.w[0] == b.w[0] && a.w[1] == b.w[1]; */
/*@ logic boolean paging_type(integer t) = t == CAP_PT || t == CAP_PD || t == CAP_PDPT || t == CAP_PML4 || t == CAP_IOPT ||
	t == CAP_EPT_PT || t == CAP_EPT_PD || t == CAP_EPT_PDPT || t == CAP_EPT_PML4; */

/* The memory of a capability: 2^size_bits bytes from base_of; none if size_bits is 0. */
/*@ logic integer frame_bits(integer size) = size == FRAME_1G ? 30 : size == FRAME_2M ? 21 : 12; */
/*@ logic integer size_bits(cap_t c) =
	paging_type(f_cap_type(c)) ? 12 :
	f_cap_type(c) == CAP_UNTYPED ? f_cap_untyped_bits(c) :
	f_cap_type(c) == CAP_ENDPOINT ? 4 :
	f_cap_type(c) == CAP_NOTIFICATION ? 6 :
	f_cap_type(c) == CAP_REPLY ? 5 :
	f_cap_type(c) == CAP_CNODE ? f_cap_cnode_radix(c) + 5 :
	f_cap_type(c) == CAP_TCB ? 12 :
	f_cap_type(c) == CAP_SCHED_CONTEXT ? f_cap_sched_context_bits(c) :
	f_cap_type(c) == CAP_ZOMBIE ? (f_cap_zombie_is_tcb(c) != 0 ? 12 : f_cap_zombie_bits(c) + 5) :
	f_cap_type(c) == CAP_FRAME ? frame_bits(f_cap_frame_size(c)) :
	f_cap_type(c) == CAP_ASID_POOL ? 12 :
	f_cap_type(c) == CAP_VCPU ? 14 :
	f_cap_type(c) == CAP_TIMER ? 7 : 0; */
/*@ logic integer base_of(cap_t c) =
	f_cap_type(c) == CAP_CNODE ? f_cap_cnode_ptr(c) :
	f_cap_type(c) == CAP_ZOMBIE ? f_cap_zombie_ptr(c) :
	size_bits(c) != 0 ? f_cap_untyped_ptr(c) : 0; */

/*@ assigns \nothing; ensures \result.v == v; */
static inline paddr_t paddr(uint64_t v);

/* ---- cap.h ---- */

/*@ assigns \nothing; ensures \result == frame_bits(size); */
static inline unsigned frame_size_bits(uint64_t size);
/*@ assigns \nothing; ensures \result == f_cap_type(c) && \result <= 63; */
static inline enum cap_type cap_type_of(cap_t c);
/*@ assigns \nothing; ensures null_cap(\result); */
static inline cap_t cap_null(void);
/*@ requires t <= 63;
	assigns \nothing;
	ensures f_cap_type(\result) == t && \result.w[0] == 0 && bits(\result.w[1], 57, 0) == 0; */
static inline cap_t cap_of_type(enum cap_type t);
/*@ assigns \nothing; ensures \result <==> f_cap_type(c) == CAP_NULL; */
static inline bool cap_is_null(cap_t c);
/*@ requires p.v < 0x800000000000 && bits <= 63;
	assigns \nothing;
	ensures f_cap_type(\result) == CAP_UNTYPED && f_cap_untyped_ptr(\result) == p.v && f_cap_untyped_bits(\result) == bits;
	ensures f_cap_untyped_device(\result) == (device ? 1 : 0);
	ensures \result.w[0] == 0 && f_cap_untyped_free(\result) == 0 && f_cap_untyped_cleared(\result) == 0; */
static inline cap_t cap_untyped_new(paddr_t p, unsigned bits, bool device);
/*@ requires p.v < 0x800000000000 && p.v % 32 == 0 && radix <= 63;
	assigns \nothing;
	ensures f_cap_type(\result) == CAP_CNODE && f_cap_cnode_ptr(\result) == p.v && f_cap_cnode_radix(\result) == radix;
	ensures \result.w[0] == 0; */
static inline cap_t cap_cnode_new(paddr_t p, unsigned radix);
/*@ requires p.v < 0x800000000000 && size <= 3 && rights <= 3;
	assigns \nothing;
	ensures f_cap_type(\result) == CAP_FRAME && f_cap_frame_ptr(\result) == p.v && f_cap_frame_size(\result) == size;
	ensures f_cap_frame_rights(\result) == rights && f_cap_frame_device(\result) == (device ? 1 : 0);
	ensures f_cap_frame_map(\result) == 0; */
static inline cap_t cap_frame_new(paddr_t p, enum frame_size size, bool device, unsigned rights);
/*@ assigns \nothing; ensures \result <==> paging_type(f_cap_type(c)); */
static inline bool cap_is_paging(cap_t c);

/* ---- derive.c ---- */

/*@ assigns \nothing; ensures \result == size_bits(cap) && \result <= 68; */
unsigned cap_size_bits(cap_t cap);
/*@ assigns \nothing; ensures \result <==> size_bits(cap) != 0; */
bool cap_is_physical(cap_t cap);
/*@ assigns \nothing; ensures \result.v == base_of(cap) && \result.v <= 0x7fffffffffff; */
paddr_t cap_paddr(cap_t cap);

#endif
