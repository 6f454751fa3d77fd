// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/object/object.c kernel/api/error.c
// links: kernel/cap/cap_fake.c
/* Retype: checks in their order, arithmetic, clearing, and the window's invariant. */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt.h"
#include "insula/ext.h"
#include "object/object.h"
#include "object/tcb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define UT   fake_root(FAKE_UT)
#define BASE (FAKE_PHYS + FAKE_BYTES / 2)

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static exception_t retype(unsigned length, word_t type, word_t bits, word_t index, word_t depth,
			  word_t offset, word_t count)
{
	struct cte root = {.cap = fake_root_cap()};

	fake_message(length, (word_t[]){type, bits, index, depth, offset, count});
	fake_extra(&root, NULL);
	return untyped_decode(UntypedRetype, length, UT, UT->cap);
}

static void failed(exception_t e, enum sel4_error type, word_t a, word_t b)
{
	assert_int_equal(e, EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, type);
	assert_int_equal(percpu_host->error.arg[0], a);
	assert_int_equal(percpu_host->error.arg[1], b);
}

static bool zero(uint64_t p, uint64_t bytes)
{
	uint8_t b[4096];

	for (uint64_t i = 0; i < bytes; i += sizeof(b)) {
		uint64_t n = bytes - i < sizeof(b) ? bytes - i : sizeof(b);

		fake_peek(paddr(p + i), b, n);
		for (uint64_t j = 0; j < n; j++)
			if (b[j])
				return false;
	}
	return true;
}

static void test_checks_in_order(void **state)
{
	const struct virt_ops *with = virt;

	(void)state;
	failed(untyped_decode(CNodeCopy, 0, UT, UT->cap), seL4_IllegalOperation, 0, 0);
	failed(retype(5, 99, 0, 0, 0, 0, 0), seL4_TruncatedMessage, 0, 0);
	FAKE_MESSAGE(99, 0, 0, 0, 0, 0);
	fake_extra(NULL, NULL);
	failed(untyped_decode(UntypedRetype, 6, UT, UT->cap), seL4_TruncatedMessage, 0, 0);
	failed(retype(6, 20, 99, 0, 99, 999, 999), seL4_InvalidArgument, 0, 0);
	virt = NULL;
	failed(retype(6, seL4_X86_VCPUObject, 0, 0, 0, 0, 1), seL4_InvalidArgument, 0, 0);
	failed(retype(6, seL4_X86_EPTPTObject, 0, 0, 0, 0, 1), seL4_InvalidArgument, 0, 0);
	virt = with;
	failed(retype(6, seL4_X86_4K, 64, 0, 99, 999, 999), seL4_RangeError, 0, 47);
	failed(retype(6, seL4_X86_4K, BIT(32), 0, 99, 999, 999), seL4_RangeError, 0, 47);
	failed(retype(6, seL4_UntypedObject, 48, 0, 99, 999, 999), seL4_RangeError, 0, 47);
	failed(retype(6, seL4_CapTableObject, 43, 0, 99, 999, 999), seL4_RangeError, 0, 47);
	failed(retype(6, seL4_CapTableObject, 63, 0, 99, 999, 999), seL4_RangeError, 0, 47);
	failed(retype(6, seL4_CapTableObject, 0, 0, 99, 999, 999), seL4_InvalidArgument, 1, 0);
	failed(retype(6, seL4_UntypedObject, 3, 0, 99, 999, 999), seL4_InvalidArgument, 1, 0);
	failed(retype(6, seL4_SchedContextObject, 6, 0, 99, 999, 999), seL4_InvalidArgument, 1, 0);
	failed(retype(6, seL4_X86_4K, 0, 0, 99, 999, 999), seL4_RangeError, 1, 64);
	assert_int_equal(retype(6, seL4_X86_4K, 0, 5, 8, 999, 999),
			 EXC_SYSCALL_ERROR); /* an empty slot: no CNode */
	assert_int_equal(percpu_host->error.type, seL4_FailedLookup);
	assert_false(percpu_host->error.source);
	assert_int_equal(percpu_host->error.lookup.type, seL4_MissingCapability);
	assert_int_equal(percpu_host->error.lookup.bits_left, 8);
	failed(retype(6, seL4_X86_4K, 0, 0, 0, 256, 999), seL4_RangeError, 0, 255);
	failed(retype(6, seL4_X86_4K, 0, 0, 0, 250, 0), seL4_RangeError, 1, 256);
	failed(retype(6, seL4_X86_4K, 0, 0, 0, 250, 257), seL4_RangeError, 1, 256);
	failed(retype(6, seL4_X86_4K, 0, 0, 0, 250, 7), seL4_RangeError, 1, 6);
	failed(retype(6, seL4_X64_HugePageObject, 0, 0, 0, FAKE_UT, 1), seL4_DeleteFirst, 0, 0);
	failed(retype(6, seL4_X64_HugePageObject, 0, 0, 0, 0, 1), seL4_NotEnoughMemory, BIT(FAKE_UT_BITS), 0);
	UT->cap = cap_untyped_with_device(UT->cap, 1);
	failed(retype(6, seL4_CapTableObject, 40, 0, 0, 0, 1), seL4_NotEnoughMemory, BIT(FAKE_UT_BITS), 0);
	failed(retype(6, seL4_TCBObject, 0, 0, 0, 0, 1), seL4_InvalidArgument, 1, 0);
	assert_false(cte_has_children(UT));
}

