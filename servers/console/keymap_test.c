#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "servers/console/keymap.h"

static struct keymap k;

static void expect(const uint8_t *codes, unsigned n, const char *text, unsigned length)
{
	char out[64];
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		got += keymap_key(&k, codes[i], out + got);
		assert_true(got < 56);
	}
	assert_int_equal(got, length);
	assert_memory_equal(out, text, length);
}

#define KEYS(text, ...)                                                                                                \
	do {                                                                                                           \
		const uint8_t codes[] = {__VA_ARGS__};                                                                 \
		expect(codes, sizeof(codes), text, sizeof(text) - 1);                                                  \
	} while (0)

static void letters(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	KEYS("a", 0x1e, 0x9e);
	KEYS("A", 0x2a, 0x1e, 0x9e, 0xaa);
	KEYS("a", 0x1e, 0x9e);
	KEYS("Q1", 0x3a, 0xba, 0x10, 0x90, 0x02, 0x82); /* caps: letters only */
	KEYS("q", 0x36, 0x10, 0xb6);
	KEYS("q", 0x3a, 0xba, 0x10);
	KEYS(" \r\t\177/", 0x39, 0x1c, 0x0f, 0x0e, 0x35);
}

static void control_and_alt(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	KEYS("\001\001\001", 0x1d, 0x1e, 0x9e, 0x1e, 0x9e, 0x1e, 0x9e, 0x9d);
	KEYS("\003", 0x1d, 0x2e, 0x9d);
	KEYS("\033x", 0x38, 0x2d, 0xad, 0xb8);
}

static void extended(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	KEYS("\033[A\033[3~", 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x53);
	KEYS("\033[D", 0xe0, 0x2a, 0xe0, 0x4b, 0xe0, 0xcb, 0xe0, 0xaa);
	KEYS("a", 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e); /* Pause leaves Control up */
	KEYS("", 0xe0, 0x5b, 0xff, 0x7f, 0x3b);
}

static void every_byte(void **state)
{
	char out[8];

	(void)state;
	for (unsigned i = 0; i < 256 * 256; i++) {
		memset(&k, 0, sizeof(k));
		k.control = i & 1;
		k.extended = i & 2;
		assert_true(keymap_key(&k, (uint8_t)(i >> 8), out) <= 8);
		assert_true(keymap_key(&k, (uint8_t)i, out) <= 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
		cmocka_unit_test(control_and_alt),
		cmocka_unit_test(extended),
		cmocka_unit_test(every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
