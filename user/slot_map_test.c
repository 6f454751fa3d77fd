#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "user/slot_map.h"

static void take_and_release(void **state)
{
	uint64_t bits[4];
	struct slot_map m;
	uint8_t seen[200] = {0};

	(void)state;
	slot_map_init(&m, bits, 200);
	assert_int_equal(slot_map_take(&m, 1), 0);
	slot_map_release(&m, 0, 500);
	assert_int_equal(m.free, 199);
	for (unsigned i = 0; i < 199; i++) {
		uint32_t s = slot_map_take(&m, 1);

		assert_in_range(s, 1, 199);
		assert_int_equal(seen[s]++, 0);
	}
	assert_int_equal(slot_map_take(&m, 1), 0);
	slot_map_release(&m, 64, 1);
	slot_map_release(&m, 64, 1);
	assert_int_equal(m.free, 1);
	assert_int_equal(slot_map_take(&m, 1), 64);
}

static void ranges(void **state)
{
	uint64_t bits[2];
	struct slot_map m;

	(void)state;
	slot_map_init(&m, bits, 128);
	slot_map_release(&m, 10, 118);
	slot_map_hold(&m, 20, 1);
	assert_int_equal(slot_map_take(&m, 11), 21);
	assert_int_equal(slot_map_take(&m, 10), 10);
	assert_int_equal(slot_map_take(&m, 97), 0);
	assert_int_equal(slot_map_take(&m, 96), 32);
	assert_int_equal(m.free, 0);
	assert_int_equal(slot_map_take(&m, 0), 0);
	slot_map_release(&m, 120, UINT32_MAX);
	assert_int_equal(m.free, 8);
}

/* The lowest run of n that are free, looked for one by one. */
static uint32_t lowest(const struct slot_map *m, uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t slot = 1; slot < m->end; slot++) {
		run = m->bits[slot / 64] >> (slot % 64) & 1 ? 0 : run + 1;
		if (run == n)
			return slot + 1 - n;
	}
	return 0;
}

static void ranges_at_random(void **state)
{
	uint64_t bits[8];
	struct slot_map m;

	(void)state;
	srand(1);
	for (uint32_t end = 1; end <= 500; end++) {
		slot_map_init(&m, bits, end);
		slot_map_release(&m, 0, end);
		for (unsigned i = 0; i < 200; i++) {
			uint32_t n = 2 + (uint32_t)rand() % (i % 8 ? 9 : 150), want = lowest(&m, n), free = m.free;

			assert_int_equal(slot_map_take(&m, n), want);
			assert_int_equal(m.free, want ? free - n : free);
			slot_map_release(&m, (uint32_t)rand() % end, (uint32_t)rand() % 20);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(take_and_release), cmocka_unit_test(ranges), cmocka_unit_test(ranges_at_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
