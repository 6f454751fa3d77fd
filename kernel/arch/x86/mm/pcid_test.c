/* Identifiers of address spaces: none is ever two spaces', and nothing is kept that is not known to be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/mm/pcid.h"

#define NUMBER 0xfffull

static struct pcid_cache c;

static int setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	return 0;
}

static void test_first_use_empties(void **state)
{
	(void)state;
	uint64_t first = pcid_use(&c, 0x5000), again = pcid_use(&c, 0x5000);

	assert_int_equal(first & ~NUMBER, 0x5000);
	assert_int_not_equal(first & NUMBER, 0); /* 0 is the kernel's */
	assert_int_equal(again, first | PCID_KEEP);
	assert_int_equal(pcid_of(&c, 0x5000), first & NUMBER);
	assert_int_equal(pcid_of(&c, 0x6000), 0);
}

static void test_stale_empties_once(void **state)
{
	(void)state;
	uint64_t first = pcid_use(&c, 0x5000);

	pcid_stale(&c, 0x5000);
	assert_int_equal(pcid_of(&c, 0x5000), 0);
	assert_int_equal(pcid_use(&c, 0x5000), first);
	assert_int_equal(pcid_use(&c, 0x5000), first | PCID_KEEP);
	pcid_stale(&c, 0x7000); /* unknown */
	assert_int_equal(pcid_of(&c, 0x7000), 0);
}

/* Two spaces that take turns keep what they have, whatever their addresses. */
static void test_pair(void **state)
{
	(void)state;
	for (uint64_t a = 0x1000; a < 0x200000; a += 0x1000) {
		memset(&c, 0, sizeof(c));
		pcid_use(&c, 0x1000000);
		pcid_use(&c, a);
		assert_true(pcid_use(&c, 0x1000000) & PCID_KEEP);
		assert_true(pcid_use(&c, a) & PCID_KEEP);
	}
}

/* Against a list of who had which number last. */
static void test_many(void **state)
{
	(void)state;
	enum { SPACES = 500, STEPS = 200000 };
	static uint64_t owner[4096];
	static bool right[SPACES];
	unsigned kept = 0;

	memset(owner, 0, sizeof(owner));
	memset(right, 0, sizeof(right));
	srandom(1);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned s = (unsigned)random() % (i % 1000 < 500 ? 20 : SPACES);
		uint64_t root = 0x7f0000000ull + s * 0x1000ull, v;

		if (random() % 8 == 0) {
			pcid_stale(&c, root);
			right[s] = false;
			continue;
		}
		v = pcid_use(&c, root);
		assert_int_equal(v & ~NUMBER & ~PCID_KEEP, root);
		assert_in_range(v & NUMBER, 1, PCID_SETS * PCID_WAYS);
		if (v & PCID_KEEP) {
			kept++;
			assert_true(right[s]);
			assert_int_equal(owner[v & NUMBER], root);
		}
		owner[v & NUMBER] = root;
		right[s] = true;
	}
	assert_true(kept > STEPS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_first_use_empties, setup),
	    cmocka_unit_test_setup(test_stale_empties_once, setup),
	    cmocka_unit_test_setup(test_pair, setup),
	    cmocka_unit_test_setup(test_many, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
