/* Conversions against exact 128-bit arithmetic: round trips, extremes, never shorter than asked for. */
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "arch/x86/time.h"

static const uint64_t rates[] = {10000000,   999999999,	 1000000000, 1000000001,  1193182,
				 2495998123, 3600000000, 5700000001, 100000000000};

static void test_muldiv(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252ull;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t v[3];
		for (unsigned k = 0; k < 3; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			v[k] = x >> (x & 63);
		}
		if (v[2] == 0)
			continue;
		unsigned __int128 exact = (unsigned __int128)v[0] * v[1] / v[2];
		assert_true(time_muldiv(v[0], v[1], v[2]) == (uint64_t)exact || exact > UINT64_MAX);
	}
	assert_true(time_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(time_muldiv(0, 5, 7), 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (unsigned r = 0; r < ARRAY_SIZE(rates); r++) {
		if (rates[r] < 10000000)
			continue;
		struct time_scale s = time_scale_make(rates[r]);
		uint64_t step = 1;
		for (uint64_t us = 0; us < 10000000000ull; us += step, step += 1 + step / 64) {
			uint64_t t = time_scale_to_ticks(&s, us);
			unsigned __int128 exact = (unsigned __int128)us * rates[r];
			assert_true((unsigned __int128)t * 1000000 >= exact);
			assert_true((unsigned __int128)t * 1000000 < exact + 1000000 * (2 + (us >> 32)));
			assert_int_equal(time_scale_to_us(&s, t), us);
		}
	}
}

static void test_extremes(void **state)
{
	(void)state;
	for (unsigned r = 0; r < ARRAY_SIZE(rates); r++) {
		if (rates[r] < 10000000)
			continue;
		struct time_scale s = time_scale_make(rates[r]);
		uint64_t most = time_scale_to_us(&s, TIME_TICKS_MAX);
		assert_true(time_scale_to_ticks(&s, UINT64_MAX) == TIME_TICKS_MAX);
		assert_true(time_scale_to_ticks(&s, most - 1) <= TIME_TICKS_MAX);
		assert_true(time_scale_to_ticks(&s, most + 1) == TIME_TICKS_MAX);
		/* A whole second is exact to 1e-9. */
		assert_true(time_scale_to_us(&s, rates[r]) == 1000000);
		assert_true(time_scale_to_us(&s, rates[r] - 1) == 999999);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_muldiv),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
