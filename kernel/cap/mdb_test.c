// links: kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c
// links: kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c
// links: kernel/cap/cap_fake.c
/* The derivation tree's list and its rules. */
#include "cap/cap_fake.h"
#include "arch/x86/mm/window.h"

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

static cap_t endpoint(uint64_t p, word_t badge)
{
	return cap_endpoint_with_badge(cap_endpoint_with_ptr(cap_of_type(CAP_ENDPOINT), p), badge);
}

static struct cte *next_of(struct cte *c)
{
	return mdb_next(c->mdb) ? window_kv(paddr(mdb_next(c->mdb))) : NULL;
}

/* The list from a on is exactly these root slots. */
static void assert_order(unsigned n, const unsigned *slots)
{
	struct cte *c = fake_root(slots[0]);

	for (unsigned i = 0; i < n; i++) {
		assert_ptr_equal(c, fake_root(slots[i]));
		c = next_of(c);
	}
	assert_null(c);
	fake_check_list(fake_root(slots[0]));
}
#define ORDER(...)                                                                                           \
	assert_order(sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned), (unsigned[]){__VA_ARGS__})

static void chain(void)
{
	cte_insert_new(fake_root(FAKE_UT), fake_root(1), endpoint(FAKE_PHYS + FAKE_BYTES / 2, 0));
	cte_insert(endpoint(FAKE_PHYS + FAKE_BYTES / 2, 0), fake_root(1), fake_root(2));
	cte_insert(endpoint(FAKE_PHYS + FAKE_BYTES / 2, 0), fake_root(1), fake_root(3));
}

static void test_insert_and_parents(void **state)
{
	(void)state;
	chain();
	ORDER(FAKE_UT, 1, 3, 2);
	assert_true(cte_has_children(fake_root(FAKE_UT)));
	assert_true(cte_has_children(fake_root(1)));
	assert_false(cte_has_children(fake_root(2))); /* a copy is no parent */
	assert_false(cte_has_children(fake_root(3)));
	assert_false(cte_is_final(fake_root(1)));
	cte_unlink(fake_root(3));
	cte_unlink(fake_root(1));
	ORDER(FAKE_UT, 2);
	assert_true(cte_is_final(fake_root(2)));
}

static void test_badge_levels(void **state)
{
	uint64_t p = FAKE_PHYS + FAKE_BYTES / 2;

	(void)state;
	cte_insert_new(fake_root(FAKE_UT), fake_root(1), endpoint(p, 0));
	cte_insert(endpoint(p, 5), fake_root(1), fake_root(2));
	cte_insert(endpoint(p, 5), fake_root(2), fake_root(3)); /* copies of the minted one */
	cte_insert(endpoint(p, 5), fake_root(2), fake_root(4));
	cte_insert(endpoint(p, 5), fake_root(1), fake_root(5)); /* minted again with the same badge */
	ORDER(FAKE_UT, 1, 5, 2, 4, 3);
	assert_true(cte_is_parent(fake_root(2), fake_root(3)));
	assert_false(cte_has_children(fake_root(5)));
	cte_unlink(fake_root(2)); /* its copies must not fall to slot 5 */
	assert_false(cte_has_children(fake_root(5)));
	assert_true(mdb_first_badged(fake_root(4)->mdb));
	assert_true(cte_is_parent(fake_root(1), fake_root(3)));
	assert_false(cte_is_parent(fake_root(4), fake_root(3)));
}

static void test_move(void **state)
{
	(void)state;
	chain();
	cte_move(fake_root(3)->cap, fake_root(3), fake_root(9));
	ORDER(FAKE_UT, 1, 9, 2);
	assert_true(cap_is_null(fake_root(3)->cap));
	cte_move(fake_root(2)->cap, fake_root(2), fake_root(3));
	ORDER(FAKE_UT, 1, 9, 3);
}

