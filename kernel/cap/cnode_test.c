// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c
// links: kernel/cap/cap_fake.c
/* CSpace resolution, and the checks of CNode invocations in their order. */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "ipc/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void failed(exception_t e, enum sel4_error type)
{
	assert_int_equal(e, EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, type);
}

static void failed_args(exception_t e, enum sel4_error type, word_t a, word_t b)
{
	failed(e, type);
	assert_int_equal(percpu_host->error.arg[0], a);
	assert_int_equal(percpu_host->error.arg[1], b);
}

static void failed_lookup(exception_t e, bool source, enum sel4_lookup_failure type, unsigned left)
{
	failed(e, seL4_FailedLookup);
	assert_int_equal(percpu_host->error.source, source);
	assert_int_equal(percpu_host->error.lookup.type, type);
	assert_int_equal(percpu_host->error.lookup.bits_left, left);
}

static cap_t guarded(cap_t node, unsigned size, word_t guard)
{
	return cap_cnode_with_guard(cap_cnode_with_guard_size(node, size), guard);
}

static void test_resolve(void **state)
{
	cap_t root = guarded(fake_root_cap(), 56, 0);
	struct lookup_result r;

	(void)state;
	r = cnode_resolve(root, 0x10, 64);
	assert_int_equal(r.status, EXC_NONE);
	assert_ptr_equal(r.slot, fake_root(0x10));
	assert_int_equal(r.bits_left, 0);

	r = cnode_resolve(root, BIT(63) | 0x10, 64);
	assert_int_equal(r.status, EXC_LOOKUP_FAULT);
	assert_int_equal(percpu_host->lookup_fault.type, seL4_GuardMismatch);
	assert_int_equal(percpu_host->lookup_fault.bits_left, 64);
	assert_int_equal(percpu_host->lookup_fault.guard_bits, 56);
	assert_int_equal(percpu_host->lookup_fault.guard_found, 0);

	r = cnode_resolve(root, 0x10, 40); /* the guard alone is longer */
	assert_int_equal(percpu_host->lookup_fault.type, seL4_GuardMismatch);
	assert_int_equal(percpu_host->lookup_fault.bits_left, 40);

	r = cnode_resolve(root, 0, 60); /* guard fits, the index does not */
	assert_int_equal(r.status, EXC_LOOKUP_FAULT);
	assert_int_equal(percpu_host->lookup_fault.type, seL4_DepthMismatch);
	assert_int_equal(percpu_host->lookup_fault.bits_left, 60);
	assert_int_equal(percpu_host->lookup_fault.bits_found, 64);

	r = cnode_resolve(fake_root(FAKE_UT)->cap, 0, 64);
	assert_int_equal(r.status, EXC_LOOKUP_FAULT);
	assert_int_equal(percpu_host->lookup_fault.type, seL4_InvalidRoot);
}

static void test_resolve_levels(void **state)
{
	cap_t root = guarded(fake_root_cap(), 4, 0xc);
	struct lookup_result r;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_CapTableObject, 4, 1, 1), EXC_NONE);
	fake_root(1)->cap = guarded(fake_root(1)->cap, 8, 0x5a);
	/* 4 guard, 8 index, 8 guard, 4 index: 24 bits, 0xc 01 5a 7 */
	r = cnode_resolve(root, 0xc015a7, 24);
	assert_int_equal(r.status, EXC_NONE);
	assert_ptr_equal(r.slot, fake_in(1, 7));
	r = cnode_resolve(root, 0xc015b7, 24);
	assert_int_equal(r.status, EXC_LOOKUP_FAULT);
	assert_int_equal(percpu_host->lookup_fault.type, seL4_GuardMismatch);
	assert_int_equal(percpu_host->lookup_fault.bits_left, 12);
	assert_int_equal(percpu_host->lookup_fault.guard_found, 0x5a);
	r = cnode_resolve(root, 0xc01, 12); /* stops at the CNode's own slot */
	assert_int_equal(r.status, EXC_NONE);
	assert_ptr_equal(r.slot, fake_root(1));
	r = cnode_resolve(root, 0xc10fff, 24); /* an Untyped: found early */
	assert_int_equal(r.status, EXC_NONE);
	assert_ptr_equal(r.slot, fake_root(FAKE_UT));
	assert_int_equal(r.bits_left, 12);
}

