#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "servers/domain_manager/pod_cache.h"

static void cases(void **state)
{
	(void)state;
	/* being made: nothing is there, no place is marked yet */
	assert_int_equal(pod_cache_for(1000, 0, 0, 0), 1000);
	assert_int_equal(pod_cache_for(2000, 1000, 1000, 0), 2000);
	assert_int_equal(pod_cache_for(500, 1000, 1000, 0), 1000);
	/* running: 300 there, 700 kept, 1700 to come */
	assert_int_equal(pod_cache_for(1000, 1000, 700, 1700), 700);
	assert_int_equal(pod_cache_for(1500, 1000, 700, 1700), 1200);
	assert_int_equal(pod_cache_for(2000, 1000, 700, 1700), 1700);
	assert_int_equal(pod_cache_for(2500, 1000, 700, 1700), 1700);
	assert_int_equal(pod_cache_for(999, 1000, 700, 1700), 700);
	assert_int_equal(pod_cache_for(0, 1000, 700, 1700), 700);
	/* none is to come: the balloon's alone */
	assert_int_equal(pod_cache_for(2000, 1000, 0, 0), 0);
	assert_int_equal(pod_cache_for(UINT64_MAX, 1000, 700, 1700), 1700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
