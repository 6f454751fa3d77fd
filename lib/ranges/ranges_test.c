/* Cases by hand, then random operations against a bitmap. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "ranges/ranges.h"

static void expect(const struct ranges *r, uint32_t n, const struct range *want)
{
	assert_int_equal(r->count, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(r->items[i].start, want[i].start);
		assert_int_equal(r->items[i].end, want[i].end);
	}
}

static void test_by_hand(void **state)
{
	struct range items[4];
	struct ranges r;

	(void)state;
	ranges_init(&r, items, 4);
	assert_int_equal(ranges_add(&r, 0x1000, 0x2000), RANGES_OK);
	assert_int_equal(ranges_add(&r, 0x3000, 0x4000), RANGES_OK);
	assert_int_equal(ranges_add(&r, 0x2000, 0x2800), RANGES_OK);
	expect(&r, 2, (struct range[]){{0x1000, 0x2800}, {0x3000, 0x4000}});
	assert_int_equal(ranges_add(&r, 0x2800, 0x3000), RANGES_OK);
	expect(&r, 1, (struct range[]){{0x1000, 0x4000}});
	assert_int_equal(ranges_subtract(&r, 0x2000, 0x2001), RANGES_OK);
	expect(&r, 2, (struct range[]){{0x1000, 0x2000}, {0x2001, 0x4000}});
	assert_int_equal(ranges_align(&r, 0x1000), RANGES_OK);
	expect(&r, 2, (struct range[]){{0x1000, 0x2000}, {0x3000, 0x4000}});
	assert_int_equal(ranges_total(&r), 0x2000);
	assert_true(ranges_contain(&r, 0x1000, 0x2000));
	assert_false(ranges_contain(&r, 0x1000, 0x2001));
	assert_true(ranges_contain(&r, 0x2800, 0x2800));
	assert_true(ranges_overlap(&r, 0, 0x1001));
	assert_false(ranges_overlap(&r, 0x2000, 0x3000));
	assert_int_equal(ranges_add(&r, 2, 1), RANGES_BAD);
	assert_int_equal(ranges_align(&r, 3), RANGES_BAD);

	/* full: nothing changes */
	assert_int_equal(ranges_add(&r, 0x10, 0x11), RANGES_OK);
	assert_int_equal(ranges_add(&r, 0x20, 0x21), RANGES_OK);
	assert_int_equal(ranges_add(&r, 0x30, 0x31), RANGES_FULL);
	assert_int_equal(ranges_subtract(&r, 0x1800, 0x1900), RANGES_FULL);
	expect(&r, 4, (struct range[]){{0x10, 0x11}, {0x20, 0x21}, {0x1000, 0x2000}, {0x3000, 0x4000}});
	assert_int_equal(ranges_subtract(&r, 0, UINT64_MAX), RANGES_OK);
	assert_int_equal(r.count, 0);
	assert_int_equal(ranges_add(&r, 0, UINT64_MAX), RANGES_OK);
	assert_int_equal(ranges_align(&r, 1ull << 63), RANGES_OK);
	expect(&r, 1, (struct range[]){{0, 1ull << 63}});
}

