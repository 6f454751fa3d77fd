// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/preempt.c kernel/cap/cnode.c
// links: kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c
// links: kernel/cap/cap_fake.c
/* Deletion and revocation: trees, zombies, objects inside objects, and going on after preemption. */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"
#include "object/object.h"
#include "object/tcb.h"
#include "object/timer.h"
#include "insula/ext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define UT fake_root(FAKE_UT)

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void make(word_t type, unsigned bits, unsigned slot, unsigned count)
{
	assert_int_equal(fake_retype(UT, type, bits, slot, count), EXC_NONE);
}

static bool empty(unsigned slot)
{
	return cap_is_null(fake_root(slot)->cap);
}

/* After a revoke of the Untyped nothing is left but it. */
static void assert_all_gone(void)
{
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
	assert_int_equal(fake_check_list(UT), 1);
	for (unsigned i = 0; i < 1u << FAKE_RADIX; i++)
		assert_true(i == FAKE_UT || empty(i));
	make(seL4_X86_4K, 0, 1, 1);
	assert_int_equal(cap_untyped_free(UT->cap), 4096);
	assert_int_equal(fake_present_count(paddr(cap_untyped_ptr(UT->cap)), BIT(FAKE_UT_BITS)), 0);
}

static void test_last_capability_ends_the_object(void **state)
{
	(void)state;
	make(seL4_EndpointObject, 0, 1, 1);
	assert_int_equal(fake_copy(2, 1), EXC_NONE);
	assert_int_equal(fake_mint(3, 1, 9), EXC_NONE);
	assert_int_equal(fake_delete(1), EXC_NONE);
	assert_int_equal(fake_delete(3), EXC_NONE);
	assert_int_equal(fake_events[CAP_ENDPOINT], 0);
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_int_equal(fake_events[CAP_ENDPOINT], 1);
	assert_int_equal(fake_delete(2), EXC_NONE); /* an empty slot */
	assert_int_equal(fake_check_list(UT), 1);
}

static void test_revoke_takes_children_only(void **state)
{
	(void)state;
	make(seL4_EndpointObject, 0, 1, 2);
	assert_int_equal(fake_mint(3, 1, 9), EXC_NONE);
	assert_int_equal(fake_copy(4, 3), EXC_NONE);
	assert_int_equal(fake_copy(5, 1), EXC_NONE);
	assert_int_equal(fake_mint(6, 1, 9), EXC_NONE);
	assert_int_equal(fake_revoke(3), EXC_NONE);
	assert_true(empty(4));
	assert_false(empty(5) || empty(6) || empty(3));
	assert_int_equal(fake_revoke(5), EXC_NONE);
	assert_false(empty(1) || empty(3) || empty(6));
	assert_int_equal(fake_revoke(1), EXC_NONE);
	assert_true(empty(3) && empty(5) && empty(6));
	assert_false(empty(1) || empty(2));
	assert_int_equal(fake_events[CAP_ENDPOINT], 0);
	assert_all_gone();
	assert_int_equal(fake_events[CAP_ENDPOINT], 2);
}

static void test_cnode_empties_its_slots(void **state)
{
	(void)state;
	make(seL4_CapTableObject, 4, 1, 1);
	make(seL4_EndpointObject, 0, 2, 1);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(fake_copy_deep(FAKE_IN(1, i), 12, 2, 8), EXC_NONE);
	assert_int_equal(fake_check_list(UT), 19);
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_int_equal(fake_events[CAP_ENDPOINT], 0);
	assert_int_equal(fake_copy(3, 1), EXC_NONE);
	assert_int_equal(fake_delete(1), EXC_NONE); /* a copy of the CNode is left */
	assert_int_equal(fake_check_list(UT), 18);
	assert_int_equal(fake_delete(3), EXC_NONE);
	assert_int_equal(fake_events[CAP_ENDPOINT], 1);
	assert_int_equal(fake_check_list(UT), 1);
}

/*
 * A slot of the CNode holds the CNode's last capability: it is a zombie in itself, and only a revoke ends it.
 */
static void test_cnode_that_holds_itself(void **state)
{
	(void)state;
	make(seL4_CapTableObject, 4, 1, 1);
	make(seL4_EndpointObject, 0, 2, 1);
	assert_int_equal(fake_copy_deep(FAKE_IN(1, 5), 12, 2, 8), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(1, 3), 12, 1, 8), EXC_NONE);
	assert_true(empty(1));
	assert_all_gone();
}

/*
 * Deleting the last capability from within. When the deletion reaches the slot that was named, the zombie
 * moves to the first slot and the call is done: what lies between can be reached by no one, and ends with the
 * memory's revoke.
 */
