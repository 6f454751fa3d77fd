/* Formats: each conversion against the C library's result, and what the library does not define. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/kprintf.h"
#include "panic.h"

static char out[512];
static size_t used;

void kputchar(char c)
{
	if (used < sizeof(out) - 1)
		out[used++] = c;
	out[used] = '\0';
}

#define SAME(...)                                                                                            \
	do {                                                                                                 \
		char expected[512];                                                                          \
		used = 0;                                                                                    \
		out[0] = '\0';                                                                               \
		snprintf(expected, sizeof(expected), __VA_ARGS__);                                           \
		kprintf(__VA_ARGS__);                                                                        \
		assert_string_equal(out, expected);                                                          \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%d", -2147483647 - 1);
	SAME("%ld %ld", INT64_MAX, INT64_MIN);
	SAME("%u %x %X", 4294967295u, 0xdeadbeefu, 0xdeadbeefu);
	SAME("%lu %lx", UINT64_MAX, UINT64_MAX);
	SAME("%zu %llx", (size_t)77, 0x123456789abcdefull);
	SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	SAME("[%016lx] [%8x] [%-8x]", (uint64_t)0xfee00000, 0xabcu, 0xabcu);
	SAME("[%2d] [%*d] [%*d]", 12345, 7, 5, -7, 5);
}

static void test_text(void **state)
{
	(void)state;
	SAME("%s|%10s|%-10s|", "abc", "abc", "abc");
	SAME("%.2s|%.*s|%6.3s|", "abcdef", 4, "abcdef", "abcdef");
	SAME("%c%c%3c", 'x', '%', 'y');
	SAME("100%% %s", "");
	SAME("%p", (void *)0x1234);
}

static void raw(const char *format, ...)
{
	va_list args;
	used = 0;
	out[0] = '\0';
	va_start(args, format);
	kprintf_list(format, args);
	va_end(args);
}

static void test_odd(void **state)
{
	(void)state;
	raw("%s", (const char *)NULL);
	assert_string_equal(out, "(null)");
	raw("end %");
	assert_string_equal(out, "end %");
	raw("%5");
	assert_string_equal(out, "%5");
	raw("%q %d", 5);
	assert_string_equal(out, "%q 5");
	raw("%99999d", 1);
	assert_int_equal(strlen(out), 255);
	raw("%016p", (void *)0xab);
	assert_string_equal(out, "0x000000000000ab");
}

static void test_buffer(void **state)
{
	(void)state;
	char b[8];
	kprintf_text(b, sizeof(b), "%s", "0123456789");
	assert_string_equal(b, "0123456");
	kprintf_text(b, 1, "x");
	assert_string_equal(b, "");
	kprintf_text(b, sizeof(b), "%d", 12);
	assert_string_equal(b, "12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_odd),
	    cmocka_unit_test(test_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