static void test_find(void **state)
{
	struct range items[4];
	struct ranges r;
	uint64_t at;

	(void)state;
	ranges_init(&r, items, 4);
	ranges_add(&r, 0x1800, 0x3000);
	ranges_add(&r, 0x10000, 0x20000);
	assert_true(ranges_find_low(&r, 0x1000, 0x1000, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x2000);
	assert_true(ranges_find_low(&r, 0x1001, 0x1000, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x10000);
	assert_true(ranges_find_high(&r, 0x1001, 0x1000, 0, UINT64_MAX, &at));
	assert_int_equal(at, 0x1e000);
	assert_true(ranges_find_high(&r, 0x1000, 0x1000, 0, 0x10000, &at));
	assert_int_equal(at, 0x2000);
	assert_true(ranges_find_low(&r, 1, 1, 0x2345, UINT64_MAX, &at));
	assert_int_equal(at, 0x2345);
	assert_false(ranges_find_low(&r, 0x1000, 0x1000, 0x2001, 0x10fff, &at));
	assert_false(ranges_find_high(&r, 0x1000, 0x1000, 0x2001, 0x10fff, &at));
	assert_false(ranges_find_low(&r, 0x10001, 1, 0, UINT64_MAX, &at));
	assert_false(ranges_find_low(&r, 0, 1, 0, UINT64_MAX, &at));
	assert_false(ranges_find_low(&r, 1, 3, 0, UINT64_MAX, &at));
	assert_false(ranges_find_high(&r, 1, 1ull << 63, 1, UINT64_MAX, &at));
}

static void test_blocks(void **state)
{
	static const struct ranges_block want[] = {{0x1010, 4},	 {0x1020, 5}, {0x1040, 6},  {0x1080, 7},
						   {0x1100, 8},	 {0x1200, 9}, {0x1400, 10}, {0x1800, 11},
						   {0x2000, 13}, {0x4000, 4}};
	struct range items[2];
	struct ranges r;
	struct ranges_blocks it;
	struct ranges_block b;

	(void)state;
	ranges_init(&r, items, 2);
	ranges_add(&r, 0x1009, 0x4015);
	ranges_blocks_begin(&it, &r, 0, 64);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(ranges_blocks_next(&it, &b));
		assert_int_equal(b.start, want[i].start);
		assert_int_equal(b.bits, want[i].bits);
	}
	assert_false(ranges_blocks_next(&it, &b));
	assert_false(ranges_blocks_next(&it, &b));

	ranges_blocks_begin(&it, &r, 12, 12);
	assert_true(ranges_blocks_next(&it, &b));
	assert_int_equal(b.start, 0x2000);
	assert_true(ranges_blocks_next(&it, &b));
	assert_int_equal(b.start, 0x3000);
	assert_false(ranges_blocks_next(&it, &b));

	/* a block of 2^47 and the end of the address space */
	ranges_subtract(&r, 0, UINT64_MAX);
	ranges_add(&r, 0, (1ull << 48) + 16);
	ranges_add(&r, UINT64_MAX - 10, UINT64_MAX);
	ranges_blocks_begin(&it, &r, 4, 47);
	assert_true(ranges_blocks_next(&it, &b) && b.bits == 47 && b.start == 0);
	assert_true(ranges_blocks_next(&it, &b) && b.bits == 47 && b.start == 1ull << 47);
	assert_true(ranges_blocks_next(&it, &b) && b.bits == 4 && b.start == 1ull << 48);
	assert_false(ranges_blocks_next(&it, &b));
}

static uint32_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void test_against_bitmap(void **state)
{
	enum { SPACE = 256 };
	struct range items[40];
	struct ranges r;
	bool map[SPACE + 1] = {false};
	uint64_t seed = 1;

	(void)state;
	ranges_init(&r, items, 40);
	for (int round = 0; round < 200000; round++) {
		uint32_t a = dice(&seed) % (SPACE + 1), n = dice(&seed) % 24;
		uint32_t b = a + n > SPACE ? SPACE : a + n;
		bool add = dice(&seed) % 2 == 0;
		enum ranges_error e = add ? ranges_add(&r, a, b) : ranges_subtract(&r, a, b);
		if (e == RANGES_OK)
			for (uint32_t i = a; i < b; i++)
				map[i] = add;
		else
			assert_int_equal(e, RANGES_FULL);

		uint64_t total = 0;
		uint32_t at = 0;
		for (uint32_t i = 0; i < r.count; i++) {
			assert_true(r.items[i].start < r.items[i].end);
			assert_true(i == 0 || r.items[i - 1].end < r.items[i].start);
			for (; at < r.items[i].start; at++)
				assert_false(map[at]);
			for (; at < r.items[i].end; at++)
				assert_true(map[at]);
			total += r.items[i].end - r.items[i].start;
		}
		for (; at < SPACE; at++)
			assert_false(map[at]);
		assert_int_equal(total, ranges_total(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_hand),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_against_bitmap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
