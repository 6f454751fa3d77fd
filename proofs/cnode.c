/*
 * CNode lookup (kernel/cap/cnode.c, kernel/api/lookup.h): which slot an address names, and that the walk to it stays inside the CNodes, whatever the
 * address, guards and sizes.
 */
// proves: cnode_bits cnode_failed cnode_resolve cnode_lookup_slot cnode_target_slot cnode_target_node lookup_slot_short lookup_remember
// What these functions do not call, and Frama-C warns of: assembler in headers.
// wp: -kernel-warn-key
// wp: asm:clobber=inactive
// wp: -wp-warn-key
// wp: pedantic-assigns=inactive
#include "proofs/cap.h"
#include "proofs/error.h"
#include "cap/cnode.h"
#include "object/tcb.h"

/* Which CNodes there are, and where: the capabilities that name one are `live`. */
/* piece(w, low, n): n bits of w from bit low on. */
/*@ axiomatic cspace {
	predicate live(cap_t node) reads \nothing;
	logic struct cte *slots_at(integer address) reads \nothing;
	logic integer piece(integer w, integer low, integer n);
	axiom piece_is: \forall integer w, l, r; word(w) && 0 <= l <= 63 && 1 <= r <= 63 ==>
		((w >> l) & (uint64_t)((uint64_t)(1 << r) - 1)) == piece(w, l, r);
	axiom piece_is_swapped: \forall integer r, l, w; word(w) && 0 <= l <= 63 && 1 <= r <= 63 ==>
		((uint64_t)((uint64_t)(1 << r) - 1) & (w >> l)) == piece(w, l, r);
	axiom piece_high: \forall integer w, l; word(w) && 1 <= l <= 63 ==> (w >> l) == piece(w, l, 64 - l);
	axiom piece_low: \forall integer w, l; word(w) && 1 <= l <= 63 ==> (w ^ (uint64_t)((w >> l) << l)) == piece(w, 0, l);
	axiom piece_low_swapped: \forall integer l, w; word(w) && 1 <= l <= 63 ==> ((uint64_t)((w >> l) << l) ^ w) == piece(w, 0, l);
	axiom piece_range: \forall integer w, l, r; word(w) && 0 <= l <= 63 && 1 <= r <= 63 ==> 0 <= piece(w, l, r) <= pow2(r) - 1;
} */
/*@ logic integer level(cap_t node) = f_cap_cnode_guard_size(node) + f_cap_cnode_radix(node); */
/*@ logic struct cte *slots_of(cap_t node) = slots_at(f_cap_cnode_ptr(node)); */
/* The guard is that of the `left` low bits of the address. */
/*@ predicate passes(cap_t node, integer cptr, integer left) = level(node) <= left && (f_cap_cnode_guard_size(node) != 0 ==>
	f_cap_cnode_guard(node) == piece(cptr, left - f_cap_cnode_guard_size(node), f_cap_cnode_guard_size(node))); */
/* What retype, minting and the derivation tree see to (unit cap: guard_fits). */
/*@ predicate sound_size(cap_t c) = f_cap_type(c) == CAP_CNODE && f_cap_cnode_radix(c) >= 1 && level(c) <= 64; */
/*@ predicate sound_node(cap_t c) = sound_size(c) &&
	(\forall integer i; 0 <= i <= pow2(f_cap_cnode_radix(c)) - 1 ==> \valid_read(slots_of(c) + i)); */
/*@ predicate leads_on(cap_t c, integer i) = f_cap_type((slots_of(c) + i)->cap) == CAP_CNODE ==> live((slots_of(c) + i)->cap); */
/*@ predicate sound_cspace = (\forall cap_t c; live(c) ==> sound_size(c)) && (\forall cap_t c; live(c) ==> sound_node(c) &&
	(\forall integer i; 0 <= i <= pow2(f_cap_cnode_radix(c)) - 1 ==> leads_on(c, i))); */
/* The slot there, and how many bits are left for what it leads to. */
/*@ predicate leads_to(cap_t node, integer cptr, integer left, struct cte *slot, integer rest) = passes(node, cptr, left) &&
	rest == left - level(node) && slot == slots_of(node) + piece(cptr, rest, f_cap_cnode_radix(node)); */
/* The CNodes on the way from root. */
/*@ inductive reached{L}(cap_t root, integer cptr, integer all, cap_t node, integer left) {
	case first{L}: \forall cap_t root, integer cptr, all; reached(root, cptr, all, root, all);
	case next{L}: \forall cap_t root, node, struct cte *slot, integer cptr, all, left, rest; reached(root, cptr, all, node, left) &&
		leads_to(node, cptr, left, slot, rest) && rest != 0 && f_cap_type(slot->cap) == CAP_CNODE ==>
		reached(root, cptr, all, slot->cap, rest);
} */
/*@ predicate names(cap_t root, integer cptr, integer all, struct cte *slot, integer rest) = \exists cap_t node, integer left;
	reached(root, cptr, all, node, left) && leads_to(node, cptr, left, slot, rest) && (rest == 0 || f_cap_type(slot->cap) != CAP_CNODE); */
/*@ predicate names_none(cap_t root, integer cptr, integer all) = f_cap_type(root) != CAP_CNODE || (\exists cap_t node, integer left;
	reached(root, cptr, all, node, left) && !passes(node, cptr, left)); */

/*@ requires f_cap_type(node) == CAP_CNODE;
	assigns \result \from node; ensures \result == slots_of(node); */
