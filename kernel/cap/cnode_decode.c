/*
 * Invocations on CNode capabilities. Checks come in the order of the facts' table, section 7; only when all
 * have passed is anything changed. Called by invocation_decode.
 */
#include "cap/cnode.h"
#include "api/error.h"
#include "api/invocation.h"
#include "ipc/endpoint.h"
#include "sel4/constants.h"

/* Two message words, index and depth, name a slot below a root. */
static exception_t cnode_slot_arg(cap_t root, unsigned first, bool is_source, struct cte **slot)
{
	struct lookup_result r =
	    cnode_target_slot(root, invocation_arg(first), invocation_arg(first + 1), is_source);

	*slot = r.slot;
	return r.status;
}

static exception_t cnode_missing(bool is_source, word_t depth)
{
	error_lookup(seL4_MissingCapability, (unsigned)depth);
	return error_failed_lookup(is_source);
}

/* The capability that Copy and Mint make: rights masked, data applied, derived. */
static exception_t cnode_derived(struct cte *src, bool mint, cap_t *made)
{
	cap_t cap = cap_mask_rights(src->cap, invocation_arg(4));
	struct derive_result d;

	if (mint)
		cap = cap_update_data(cap, false, invocation_arg(5));
	d = cap_derive(src, cap);
	*made = d.cap;
	return d.status;
}

static exception_t cnode_copy_decode(word_t label, unsigned length, struct cte *dst)
{
	struct cte *src;
	cap_t cap = cap_null();
	exception_t e;

	if (length < 4 || !invocation_extra(0))
		return error_truncated();
	e = cte_ensure_empty(dst);
	if (e == EXC_NONE)
		e = cnode_slot_arg(invocation_extra(0)->cap, 2, true, &src);
	if (e != EXC_NONE)
		return e;
	if (cap_is_null(src->cap))
		return cnode_missing(true, invocation_arg(3));

	switch (label) {
	case CNodeCopy:
	case CNodeMint:
		if (length < (label == CNodeMint ? 6u : 5u))
			return error_truncated();
		e = cnode_derived(src, label == CNodeMint, &cap);
		if (e != EXC_NONE)
			return e;
		break;
	case CNodeMove:
		cap = src->cap;
		break;
	default: /* CNodeMutate */
		if (length < 5)
			return error_truncated();
		cap = cap_update_data(src->cap, true, invocation_arg(4));
		break;
	}
	if (cap_is_null(cap))
		return error_illegal_operation();

	if (label == CNodeMove || label == CNodeMutate)
		cte_move(cap, src, dst);
	else
		cte_insert(cap, src, dst);
	return EXC_NONE;
}

/* src goes to the pivot's slot, the pivot to dst, each with new data. */
static exception_t cnode_rotate_decode(unsigned length, struct cte *dst)
{
	struct cte *src, *pivot;
	cap_t new_src, new_pivot;
	exception_t e;

	if (length < 8 || !invocation_extra(0) || !invocation_extra(1))
		return error_truncated();
	e = cnode_slot_arg(invocation_extra(1)->cap, 6, true, &src);
	if (e == EXC_NONE)
		e = cnode_slot_arg(invocation_extra(0)->cap, 3, true, &pivot);
	if (e != EXC_NONE)
		return e;
	if (pivot == src || pivot == dst)
		return error_illegal_operation();
	if (src != dst) {
		e = cte_ensure_empty(dst);
		if (e != EXC_NONE)
			return e;
	}
	if (cap_is_null(src->cap))
		return cnode_missing(true, invocation_arg(7));
	if (cap_is_null(pivot->cap))
		return cnode_missing(false, invocation_arg(4));
	new_src = cap_update_data(src->cap, true, invocation_arg(5));
	new_pivot = cap_update_data(pivot->cap, true, invocation_arg(2));
	if (cap_is_null(new_src) || cap_is_null(new_pivot))
		return error_illegal_operation();

	if (src == dst) {
		cte_swap(new_src, src, new_pivot, pivot);
	} else {
		cte_move(new_pivot, pivot, dst);
		cte_move(new_src, src, pivot);
	}
	return EXC_NONE;
}

static exception_t cnode_cancel_badged(cap_t cap)
{
	if (cap_type(cap) != CAP_ENDPOINT || !cap_endpoint_can_send(cap) || !cap_endpoint_can_receive(cap) ||
	    !cap_endpoint_can_grant(cap) || !cap_endpoint_can_grant_reply(cap))
		return error_illegal_operation();
	if (cap_endpoint_badge(cap) == 0)
		return EXC_NONE;
	return ipc_cancel_badged(cap_endpoint_of(cap), cap_endpoint_badge(cap));
}

exception_t cnode_decode(word_t label, unsigned length, cap_t cap)
{
	struct cte *slot;
	exception_t e;

	if (label < CNodeRevoke || label > CNodeRotate)
		return error_illegal_operation();
	if (length < 2)
		return error_truncated();
	e = cnode_slot_arg(cap, 0, false, &slot);
	if (e != EXC_NONE)
		return e;

	switch (label) {
	case CNodeRevoke:
		return cte_revoke(slot);
	case CNodeDelete:
		return cte_delete(slot, true);
	case CNodeCancelBadgedSends:
		return cnode_cancel_badged(slot->cap);
	case CNodeRotate:
		return cnode_rotate_decode(length, slot);
	default:
		return cnode_copy_decode(label, length, slot);
	}
}