static void test_sizes(void **state)
{
	static const struct {
		word_t type;
		unsigned user, bits;
	} t[] = {
	    {seL4_UntypedObject, 7, 7},
	    {seL4_TCBObject, 0, 12},
	    {seL4_EndpointObject, 0, 4},
	    {seL4_NotificationObject, 0, 6},
	    {seL4_CapTableObject, 3, 8},
	    {seL4_SchedContextObject, 9, 9},
	    {seL4_ReplyObject, 0, 5},
	    {seL4_X86_PDPTObject, 0, 12},
	    {seL4_X64_PML4Object, 0, 12},
	    {seL4_X64_HugePageObject, 0, 30},
	    {seL4_X86_4K, 0, 12},
	    {seL4_X86_LargePageObject, 0, 21},
	    {seL4_X86_PageTableObject, 0, 12},
	    {seL4_X86_PageDirectoryObject, 0, 12},
	    {seL4_X86_IOPageTableObject, 0, 12},
	    {seL4_X86_VCPUObject, 0, 14},
	    {seL4_X86_EPTPML4Object, 0, 12},
	    {seL4_X86_EPTPDPTObject, 0, 12},
	    {seL4_X86_EPTPDObject, 0, 12},
	    {seL4_X86_EPTPTObject, 0, 12},
	    {insula_TimerObject, 0, 7},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(object_size_bits(t[i].type, t[i].user), t[i].bits);
		if (t[i].bits > FAKE_UT_BITS)
			continue;
		assert_int_equal(fake_retype(UT, t[i].type, t[i].user, 1, 1), EXC_NONE);
		assert_int_equal(cap_size_bits(fake_root(1)->cap), t[i].bits); /* the capability agrees */
		assert_int_equal(cap_paddr(fake_root(1)->cap).v, BASE);
		assert_int_equal(cap_untyped_free(UT->cap), BIT(t[i].bits));
		assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	}
}

static void test_alignment_and_room(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(UT, seL4_EndpointObject, 0, 1, 3), EXC_NONE);
	assert_int_equal(cap_paddr(fake_root(3)->cap).v, BASE + 32);
	assert_int_equal(fake_retype(UT, seL4_NotificationObject, 0, 4, 1), EXC_NONE);
	assert_int_equal(cap_paddr(fake_root(4)->cap).v, BASE + 64);
	assert_int_equal(fake_retype(UT, seL4_X86_LargePageObject, 0, 5, 7), EXC_NONE);
	assert_int_equal(cap_paddr(fake_root(5)->cap).v, BASE + BIT(21));
	failed(retype(6, seL4_EndpointObject, 0, 0, 0, 100, 1), seL4_NotEnoughMemory, 0, 0);
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 1), EXC_NONE);
	failed(retype(6, seL4_X86_LargePageObject, 0, 0, 0, 100, 8), seL4_NotEnoughMemory, BIT(24) - 4096, 0);
	assert_int_equal(fake_retype(UT, seL4_X86_LargePageObject, 0, 2, 7), EXC_NONE);
}

static void test_clearing_and_window(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 1), EXC_NONE);
	assert_true(zero(BASE, 4096));
	assert_false(zero(BASE + 4096, 16)); /* only what was handed out */
	assert_false(fake_present(paddr(BASE)));
	assert_int_equal(fake_retype(UT, seL4_UntypedObject, 13, 2, 1), EXC_NONE);
	assert_false(zero(BASE + 8192, 16));
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 0);
	assert_int_equal(fake_retype(fake_root(2), seL4_EndpointObject, 0, 3, 1), EXC_NONE);
	assert_true(zero(BASE + 8192, 16));
	assert_true(fake_present(paddr(BASE + 8192)));
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 1);
	/* after a frame, the object's page; then a frame again, in the next page */
	assert_int_equal(fake_retype(fake_root(2), seL4_X86_4K, 0, 4, 1), EXC_NONE);
	assert_int_equal(cap_paddr(fake_root(4)->cap).v, BASE + 12288);
	assert_false(fake_present(paddr(BASE + 12288)));
	/* the page is taken back only when the Untyped is used anew */
	assert_int_equal(fake_revoke(2), EXC_NONE);
	assert_true(fake_present(paddr(BASE + 8192)));
	assert_int_equal(fake_retype(fake_root(2), seL4_X86_4K, 0, 3, 1), EXC_NONE);
	assert_false(fake_present(paddr(BASE + 8192)));
	assert_true(zero(BASE + 8192, 4096));
}

