#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "servers/root/rtc.h"

static void against_the_library(void **state)
{
	(void)state;
	for (time_t t = 0; t < 4102444800ll; t += 86400 * 3 + 12345) {
		struct tm tm;
		struct rtc_registers r;

		gmtime_r(&t, &tm);
		r = (struct rtc_registers){(uint8_t)tm.tm_sec, (uint8_t)tm.tm_min, (uint8_t)tm.tm_hour, (uint8_t)tm.tm_mday, (uint8_t)(tm.tm_mon + 1),
					   (uint8_t)(tm.tm_year % 100), (uint8_t)((tm.tm_year + 1900) / 100), 6};
		assert_int_equal(rtc_unix(&r), t);
	}
}

static void forms(void **state)
{
	/* 2026-01-01 00:00:00 */
	const struct rtc_registers bcd24 = {0, 0, 0, 1, 1, 0x26, 0x20, 2}, bcd12 = {0, 0, 0x12, 1, 1, 0x26, 0, 0};
	const struct rtc_registers pm = {0x30, 0x59, 0x91, 1, 1, 0x26, 0x20, 0}, bad = {0, 0, 0, 0, 1, 0x26, 0x20, 2};
	const struct rtc_registers none = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	(void)state;
	assert_int_equal(rtc_unix(&bcd24), 1767225600);
	assert_int_equal(rtc_unix(&bcd12), 1767225600);
	assert_int_equal(rtc_unix(&pm), 1767225600 + 23 * 3600 + 59 * 60 + 30);
	assert_int_equal(rtc_unix(&bad), 0);
	assert_int_equal(rtc_unix(&none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(against_the_library), cmocka_unit_test(forms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