static inline struct cte *cap_cnode_slots(cap_t node);
/*@ requires bounds: low <= 63 && 1 <= count <= 63;
	assigns \nothing; ensures \result == piece(cptr, low, count) <= pow2(count) - 1; */
static word_t cnode_bits(cptr_t cptr, unsigned low, unsigned count);

/*@ assigns \nothing; ensures \result.status == status && \result.slot == \null && \result.bits_left == 0; */
static struct lookup_result cnode_failed(exception_t status);
/* Error functions, as those of proofs/error.h: they write the per-CPU error words only. */
/*@ assigns error_detail; ensures \result.status == EXC_LOOKUP_FAULT && \result.slot == \null; */
static struct lookup_result cnode_guard_mismatch(unsigned left, word_t guard, unsigned guard_bits);
/*@ assigns error_detail; ensures \result.status == EXC_LOOKUP_FAULT && \result.slot == \null; */
static struct lookup_result cnode_depth_mismatch(unsigned left, unsigned found);

/*@ requires 1 <= bits <= 64 && sound_cspace && (f_cap_type(root) == CAP_CNODE ==> live(root));
	assigns error_detail;
	ensures either: \result.status == EXC_NONE || (\result.status == EXC_LOOKUP_FAULT && \result.slot == \null);
	ensures found: \result.status == EXC_NONE ==> \valid_read(\result.slot) && \result.bits_left < bits &&
		names{Pre}(root, cptr, bits, \result.slot, \result.bits_left);
	ensures refused: \result.status != EXC_NONE ==> names_none{Pre}(root, cptr, bits); */
struct lookup_result cnode_resolve(cap_t root, cptr_t cptr, unsigned bits);

/* A thread's CSpace, all 64 bits. */
/*@ predicate cspace_of(cap_t root) = sound_cspace && (f_cap_type(root) == CAP_CNODE ==> live(root)); */
/*@ requires \valid_read(thread) && cspace_of(thread->slot[TCB_CSPACE].cap);
	assigns error_detail;
	ensures either: \result.status == EXC_NONE || (\result.status == EXC_LOOKUP_FAULT && \result.slot == \null);
	ensures found: \result.status == EXC_NONE ==> \valid_read(\result.slot) &&
		names{Pre}(thread->slot[TCB_CSPACE].cap, cptr, 64, \result.slot, \result.bits_left);
	ensures refused: \result.status != EXC_NONE ==> names_none{Pre}(thread->slot[TCB_CSPACE].cap, cptr, 64); */
struct lookup_result cnode_lookup_slot(struct tcb *thread, cptr_t cptr);
/* What a thread remembers is of the CSpace that it has, or of none. */
/*@ predicate remembered(struct tcb *t, cap_t root) = t->cspace_radix <= 63 && (t->cspace_word == root.w[1] ==>
	sound_size(root) && level(root) == 64 && t->cspace_radix == f_cap_cnode_radix(root) && t->cspace_slots == slots_of(root)); */
/*@ requires \valid_read(t) && \valid(slot) && \separated(t, slot) && remembered(t, t->slot[TCB_CSPACE].cap);
	assigns *slot;
	ensures place: \result ==> *slot == slots_of(\at(t->slot[TCB_CSPACE].cap, Pre)) +
		piece(cptr, 0, f_cap_cnode_radix(\at(t->slot[TCB_CSPACE].cap, Pre)));
	ensures passes: \result ==> passes(\at(t->slot[TCB_CSPACE].cap, Pre), cptr, 64);
	ensures found: \result ==> leads_to(\at(t->slot[TCB_CSPACE].cap, Pre), cptr, 64, *slot, 0); */
static inline bool lookup_slot_short(const struct tcb *t, cptr_t cptr, struct cte **slot);
/*@ requires \valid(t) && cspace_of(t->slot[TCB_CSPACE].cap) && remembered(t, t->slot[TCB_CSPACE].cap);
	assigns t->cspace_word, t->cspace_slots, t->cspace_radix;
	ensures remembered(t, t->slot[TCB_CSPACE].cap); */
static inline void lookup_remember(struct tcb *t);

/*@ requires sound_cspace && (f_cap_type(root) == CAP_CNODE ==> live(root));
	assigns error_detail;
	ensures either: \result.status == EXC_NONE || (\result.status == EXC_SYSCALL_ERROR && \result.slot == \null);
	ensures found: \result.status == EXC_NONE ==> 1 <= depth <= 64 && \valid_read(\result.slot) &&
		names{Pre}(root, index, depth, \result.slot, 0);
	ensures range: f_cap_type(root) != CAP_CNODE || depth < 1 || depth > 64 ==> \result.status == EXC_SYSCALL_ERROR; */
struct lookup_result cnode_target_slot(cap_t root, cptr_t index, word_t depth, bool is_source);
/*@ requires sound_cspace && (f_cap_type(root) == CAP_CNODE ==> live(root)) && \valid(node) && \separated(node, &error_detail);
	assigns error_detail, *node;
	ensures either: \result == EXC_NONE || \result == EXC_SYSCALL_ERROR;
	ensures found: \result == EXC_NONE ==> f_cap_type(*node) == CAP_CNODE && (depth == 0 ==> same_words(*node, root)); */
exception_t cnode_target_node(cap_t root, cptr_t index, word_t depth, cap_t *node);

#include "cap/cnode.c"
#include "api/lookup.h"
