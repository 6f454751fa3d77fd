/*
 * Derivation order (kernel/cap/mdb.c): the rule by which the derivation list tells child from not-child, and whether two capabilities
 * stand for one object.
 */
// proves: mdb_region_contains mdb_same_kind cap_same_region cap_same_object cte_is_parent mdb_new_level mdb_with_place
// proves: cte_can_derive cte_is_part mdb_lower_attach
#include "proofs/cap.h"
#include "proofs/error.h"
#include "cap/cte.h"

/* The memory of b lies in that of a. Sizes of 2^64 and more exist in no capability. */
/*@ predicate sized(cap_t c) = size_bits(c) <= 63; */
/*@ predicate contains(cap_t a, cap_t b) = base_of(a) <= base_of(b) &&
	base_of(b) + pow2(size_bits(b)) <= base_of(a) + pow2(size_bits(a)); */
/*@ requires sized(a) && sized(b);
	assigns \nothing;
	ensures \result <==> contains(a, b); */
static bool mdb_region_contains(cap_t a, cap_t b);

/* Of one type, and the same thing; of frames: b a part of a. */
/*@ predicate same_kind(cap_t a, cap_t b) =
	(f_cap_type(a) == CAP_CNODE && f_cap_cnode_ptr(a) == f_cap_cnode_ptr(b) && f_cap_cnode_radix(a) == f_cap_cnode_radix(b)) ||
	(f_cap_type(a) == CAP_SCHED_CONTEXT && f_cap_sched_context_ptr(a) == f_cap_sched_context_ptr(b) &&
		f_cap_sched_context_bits(a) == f_cap_sched_context_bits(b)) ||
	(f_cap_type(a) == CAP_FRAME && contains(a, b)) ||
	(f_cap_type(a) == CAP_IRQ_HANDLER && f_cap_irq_handler_irq(a) == f_cap_irq_handler_irq(b)) ||
	(f_cap_type(a) == CAP_SCHED_CONTROL && f_cap_sched_control_core(a) == f_cap_sched_control_core(b)) ||
	(f_cap_type(a) == CAP_IOPORT && f_cap_ioport_first(a) == f_cap_ioport_first(b) && f_cap_ioport_last(a) == f_cap_ioport_last(b)) ||
	(f_cap_type(a) == CAP_IOSPACE && (f_cap_iospace_bdf(a) == 0 || f_cap_iospace_bdf(a) == f_cap_iospace_bdf(b))) ||
	f_cap_type(a) == CAP_IRQ_CONTROL || f_cap_type(a) == CAP_IOPORT_CONTROL || f_cap_type(a) == CAP_ASID_CONTROL ||
	f_cap_type(a) == CAP_DOMAIN ||
	((f_cap_type(a) == CAP_ENDPOINT || f_cap_type(a) == CAP_NOTIFICATION || f_cap_type(a) == CAP_REPLY || f_cap_type(a) == CAP_TCB ||
		f_cap_type(a) == CAP_ASID_POOL || f_cap_type(a) == CAP_VCPU || f_cap_type(a) == CAP_TIMER ||
		paging_type(f_cap_type(a))) && base_of(a) == base_of(b)); */
/*@ requires f_cap_type(a) == f_cap_type(b) && sized(a) && sized(b);
	assigns \nothing;
	ensures \result <==> same_kind(a, b); */
static bool mdb_same_kind(cap_t a, cap_t b);

/*@ predicate same_region(cap_t a, cap_t b) =
	f_cap_type(a) == CAP_UNTYPED ? size_bits(b) != 0 && contains(a, b) :
	f_cap_type(a) == CAP_IRQ_CONTROL ? f_cap_type(b) == CAP_IRQ_CONTROL || f_cap_type(b) == CAP_IRQ_HANDLER :
	f_cap_type(a) == CAP_IOPORT_CONTROL ? f_cap_type(b) == CAP_IOPORT_CONTROL || f_cap_type(b) == CAP_IOPORT :
	f_cap_type(a) == CAP_ASID_CONTROL ? f_cap_type(b) == CAP_ASID_CONTROL || f_cap_type(b) == CAP_ASID_POOL :
	f_cap_type(a) == f_cap_type(b) && same_kind(a, b); */
/*@ requires sized(a) && sized(b);
	assigns \nothing;
	ensures \result <==> same_region(a, b); */