static void test_cnode_deleted_through_its_own_slot(void **state)
{
	struct cte *in;
	struct cte root = {.cap = fake_root_cap()};
	exception_t e;

	for (unsigned own = 0; own < 16; own++) {
		setup(state);
		make(seL4_CapTableObject, 4, 1, 1);
		make(seL4_EndpointObject, 0, 2, 1);
		in = fake_in(1, 0);
		for (unsigned i = 0; i < 16; i++)
			if (i != own)
				assert_int_equal(fake_copy_deep(FAKE_IN(1, i), 12, 2, 8), EXC_NONE);
		assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(1, own), 12, 1, 8), EXC_NONE);
		fake_poll_every = 1;
		do {
			FAKE_MESSAGE(own, 4);
			fake_extra(&root, NULL);
			/* the invoked capability is the CNode's own as long as it is one */
			e = cap_type(in[own].cap) == CAP_CNODE ? cnode_decode(CNodeDelete, 2, in[own].cap)
							       : cte_delete(&in[own], true);
		} while (e == EXC_PREEMPTED);
		assert_int_equal(e, EXC_NONE);
		assert_int_equal(fake_check_list(UT), own ? 2 + own : 2);
		assert_true(own == 0 || cap_type(in[0].cap) == CAP_ZOMBIE);
		assert_all_gone();
	}
}

/*
 * CNode 1 holds the last capabilities to CNode 2 and a TCB, these hold things too: revoking the memory ends
 * all.
 */
static void test_objects_inside_objects(void **state)
{
	struct tcb *t;

	(void)state;
	make(seL4_CapTableObject, 4, 1, 3);
	make(seL4_TCBObject, 0, 4, 1);
	make(seL4_EndpointObject, 0, 5, 1);
	for (unsigned i = 0; i < 16; i++)
		for (unsigned node = 2; node <= 3; node++)
			assert_int_equal(fake_copy_deep(FAKE_IN(node, i), 12, 5, 8), EXC_NONE);
	t = cap_tcb_of(fake_root(4)->cap);
	cte_insert(fake_root(5)->cap, fake_root(5), &t->slot[TCB_FAULT_HANDLER]);
	cte_insert(fake_root(1)->cap, fake_root(1), &t->slot[TCB_CSPACE]); /* a circle: 1 -> TCB -> 1 */
	assert_int_equal(FAKE_CNODE(CNodeDelete, FAKE_IN(2, 7), 12), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(2, 7), 12, 3, 8), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(1, 9), 12, 2, 8), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(1, 2), 12, 4, 8), EXC_NONE);
	assert_int_equal(fake_delete(5), EXC_NONE);
	assert_int_equal(fake_delete(1), EXC_NONE); /* not final: the TCB's CSpace */
	assert_true(empty(1));
	assert_int_equal(fake_events[CAP_TCB], 0);
	fake_poll_every = 1;
	assert_all_gone();
	assert_int_equal(fake_events[CAP_TCB], 1);
	assert_int_equal(fake_events[CAP_ENDPOINT], 1);
}

static void test_nested_delete_uses_no_stack(void **state)
{
	(void)state;
	/* 100 CNodes, each in the next one */
	make(seL4_CapTableObject, 4, 20, 100);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(FAKE_CNODE(CNodeMove, FAKE_IN(20 + i + 1, i % 16), 12, 20 + i, 8), EXC_NONE);
	assert_int_equal(fake_delete(119), EXC_NONE);
	assert_true(empty(119));
	fake_check_list(UT);
	fake_poll_every = 3;
	assert_all_gone();
}

static void test_big_delete_is_preemptible(void **state)
{
	struct cte *in;
	unsigned restarts = 0;

	(void)state;
	make(seL4_CapTableObject, 12, 1, 1);
	make(seL4_EndpointObject, 0, 2, 1);
	in = fake_in(1, 0);
	for (unsigned i = 0; i < 4096; i++)
		cte_insert(fake_root(2)->cap, fake_root(2), &in[i]);
	fake_poll_every = 1;
	while (cte_delete(fake_root(1), true) == EXC_PREEMPTED) {
		restarts++;
		assert_int_equal(cap_type(fake_root(1)->cap), CAP_ZOMBIE);
		fake_check_list(UT);
	}
	assert_in_range(restarts, 4096 / PREEMPT_UNITS, 4096 / PREEMPT_UNITS + 1);
	assert_true(empty(1));
	assert_int_equal(fake_check_list(UT), 2);
}

static void test_revoke_is_preemptible(void **state)
{
	struct cte *in;
	unsigned restarts = 0;

	(void)state;
	make(seL4_CapTableObject, 12, 1, 1);
	make(seL4_EndpointObject, 0, 2, 1);
	in = fake_in(1, 0);
	for (unsigned i = 0; i < 4096; i++)
		cte_insert(fake_root(2)->cap, fake_root(2), &in[i]);
	fake_poll_every = 1;
	while (cte_revoke(fake_root(2)) == EXC_PREEMPTED)
		restarts++;
	assert_in_range(restarts, 4096 / PREEMPT_UNITS, 4096 / PREEMPT_UNITS + 1);
	assert_false(empty(2));
	assert_int_equal(fake_check_list(UT), 3);
}