static void test_target(void **state)
{
	struct lookup_result r;

	(void)state;
	failed_args(cnode_target_slot(fake_root_cap(), 0, 0, false).status, seL4_RangeError, 1, 64);
	failed_args(cnode_target_slot(fake_root_cap(), 0, 65, false).status, seL4_RangeError, 1, 64);
	failed_args(cnode_target_slot(fake_root_cap(), 0, BIT(40) | 8, false).status, seL4_RangeError, 1, 64);
	failed_lookup(cnode_target_slot(fake_root(FAKE_UT)->cap, 0, 8, true).status, true, seL4_InvalidRoot,
		      0);
	failed_lookup(cnode_target_slot(fake_root_cap(), 0x1234, 16, false).status, false, seL4_DepthMismatch,
		      8);
	assert_int_equal(percpu_host->error.lookup.bits_found, 0);
	failed_lookup(cnode_target_slot(fake_root_cap(), 0, 7, false).status, false, seL4_DepthMismatch, 7);
	assert_int_equal(percpu_host->error.lookup.bits_found, 8);
	r = cnode_target_slot(fake_root_cap(), 3, 8, false);
	assert_int_equal(r.status, EXC_NONE);
	assert_ptr_equal(r.slot, fake_root(3));
}

static void test_copy_checks(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_EndpointObject, 0, 1, 1), EXC_NONE);
	failed(FAKE_CNODE(CNodeRevoke - 1, 1, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeRotate + 1, 1, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeCopy, 1), seL4_TruncatedMessage);
	failed_args(FAKE_CNODE(CNodeCopy, 2, 0), seL4_RangeError, 1, 64); /* destination before the rest */
	failed(FAKE_CNODE(CNodeCopy, 2, 8, 1), seL4_TruncatedMessage);
	failed(FAKE_CNODE(CNodeCopy, 1, 8, 1, 8), seL4_DeleteFirst); /* before the source and the rights */
	failed_lookup(FAKE_CNODE(CNodeCopy, 2, 8, 3, 8), true, seL4_MissingCapability, 8);
	failed(FAKE_CNODE(CNodeCopy, 2, 8, 1, 8), seL4_TruncatedMessage);
	failed(FAKE_CNODE(CNodeMint, 2, 8, 1, 8, 15), seL4_TruncatedMessage);
	failed(FAKE_CNODE(CNodeMutate, 2, 8, 1, 8), seL4_TruncatedMessage);
	fake_message(5, (word_t[]){2, 8, 1, 8, 15});
	fake_extra(NULL, NULL);
	failed(cnode_decode(CNodeCopy, 5, fake_root_cap()), seL4_TruncatedMessage);
	assert_true(cap_is_null(fake_root(2)->cap));
}

static void test_mint_rights_and_badges(void **state)
{
	cap_t c;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_EndpointObject, 0, 1, 1), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMint, 2, 8, 1, 8, seL4_RightWrite | seL4_RightGrantReply, 77),
			 EXC_NONE);
	c = fake_root(2)->cap;
	assert_int_equal(cap_endpoint_badge(c), 77);
	assert_true(cap_endpoint_can_send(c) && cap_endpoint_can_grant_reply(c));
	assert_false(cap_endpoint_can_receive(c) || cap_endpoint_can_grant(c));
	failed(FAKE_CNODE(CNodeMint, 3, 8, 2, 8, 15, 78), seL4_IllegalOperation);
	assert_int_equal(fake_copy(3, 2), EXC_NONE);
	assert_false(cap_endpoint_can_receive(fake_root(3)->cap)); /* rights do not grow */
	failed(FAKE_CNODE(CNodeMutate, 4, 8, 2, 8, 5), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeMutate, 4, 8, 1, 8, 5), seL4_IllegalOperation);
	assert_int_equal(FAKE_CNODE(CNodeMove, 4, 8, 2, 8), EXC_NONE);
	assert_true(cap_is_null(fake_root(2)->cap));
	assert_true(cte_is_parent(fake_root(4), fake_root(3)));
}

static void test_guards(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_CapTableObject, 4, 1, 1), EXC_NONE);
	failed(FAKE_CNODE(CNodeMint, 2, 8, 1, 8, 15, 61), seL4_IllegalOperation);
	assert_int_equal(FAKE_CNODE(CNodeMint, 2, 8, 1, 8, 15, 60 | UINT64_C(0x3ff) << 6), EXC_NONE);
	assert_int_equal(cap_cnode_guard(fake_root(2)->cap), 0x3ff);
	assert_int_equal(FAKE_CNODE(CNodeMutate, 3, 8, 2, 8, 4 | UINT64_C(0x3f5) << 6), EXC_NONE);
	assert_int_equal(cap_cnode_guard(fake_root(3)->cap), 5); /* low bits only */
	assert_int_equal(cap_cnode_guard_size(fake_root(3)->cap), 4);
}