bool cap_same_region(cap_t a, cap_t b);
/*@ requires sized(a) && sized(b);
	assigns \nothing;
	ensures of_a_type: \result ==> f_cap_type(a) == f_cap_type(b);
	ensures never: f_cap_type(a) == CAP_NULL || f_cap_type(a) == CAP_UNTYPED || f_cap_type(a) == CAP_ZOMBIE ==> !\result;
	ensures frames: f_cap_type(a) == CAP_FRAME && f_cap_type(b) == CAP_FRAME ==>
		(\result <==> f_cap_frame_ptr(a) == f_cap_frame_ptr(b) && f_cap_frame_size(a) == f_cap_frame_size(b));
	ensures iospaces: f_cap_type(a) == CAP_IOSPACE && f_cap_type(b) == CAP_IOSPACE ==>
		(\result <==> f_cap_iospace_bdf(a) == f_cap_iospace_bdf(b));
	ensures others: f_cap_type(a) == f_cap_type(b) && f_cap_type(a) != CAP_FRAME && f_cap_type(a) != CAP_IOSPACE ==>
		(\result <==> same_kind(a, b)); */
bool cap_same_object(cap_t a, cap_t b);

/* A badged head's children are the copies with its badge, up to the next head of that badge; an unbadged one's are all. */
/*@ predicate below_badge(integer p, integer c, integer head) = p == 0 || (p == c && head == 0); */
/*@ predicate is_parent(cap_t p, mdb_t pm, cap_t c, mdb_t cm) =
	f_cap_type(p) == CAP_FRAME ? f_mdb_attach(cm) > f_mdb_depth(pm) :
	f_mdb_revocable(pm) != 0 && same_region(p, c) &&
	(f_cap_type(p) == CAP_ENDPOINT ==> below_badge(f_cap_endpoint_badge(p), f_cap_endpoint_badge(c), f_mdb_first_badged(cm))) &&
	(f_cap_type(p) == CAP_NOTIFICATION ==>
		below_badge(f_cap_notification_badge(p), f_cap_notification_badge(c), f_mdb_first_badged(cm))); */
/*@ requires \valid_read(parent) && \valid_read(child) && sized(parent->cap) && sized(child->cap);
	assigns \nothing;
	ensures \result <==> is_parent(parent->cap, parent->mdb, child->cap, child->mdb); */
bool cte_is_parent(const struct cte *parent, const struct cte *child);

/*@ assigns \nothing;
	ensures \result <==> f_cap_type(cap) == CAP_UNTYPED ||
		(f_cap_type(cap) == CAP_ENDPOINT && (f_cap_type(src) != CAP_ENDPOINT || f_cap_endpoint_badge(cap) != f_cap_endpoint_badge(src))) ||
		(f_cap_type(cap) == CAP_NOTIFICATION &&
			(f_cap_type(src) != CAP_NOTIFICATION || f_cap_notification_badge(cap) != f_cap_notification_badge(src))) ||
		(f_cap_type(cap) == CAP_IRQ_HANDLER && f_cap_type(src) == CAP_IRQ_CONTROL) ||
		(f_cap_type(cap) == CAP_IOPORT && f_cap_type(src) == CAP_IOPORT_CONTROL); */
static bool mdb_new_level(cap_t cap, cap_t src);

/*@ requires depth <= 63 && attach <= 63;
	assigns \nothing;
	ensures f_mdb_depth(\result) == depth && f_mdb_attach(\result) == attach;
	ensures f_mdb_prev(\result) == f_mdb_prev(m) && f_mdb_next(\result) == f_mdb_next(m);
	ensures f_mdb_revocable(\result) == f_mdb_revocable(m) && f_mdb_first_badged(\result) == f_mdb_first_badged(m); */
static mdb_t mdb_with_place(mdb_t m, uint64_t depth, uint64_t attach);

/* What is derived fits into the fields, and its copies too. */
/*@ requires \valid_read(src); assigns \nothing; ensures \result <==> f_mdb_depth(src->mdb) + 2 <= 63; */
bool cte_can_derive(const struct cte *src);
/*@ requires \valid_read(slot) && \valid_read(place);
	assigns \nothing;
	ensures \result <==> f_cap_type(slot->cap) == CAP_FRAME && f_mdb_depth(slot->mdb) == f_mdb_depth(place->mdb) &&
		f_mdb_revocable(slot->mdb) == f_mdb_revocable(place->mdb); */
bool cte_is_part(const struct cte *slot, const struct cte *place);
/*@ requires \valid(c) && attach <= 63;
	assigns c->mdb;
	ensures f_mdb_attach(c->mdb) == (\old(f_mdb_attach(c->mdb)) < attach ? \old(f_mdb_attach(c->mdb)) : attach);
	ensures f_mdb_depth(c->mdb) == \old(f_mdb_depth(c->mdb)) && f_mdb_prev(c->mdb) == \old(f_mdb_prev(c->mdb)) &&
		f_mdb_next(c->mdb) == \old(f_mdb_next(c->mdb)) && f_mdb_revocable(c->mdb) == \old(f_mdb_revocable(c->mdb)) &&
		f_mdb_first_badged(c->mdb) == \old(f_mdb_first_badged(c->mdb)); */
static void mdb_lower_attach(struct cte *c, uint64_t attach);

#include "cap/mdb.c"