static void test_tcb(void **state)
{
	struct tcb *t;

	(void)state;
	make(seL4_TCBObject, 0, 1, 1);
	make(seL4_X86_4K, 0, 2, 1);
	make(seL4_CapTableObject, 4, 3, 1);
	t = cap_tcb_of(fake_root(1)->cap);
	cte_insert(fake_root(3)->cap, fake_root(3), &t->slot[TCB_CSPACE]);
	cte_insert(cap_frame_with_map(fake_root(2)->cap, FRAME_KERNEL), fake_root(2),
		   &t->slot[TCB_IPC_BUFFER]);
	t->ipc_buffer_kv = (word_t *)t;
	assert_int_equal(fake_copy(4, 1), EXC_NONE);
	/* the frame's owner takes it back: the thread has no buffer any more */
	assert_int_equal(fake_revoke(2), EXC_NONE);
	assert_null(t->ipc_buffer_kv);
	assert_int_equal(fake_events[CAP_FRAME], 1);
	cte_insert(cap_frame_with_map(fake_root(2)->cap, FRAME_KERNEL), fake_root(2),
		   &t->slot[TCB_IPC_BUFFER]);
	assert_int_equal(fake_delete(1), EXC_NONE);
	assert_int_equal(fake_events[CAP_TCB], 0);
	assert_int_equal(fake_delete(4), EXC_NONE);
	assert_int_equal(fake_events[CAP_TCB], 1);
	assert_int_equal(fake_events[CAP_FRAME], 2);
	assert_int_equal(fake_check_list(UT), 3);
	assert_all_gone();
}

static void test_timer_holds_a_notification(void **state)
{
	struct timer *t;

	(void)state;
	make(insula_TimerObject, 0, 1, 1);
	make(seL4_NotificationObject, 0, 2, 1);
	t = window_kv(cap_paddr(fake_root(1)->cap));
	cte_insert(fake_root(2)->cap, fake_root(2), &t->notification);
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_int_equal(fake_events[CAP_NOTIFICATION], 0);
	assert_int_equal(fake_delete(1), EXC_NONE);
	assert_int_equal(fake_events[CAP_TIMER], 1);
	assert_int_equal(fake_events[CAP_NOTIFICATION], 1);
	assert_all_gone();
}

static void test_cleanup_after_the_slot(void **state)
{
	cap_t port = cap_ioport_with_last(cap_ioport_with_first(cap_of_type(CAP_IOPORT), 1), 2);

	(void)state;
	cte_insert_root(fake_root(1), cap_of_type(CAP_IOPORT_CONTROL));
	cte_insert_root(fake_root(5), cap_of_type(CAP_IRQ_CONTROL));
	cte_insert(port, fake_root(1), fake_root(2));
	cte_insert(cap_irq_handler_with_irq(cap_of_type(CAP_IRQ_HANDLER), 4), fake_root(5), fake_root(6));
	assert_int_equal(fake_copy(3, 2), EXC_NONE);
	fake_root(3)->cap = cap_ioport_with_vcpu(fake_root(3)->cap, 9);
	assert_int_equal(fake_copy(4, 3), EXC_NONE); /* a copy did not open the vCPU's ports */
	assert_int_equal(cap_ioport_vcpu(fake_root(4)->cap), 0);
	assert_int_equal(fake_delete(4), EXC_NONE);
	assert_int_equal(fake_events[CAP_IOPORT_CONTROL], 0);
	assert_int_equal(fake_copy(7, 6), EXC_NONE);
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_int_equal(fake_delete(6), EXC_NONE);
	assert_int_equal(fake_events[CAP_IOPORT], 0);
	assert_int_equal(fake_revoke(1), EXC_NONE);
	assert_int_equal(fake_revoke(5), EXC_NONE);
	assert_int_equal(fake_events[CAP_IOPORT], 1);
	assert_int_equal(fake_events[CAP_IOPORT_CONTROL], 1);
	assert_int_equal(fake_events[CAP_IRQ_HANDLER], 1);
	assert_true(empty(3) && empty(7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_last_capability_ends_the_object, setup),
	    cmocka_unit_test_setup(test_revoke_takes_children_only, setup),
	    cmocka_unit_test_setup(test_cnode_empties_its_slots, setup),
	    cmocka_unit_test_setup(test_cnode_that_holds_itself, setup),
	    cmocka_unit_test_setup(test_cnode_deleted_through_its_own_slot, setup),
	    cmocka_unit_test_setup(test_objects_inside_objects, setup),
	    cmocka_unit_test_setup(test_nested_delete_uses_no_stack, setup),
	    cmocka_unit_test_setup(test_big_delete_is_preemptible, setup),
	    cmocka_unit_test_setup(test_revoke_is_preemptible, setup),
	    cmocka_unit_test_setup(test_tcb, setup),
	    cmocka_unit_test_setup(test_timer_holds_a_notification, setup),
	    cmocka_unit_test_setup(test_cleanup_after_the_slot, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
