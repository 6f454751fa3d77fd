#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "servers/monitor/cpu_ranges.h"

#define RANGES(...)                                                                                          \
	cpu_ranges((const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / 2, text)

static void texts(void **state)
{
	char text[CPU_RANGES_BYTES];
	uint16_t cpu[CPU_RANGES_MAX + 4];

	(void)state;
	assert_string_equal(cpu_ranges(NULL, 0, text), "-");
	assert_string_equal(RANGES(0), "0");
	assert_string_equal(RANGES(5, 5, 5), "5");
	assert_string_equal(RANGES(3, 1, 0, 2), "0-3");
	assert_string_equal(RANGES(7, 1, 0, 65535, 1), "0-1,7,65535");
	assert_string_equal(RANGES(255, 254, 9), "9,254-255");
	/* the longest, and one that is too long: the rest is not looked at */
	for (unsigned i = 0; i < CPU_RANGES_MAX + 4; i++)
		cpu[i] = (uint16_t)(65535 - 2 * i);
	assert_int_equal(strlen(cpu_ranges(cpu, CPU_RANGES_MAX + 4, text)), 6 * CPU_RANGES_MAX - 1);
	assert_null(strstr(text, "65471"));
	assert_non_null(strstr(text, "65473"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
