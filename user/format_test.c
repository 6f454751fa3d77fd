#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "user/format.h"

/* The C library's text and length, for every size of buffer. */
__attribute__((format(printf, 1, 2))) static void same(const char *format, ...)
{
	char ours[300], theirs[300];
	int n, m;

	for (size_t size = 0; size < sizeof(ours); size += size < 20 ? 1 : 40) {
		va_list a, b;

		memset(ours, 'z', sizeof(ours));
		memset(theirs, 'z', sizeof(theirs));
		va_start(a, format);
		va_copy(b, a);
		n = format_print(ours, size, format, a);
		m = vsnprintf(theirs, size, format, b);
		va_end(b);
		va_end(a);
		assert_int_equal(n, m);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

static void numbers(void **state)
{
	static const long long values[] = {0, 1, -1, 9, 10, -128, 255, 65536, INT_MAX, INT_MIN, LLONG_MAX, LLONG_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		long long v = values[i];

		same("%d %i %u %x %X %o", (int)v, (int)v, (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v);
		same("%lld|%llu|%llx|%llo|%ld|%lx", v, (unsigned long long)v, (unsigned long long)v, (unsigned long long)v, (long)v, (unsigned long)v);
		same("%hhd %hd %hhu %hx %zu %jd %td", (signed char)v, (short)v, (unsigned char)v, (unsigned short)v, (size_t)v, (intmax_t)v, (ptrdiff_t)v);
		same("[%8d] [%-8d] [%08d] [%+d] [% d] [%+08d]", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
		same("[%#x] [%#10x] [%#010x] [%#-12llx] [%#o] [%#5.3o]", (unsigned)v, (unsigned)v, (unsigned)v, (unsigned long long)v, (unsigned)v, (unsigned)v);
		same("[%.5d] [%10.5d] [%-10.5d] [%.0d] [%10.0u] [%#.4x]", (int)v, (int)v, (int)v, (int)v, (unsigned)v, (unsigned)v);
		same("[%*d] [%-*d] [%.*d] [%*.*d]", 7, (int)v, 7, (int)v, 4, (int)v, -9, 3, (int)v);
	}
}

static void texts(void **state)
{
	(void)state;
	same("%s|%10s|%-10s|%.3s|%10.3s|%-10.3s|%.0s|", "text", "text", "text", "text", "text", "text", "text");
	same("%c%5c%-5c|%%", 'a', 'b', 'c');
	same("%.*s", 2, "not ended");
	same("%p", (void *)0x1234abcd);
	same("plain");
	same("%llx.%03u.%s.%c", 0xfeedfacecafebeefull, 7u, "", 'x');
}

static void unknown(void **state)
{
	char text[20];
	va_list none;

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(format_print(text, sizeof(text), "a%yb%", none), 5);
	assert_string_equal(text, "a%yb%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(texts), cmocka_unit_test(unknown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