static void test_small_untypeds_share_a_page(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(UT, seL4_UntypedObject, 6, 1, 4), EXC_NONE);
	assert_int_equal(fake_retype(fake_root(1), seL4_EndpointObject, 0, 5, 1), EXC_NONE);
	assert_int_equal(fake_retype(fake_root(2), seL4_EndpointObject, 0, 6, 1), EXC_NONE);
	assert_int_equal(fake_revoke(1), EXC_NONE);
	fake_poke(paddr(BASE), 0xff, 16);
	assert_int_equal(fake_retype(fake_root(1), seL4_EndpointObject, 0, 5, 1), EXC_NONE); /* a reset */
	assert_true(zero(BASE, 16));
	assert_true(fake_present(paddr(BASE)));
	assert_int_equal(fake_delete(6), EXC_NONE); /* touches the object */
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 1), EXC_NONE);
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 0);
}

static void test_big_clear_is_preemptible(void **state)
{
	unsigned restarts = 0;
	exception_t e;

	(void)state;
	fake_poll_every = 3;
	while ((e = retype(6, seL4_X86_LargePageObject, 0, 0, 0, 1, 2)) == EXC_PREEMPTED) {
		restarts++;
		assert_true(cap_is_null(fake_root(1)->cap));
	}
	assert_int_equal(e, EXC_NONE);
	/* 64 steps of 64 KiB, and no step twice */
	assert_in_range(restarts, 20, 21);
	assert_true(zero(BASE, BIT(22)));
	assert_false(zero(BASE + BIT(22), 4096));
	assert_int_equal(cap_untyped_cleared(UT->cap), 0);
}

static void test_preempted_objects_then_frames(void **state)
{
	(void)state;
	fake_poll_every = 5;
	assert_int_equal(retype(6, seL4_CapTableObject, 15, 0, 0, 1, 1), EXC_PREEMPTED);
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 5 * 16);
	assert_true(cap_untyped_stale(UT->cap));
	/* another caller wants frames: the pages must leave first, in steps of their own */
	fake_poll_every = 2;
	assert_int_equal(retype(6, seL4_X86_4K, 0, 0, 0, 1, 1), EXC_PREEMPTED);
	fake_poll_every = 0;
	assert_int_equal(retype(6, seL4_X86_4K, 0, 0, 0, 1, 1), EXC_NONE);
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 0);
	assert_true(zero(BASE, 4096));
	/* with children, beyond an alignment gap, and for a smaller request than the interrupted one */
	fake_poll_every = 4;
	assert_int_equal(retype(6, seL4_CapTableObject, 15, 0, 0, 2, 1), EXC_PREEMPTED);
	assert_int_equal(cap_untyped_free(UT->cap), BIT(20));
	assert_true(cap_untyped_stale(UT->cap));
	fake_poll_every = 0;
	assert_int_equal(retype(6, seL4_TCBObject, 0, 0, 0, 2, 1), EXC_NONE);
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 1);
	assert_false(cap_untyped_stale(UT->cap));
	assert_int_equal(retype(6, seL4_X86_LargePageObject, 0, 0, 0, 3, 1), EXC_NONE);
}

/* Threads are no zeros: what an interrupted call made of them is of use to one for threads only. */
static void test_preempted_threads(void **state)
{
	unsigned restarts = 0;
	exception_t e;

	(void)state;
	fake_poll_every = 1;
	while ((e = retype(6, seL4_TCBObject, 0, 0, 0, 32, 32)) == EXC_PREEMPTED) {
		restarts++;
		assert_int_equal(cap_untyped_cleared(UT->cap), restarts);
		assert_int_equal(cap_untyped_made(UT->cap), 1);
	}
	assert_int_equal(e, EXC_NONE);
	assert_int_equal(restarts, 2);
	assert_false(cap_untyped_made(UT->cap));
	for (unsigned i = 32; i < 64; i++)
		assert_int_equal(cap_tcb_of(fake_root(i)->cap)->priority, 1);
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	while (retype(6, seL4_TCBObject, 0, 0, 0, 32, 32) == EXC_PREEMPTED && !cap_untyped_made(UT->cap))
		;
	assert_true(cap_untyped_made(UT->cap));
	fake_poll_every = 0;
	assert_int_equal(retype(6, seL4_CapTableObject, 12, 0, 0, 1, 1), EXC_NONE);
	assert_true(zero(BASE, BIT(17)));
	assert_false(cap_untyped_made(UT->cap));
}

