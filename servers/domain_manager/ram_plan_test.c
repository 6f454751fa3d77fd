#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include "servers/domain_manager/ram.h"

#define MIB (1ull << 20)

static void check(uint64_t bytes)
{
	struct ram_piece p[DOMAIN_PIECES];
	int n = ram_plan(bytes, p);
	uint64_t total = 0, at = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		if (at == RAM_LOW_END)
			at = RAM_HIGH_GPA;
		assert_int_equal(p[i].gpa, at);
		assert_int_equal(p[i].gpa & ((1ull << p[i].size_bits) - 1), 0);
		assert_true(p[i].size_bits >= 20);
		at += 1ull << p[i].size_bits;
		total += 1ull << p[i].size_bits;
	}
	assert_int_equal(total, bytes);
}

static void plans_cover_exactly(void **state)
{
	(void)state;
	for (uint64_t mib = 1; mib < 20000; mib += 1)
		check(mib * MIB);
	check(1ull << 40);
	check((1ull << 44) - MIB);
}

static void frames_by_size(void **state)
{
	const struct ram_piece p[] = {{0, 31}, {1ull << 31, 21}, {(1ull << 31) + (1 << 21), 20}};

	(void)state;
	assert_int_equal(ram_frames(p, 3, true), 2 + 1 + 256);
	assert_int_equal(ram_frames(p, 3, false), 1024 + 1 + 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plans_cover_exactly), cmocka_unit_test(frames_by_size)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
