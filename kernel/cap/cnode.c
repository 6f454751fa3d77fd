/*
 * CSpace resolution: from a capability address to a slot, through guarded tables. The only place that walks
 * CNodes by address. Called for every system call and by invocations that name slots. It changes nothing.
 */
#include "cap/cnode.h"
#include "api/error.h"
#include "object/tcb.h"
#include "percpu.h"

static struct lookup_result cnode_failed(exception_t status)
{
	return (struct lookup_result){NULL, status, 0};
}

static struct lookup_result cnode_guard_mismatch(unsigned left, word_t guard, unsigned guard_bits)
{
	exception_t e = error_lookup(seL4_GuardMismatch, left);
	struct lookup_fault *f = &percpu_self()->lookup_fault;

	f->guard_found = guard;
	f->guard_bits = guard_bits;
	return cnode_failed(e);
}

static struct lookup_result cnode_depth_mismatch(unsigned left, unsigned found)
{
	exception_t e = error_lookup(seL4_DepthMismatch, left);

	percpu_self()->lookup_fault.bits_found = found;
	return cnode_failed(e);
}

/* `count` bits of the address, from bit `low` on. */
static word_t cnode_bits(cptr_t cptr, unsigned low, unsigned count)
{
	return cptr >> low & MASK(count);
}

struct lookup_result cnode_resolve(cap_t root, cptr_t cptr, unsigned bits)
{
	cap_t node = root;
	unsigned left = bits;

	if (cap_type(node) != CAP_CNODE)
		return cnode_failed(error_lookup(seL4_InvalidRoot, 0));

	/*@ loop invariant 1 <= left <= bits && live(node) && reached(root, cptr, bits, node, left);
	    loop assigns node, left;
	    loop variant left; */
	for (;;) {
		unsigned radix = (unsigned)cap_cnode_radix(node);
		unsigned guard_bits = (unsigned)cap_cnode_guard_size(node);
		unsigned level = radix + guard_bits; /* 1..64: minting refuses more, retype less */
		unsigned rest;
		word_t guard = cap_cnode_guard(node);
		struct cte *slot;

		if (guard_bits > left)
			return cnode_guard_mismatch(left, guard, guard_bits);
		if (guard_bits && cnode_bits(cptr, left - guard_bits, guard_bits) != guard)
			return cnode_guard_mismatch(left, guard, guard_bits);
		if (level > left)
			return cnode_depth_mismatch(left, level);

		rest = left - level;
		slot = cap_cnode_slots(node) + cnode_bits(cptr, rest, radix);
		/*@ assert leads_to(node, cptr, left, slot, rest); */
		if (rest == 0 || cap_type(slot->cap) != CAP_CNODE)
			return (struct lookup_result){slot, EXC_NONE, rest};
		node = slot->cap;
		left = rest;
	}
}

struct lookup_result cnode_lookup_slot(struct tcb *thread, cptr_t cptr)
{
	return cnode_resolve(thread->slot[TCB_CSPACE].cap, cptr, seL4_WordBits);
}

struct lookup_result cnode_target_slot(cap_t root, cptr_t index, word_t depth, bool is_source)
{
	struct lookup_result r;

	if (cap_type(root) != CAP_CNODE) {
		error_lookup(seL4_InvalidRoot, 0);
		return cnode_failed(error_failed_lookup(is_source));
	}
	if (depth < 1 || depth > seL4_WordBits)
		return cnode_failed(error_range(1, seL4_WordBits));
	r = cnode_resolve(root, index, (unsigned)depth);
	if (r.status != EXC_NONE)
		return cnode_failed(error_failed_lookup(is_source));
	if (r.bits_left != 0) {
		cnode_depth_mismatch(r.bits_left, 0);
		return cnode_failed(error_failed_lookup(is_source));
	}
	return r;
}

exception_t cnode_target_node(cap_t root, cptr_t index, word_t depth, cap_t *node)
{
	if (depth == 0) {
		*node = root;
	} else {
		struct lookup_result r = cnode_target_slot(root, index, depth, false);

		if (r.status != EXC_NONE)
			return r.status;
		*node = r.slot->cap;
	}
	if (cap_type(*node) == CAP_CNODE)
		return EXC_NONE;
	error_lookup(seL4_MissingCapability, (unsigned)depth);
	return error_failed_lookup(false);
}