static void test_not_derivable(void **state)
{
	(void)state;
	cte_insert_root(fake_root(1), cap_of_type(CAP_IRQ_CONTROL));
	cte_insert_root(fake_root(2), cap_of_type(CAP_IOPORT_CONTROL));
	failed(fake_copy(9, 1), seL4_IllegalOperation);
	failed(fake_copy(9, 2), seL4_IllegalOperation);
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_X86_PageTableObject, 0, 3, 1), EXC_NONE);
	failed(fake_copy(9, 3), seL4_IllegalOperation); /* not mapped */
	fake_root(3)->cap = cap_paging_with_is_mapped(fake_root(3)->cap, 1);
	assert_int_equal(fake_copy(9, 3), EXC_NONE);
	failed(fake_copy(10, FAKE_UT), seL4_RevokeFirst);
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_X86_4K, 0, 4, 1), EXC_NONE);
	fake_root(4)->cap = cap_frame_with_asid(cap_frame_with_map(fake_root(4)->cap, FRAME_VSPACE), 3);
	assert_int_equal(FAKE_CNODE(CNodeCopy, 10, 8, 4, 8, seL4_RightWrite), EXC_NONE);
	assert_int_equal(cap_frame_map(fake_root(10)->cap), FRAME_UNMAPPED);
	assert_int_equal(cap_frame_asid(fake_root(10)->cap), 0);
	assert_int_equal(cap_frame_rights(fake_root(10)->cap), 0);
	assert_int_equal(cap_frame_map(fake_root(4)->cap), FRAME_VSPACE);
}

static void test_rotate(void **state)
{
	cap_t a, b;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_CapTableObject, 4, 1, 2), EXC_NONE);
	a = fake_root(1)->cap;
	b = fake_root(2)->cap;
	failed(FAKE_CNODE(CNodeRotate, 3, 8, 0, 2, 8, 0, 1), seL4_TruncatedMessage);
	failed(FAKE_CNODE(CNodeRotate, 3, 8, 0, 1, 8, 0, 1, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeRotate, 2, 8, 0, 2, 8, 0, 1, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeRotate, FAKE_UT, 8, 0, 2, 8, 0, 1, 8), seL4_DeleteFirst);
	failed_lookup(FAKE_CNODE(CNodeRotate, 3, 8, 0, 2, 8, 0, 5, 8), true, seL4_MissingCapability, 8);
	failed_lookup(FAKE_CNODE(CNodeRotate, 3, 8, 0, 5, 8, 0, 1, 8), false, seL4_MissingCapability, 8);
	/* 1 -> 2 with guard size 5, 2 -> 3 with guard size 6 */
	assert_int_equal(FAKE_CNODE(CNodeRotate, 3, 8, 6, 2, 8, 5, 1, 8), EXC_NONE);
	assert_true(cap_is_null(fake_root(1)->cap));
	assert_int_equal(cap_cnode_ptr(fake_root(2)->cap), cap_cnode_ptr(a));
	assert_int_equal(cap_cnode_guard_size(fake_root(2)->cap), 5);
	assert_int_equal(cap_cnode_ptr(fake_root(3)->cap), cap_cnode_ptr(b));
	assert_int_equal(cap_cnode_guard_size(fake_root(3)->cap), 6);
	/* source and destination the same: exchange with the pivot */
	assert_int_equal(FAKE_CNODE(CNodeRotate, 2, 8, 1, 3, 8, 2, 2, 8), EXC_NONE);
	assert_int_equal(cap_cnode_ptr(fake_root(3)->cap), cap_cnode_ptr(a));
	assert_int_equal(cap_cnode_guard_size(fake_root(3)->cap), 2);
	assert_int_equal(cap_cnode_guard_size(fake_root(2)->cap), 1);
	fake_check_list(fake_root(2));
}

static void test_cancel_badged(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_EndpointObject, 0, 1, 1), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMint, 2, 8, 1, 8, 15, 77), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMint, 3, 8, 1, 8, 7, 77), EXC_NONE);
	failed(FAKE_CNODE(CNodeCancelBadgedSends, 3, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeCancelBadgedSends, FAKE_UT, 8), seL4_IllegalOperation);
	failed(FAKE_CNODE(CNodeCancelBadgedSends, 9, 8), seL4_IllegalOperation);
	assert_int_equal(FAKE_CNODE(CNodeCancelBadgedSends, 1, 8), EXC_NONE);
	assert_int_equal(cap_endpoint_of(fake_root(1)->cap)->tail, 0);
	assert_int_equal(FAKE_CNODE(CNodeCancelBadgedSends, 2, 8), EXC_NONE);
	assert_int_equal(cap_endpoint_of(fake_root(1)->cap)->tail, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_resolve, setup),
	    cmocka_unit_test_setup(test_resolve_levels, setup),
	    cmocka_unit_test_setup(test_target, setup),
	    cmocka_unit_test_setup(test_copy_checks, setup),
	    cmocka_unit_test_setup(test_mint_rights_and_badges, setup),
	    cmocka_unit_test_setup(test_guards, setup),
	    cmocka_unit_test_setup(test_not_derivable, setup),
	    cmocka_unit_test_setup(test_rotate, setup),
	    cmocka_unit_test_setup(test_cancel_badged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