static void test_preempted_frames_then_objects(void **state)
{
	(void)state;
	fake_poll_every = 5;
	assert_int_equal(retype(6, seL4_X86_LargePageObject, 0, 0, 0, 1, 1), EXC_PREEMPTED);
	assert_int_equal(cap_untyped_cleared(UT->cap), 5);
	fake_poll_every = 0;
	assert_int_equal(retype(6, seL4_CapTableObject, 13, 0, 0, 1, 1),
			 EXC_NONE); /* all of it in the window */
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), BIT(18) / PAGE_SIZE);
	assert_true(zero(BASE, BIT(18)));
}

static void test_reset_is_preemptible(void **state)
{
	exception_t e;
	unsigned restarts = 0;

	(void)state;
	assert_int_equal(fake_retype(UT, seL4_CapTableObject, 18, 1, 1), EXC_NONE); /* 8 MiB */
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 2048);
	assert_int_equal(fake_retype(UT, seL4_UntypedObject, 4, 2, 1), EXC_NONE); /* an uneven end */
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	fake_poll_every = 1;
	while ((e = retype(6, seL4_X86_4K, 0, 0, 0, 1, 1)) == EXC_PREEMPTED)
		restarts++;
	assert_int_equal(e, EXC_NONE);
	assert_int_equal(restarts, 8);
	assert_int_equal(fake_present_count(paddr(BASE), BIT(24)), 0);
}

static void test_module_keeps_content(void **state)
{
	(void)state;
	UT->cap = cap_untyped_new_module(paddr(BASE), FAKE_UT_BITS);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 2), EXC_NONE);
	assert_false(zero(BASE, 16));
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 3, 2),
			 EXC_NONE); /* all its frames, not only the first call's */
	assert_false(zero(BASE + 3 * 4096, 16));
	/* never in kernel objects, nor afterwards */
	assert_int_equal(fake_retype(UT, seL4_CapTableObject, 4, 5, 1), EXC_NONE);
	assert_true(zero(BASE + 4 * 4096, 512));
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 6, 1), EXC_NONE);
	assert_true(zero(BASE + 5 * 4096, 4096));
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 1), EXC_NONE);
	assert_true(zero(BASE, 4096));
}

static void test_module_copy_and_reset(void **state)
{
	(void)state;
	UT->cap = cap_untyped_new_module(paddr(BASE), FAKE_UT_BITS);
	assert_int_equal(fake_copy(1, FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(fake_root(1), seL4_X86_4K, 0, 2, 1), EXC_NONE);
	assert_false(zero(BASE, 16));
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 2, 1),
			 EXC_NONE); /* not the module's first use any more */
	assert_true(zero(BASE, 4096));
}

static void test_device(void **state)
{
	(void)state;
	UT->cap = cap_untyped_new(paddr(BASE), FAKE_UT_BITS, true);
	assert_int_equal(fake_retype(UT, seL4_X86_4K, 0, 1, 1), EXC_NONE);
	assert_true(cap_frame_device(fake_root(1)->cap));
	assert_false(zero(BASE, 16));
	assert_int_equal(fake_retype(UT, seL4_UntypedObject, 12, 2, 1), EXC_NONE);
	assert_true(cap_untyped_device(fake_root(2)->cap));
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_retype(UT, seL4_X86_LargePageObject, 0, 1, 1), EXC_NONE);
	assert_int_equal(cap_paddr(fake_root(1)->cap).v, BASE);
}

static void test_take_page(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(UT, seL4_UntypedObject, 12, 1, 1), EXC_NONE);
	untyped_take_page(fake_root(1));
	assert_true(fake_present(paddr(BASE)));
	assert_true(zero(BASE, 4096));
	assert_int_equal(cap_untyped_free(fake_root(1)->cap), 4096);
	assert_int_equal(fake_retype(fake_root(1), seL4_X86_4K, 0, 2, 1), EXC_NONE);
	assert_false(fake_present(paddr(BASE)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_checks_in_order, setup),
	    cmocka_unit_test_setup(test_sizes, setup),
	    cmocka_unit_test_setup(test_alignment_and_room, setup),
	    cmocka_unit_test_setup(test_clearing_and_window, setup),
	    cmocka_unit_test_setup(test_small_untypeds_share_a_page, setup),
	    cmocka_unit_test_setup(test_big_clear_is_preemptible, setup),
	    cmocka_unit_test_setup(test_preempted_objects_then_frames, setup),
	    cmocka_unit_test_setup(test_preempted_threads, setup),
	    cmocka_unit_test_setup(test_preempted_frames_then_objects, setup),
	    cmocka_unit_test_setup(test_reset_is_preemptible, setup),
	    cmocka_unit_test_setup(test_module_keeps_content, setup),
	    cmocka_unit_test_setup(test_module_copy_and_reset, setup),
	    cmocka_unit_test_setup(test_device, setup),
	    cmocka_unit_test_setup(test_take_page, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