static void test_swap(void **state)
{
	(void)state;
	chain(); /* UT 1 3 2 */
	fake_root(3)->cap = cap_endpoint_with_badge(fake_root(3)->cap, 33);
	cte_swap(fake_root(1)->cap, fake_root(1), fake_root(3)->cap, fake_root(3));
	ORDER(FAKE_UT, 3, 1, 2);
	assert_int_equal(cap_endpoint_badge(fake_root(1)->cap), 33);
	cte_swap(fake_root(1)->cap, fake_root(1), fake_root(3)->cap, fake_root(3)); /* the other way round */
	ORDER(FAKE_UT, 1, 3, 2);
	cte_swap(fake_root(2)->cap, fake_root(2), fake_root(1)->cap, fake_root(1)); /* with one between */
	ORDER(FAKE_UT, 2, 3, 1);
	cte_swap(fake_root(1)->cap, fake_root(1), fake_root(FAKE_UT)->cap,
		 fake_root(FAKE_UT)); /* both ends */
	ORDER(1, 2, 3, FAKE_UT);
}

static void test_untyped_copy_makes_source_full(void **state)
{
	struct cte *u = fake_root(FAKE_UT);

	(void)state;
	u->cap = cap_untyped_with_cleared(u->cap, 3);
	assert_int_equal(fake_copy(1, FAKE_UT), EXC_NONE);
	assert_int_equal(cap_untyped_free(u->cap), BIT(FAKE_UT_BITS));
	assert_int_equal(cap_untyped_cleared(u->cap), 0);
	assert_int_equal(cap_untyped_free(fake_root(1)->cap), 0);
	assert_true(cte_is_parent(u, fake_root(1)));
	assert_int_equal(fake_copy(2, FAKE_UT), EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, seL4_RevokeFirst);
	assert_int_equal(fake_copy(2, 1), EXC_NONE);
	/* the copy of the copy has the memory */
	assert_int_equal(fake_retype(fake_root(1), seL4_EndpointObject, 0, 3, 1), EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, seL4_NotEnoughMemory);
	assert_int_equal(fake_retype(fake_root(2), seL4_EndpointObject, 0, 3, 1), EXC_NONE);
}

static void test_regions(void **state)
{
	cap_t ut = cap_untyped_new(paddr(0x200000), 21, false),
	      in = cap_untyped_new(paddr(0x3ff000), 12, false);
	cap_t out = cap_untyped_new(paddr(0x400000), 12, false);
	cap_t big = cap_frame_new(paddr(0x200000), FRAME_2M, false, 3),
	      small = cap_frame_new(paddr(0x201000), FRAME_4K, false, 3);
	cap_t node = cap_cnode_new(paddr(0x200000), 4);
	cap_t z = cap_zombie_with_bits(cap_zombie_with_ptr(cap_of_type(CAP_ZOMBIE), 0x200000), 4);

	(void)state;
	assert_true(cap_same_region(ut, ut));
	assert_true(cap_same_region(ut, in));
	assert_false(cap_same_region(in, ut));
	assert_false(cap_same_region(ut, out));
	assert_false(cap_same_object(ut, ut));
	assert_true(cap_same_region(ut, big));
	assert_true(cap_same_region(big, small));
	assert_false(cap_same_region(small, big));
	assert_false(cap_same_object(big, small));
	assert_true(cap_same_region(ut, z));
	assert_false(cap_same_object(z, z));
	assert_false(cap_same_object(node, cap_cnode_new(paddr(0x200000), 5)));
	assert_true(cap_same_object(node, cap_cnode_with_guard_size(node, 7)));
	assert_true(cap_same_region(cap_of_type(CAP_IRQ_CONTROL),
				    cap_irq_handler_with_irq(cap_of_type(CAP_IRQ_HANDLER), 7)));
	assert_false(cap_same_object(cap_of_type(CAP_IRQ_CONTROL), cap_of_type(CAP_IRQ_HANDLER)));
	assert_false(cap_same_region(ut, cap_of_type(CAP_IRQ_CONTROL)));
	assert_false(cap_same_region(cap_null(), cap_null()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_insert_and_parents, setup),
	    cmocka_unit_test_setup(test_badge_levels, setup),
	    cmocka_unit_test_setup(test_move, setup),
	    cmocka_unit_test_setup(test_swap, setup),
	    cmocka_unit_test_setup(test_untyped_copy_makes_source_full, setup),
	    cmocka_unit_test_setup(test_regions, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
