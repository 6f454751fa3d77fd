/* Against 128-bit arithmetic of the compiler. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "pvclock/pvclock.h"

__extension__ typedef unsigned __int128 wide;

static const uint64_t rates[] = {1000,	      32768,	   1000000,	 3579545,     14318180,
				 24000000,    999999999,   1000000000,	 1000000001,  1999999999,
				 2000000000,  2000000001,  2400000000u,	 2894539000u, 4000000001u,
				 5600000000u, 8000000001u, 16000000001u, 1ull << 40};

static uint64_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed ^ (*seed >> 29);
}

static void test_scale(void **state)
{
	struct pvclock_scale s;

	(void)state;
	assert_false(pvclock_scale(999, &s));
	assert_false(pvclock_scale((1ull << 40) + 1, &s));
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t hz = rates[i];
		assert_true(pvclock_scale(hz, &s));
		assert_true(s.mul >= (1u << 31) - 1);
		/* over 10000 seconds: error below 1e-9, and what pvclock_ns rounds away */
		uint64_t ns = pvclock_ns(s, hz * 10000);
		int64_t off = (int64_t)(ns - 10000000000000ull);
		assert_in_range(off + 10000, 0, 20000);
	}
}

static void test_ns(void **state)
{
	uint64_t seed = 7;
	struct pvclock_scale s;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		assert_true(pvclock_scale(rates[i], &s));
		for (int k = 0; k < 5000; k++) {
			uint64_t ticks = dice(&seed) >> (k % 64);
			wide shifted = s.shift >= 0 ? (wide)ticks << s.shift : (wide)(ticks >> -s.shift);
			if (shifted > UINT64_MAX) {
				assert_true(pvclock_ns(s, ticks) == UINT64_MAX);
				continue;
			}
			assert_int_equal(pvclock_ns(s, ticks), (uint64_t)((shifted * s.mul) >> 32));
		}
	}
	assert_int_equal(pvclock_ns((struct pvclock_scale){1, 127}, 1), UINT64_MAX);
	assert_int_equal(pvclock_ns((struct pvclock_scale){1, -128}, 5), 0);
}

static void test_ticks(void **state)
{
	uint64_t seed = 9;
	struct pvclock_scale s;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		assert_true(pvclock_scale(rates[i], &s));
		for (int k = 0; k < 5000; k++) {
			uint64_t ns = dice(&seed) >> (k % 64);
			uint64_t t = pvclock_ticks(s, ns);
			if (t == UINT64_MAX)
				continue;
			assert_true(pvclock_ns(s, t) >= ns);
			assert_true(t == 0 || pvclock_ns(s, t - 1) < ns);
		}
		assert_int_equal(pvclock_ticks(s, 0), 0);
		(void)pvclock_ticks(s, UINT64_MAX);
	}
	/* 1 GHz is exact but for rounding */
	assert_true(pvclock_scale(2000000000, &s));
	assert_int_equal(pvclock_ticks(s, 500), 1000);
	assert_int_equal(pvclock_ticks((struct pvclock_scale){1, 0}, 1ull << 33), UINT64_MAX);
}

static void test_muldiv(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int k = 0; k < 100000; k++) {
		uint64_t a = dice(&seed) >> (k % 64), b = dice(&seed) >> (k / 64 % 64),
			 c = (dice(&seed) >> (k % 61)) | 1;
		wide q = (wide)a * b / c;
		assert_true(pvclock_muldiv(a, b, c) == (q > UINT64_MAX ? UINT64_MAX : (uint64_t)q));
	}
	assert_true(pvclock_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scale),
	    cmocka_unit_test(test_ns),
	    cmocka_unit_test(test_ticks),
	    cmocka_unit_test(test_muldiv),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
