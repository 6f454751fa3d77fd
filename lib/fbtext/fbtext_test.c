/* A small screen in memory: text, control characters, scrolling, pixels. */
// links: lib/font/font.c
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "fbtext/fbtext.h"
#include "font/font.h"

enum { COLUMNS = 20, ROWS = 4 };

static uint8_t cells[FBTEXT_CELLS];
static uint8_t vga[COLUMNS * ROWS * 2];
static struct fbtext f;

static void say(const char *s)
{
	fbtext_write(&f, s, strlen(s));
}

static void row_is(uint32_t row, const char *text)
{
	char got[COLUMNS + 1];

	for (uint32_t i = 0; i < COLUMNS; i++) {
		got[i] = (char)vga[(row * COLUMNS + i) * 2];
		assert_int_equal(vga[(row * COLUMNS + i) * 2 + 1], 7);
	}
	for (int i = COLUMNS; i > 0 && got[i - 1] == ' '; i--)
		got[i - 1] = '\0';
	got[COLUMNS] = '\0';
	assert_string_equal(got, text);
}

static void test_vga(void **state)
{
	(void)state;
	assert_false(fbtext_init_vga(&f, vga, sizeof(vga) - 1, COLUMNS, ROWS, cells));
	assert_false(fbtext_init_vga(&f, vga, sizeof(vga), 0, ROWS, cells));
	memset(vga, 0xff, sizeof(vga));
	assert_true(fbtext_init_vga(&f, vga, sizeof(vga), COLUMNS, ROWS, cells));
	row_is(0, "");
	say("one\ntwo\rT\n\tx\b\by\x01\x7f\xe4\x1b[1;31mred\x1b[0m\x1b"
	    "cz");
	row_is(0, "one");
	row_is(1, "Two");
	row_is(2, "       y?redz");
	say("\n01234567890123456789");
	row_is(0, "one"); /* a full line does not scroll yet */
	row_is(3, "01234567890123456789");
	say("\n");
	row_is(0, "Two");
	row_is(2, "01234567890123456789");
	row_is(3, "");
	say("01234567890123456789abc");
	row_is(2, "01234567890123456789");
	row_is(3, "abc");
	say("\t\t\tq");
	row_is(3, "q");
	say("\r\b\b=\x1b[12\nend");
	row_is(3, "end");
	fbtext_clear(&f);
	row_is(3, "");
	for (int i = 0; i < 100000; i++)
		fbtext_put(&f, (char)(i * 7919));
}

static uint32_t pixel(const uint8_t *m, const struct fbtext_rgb *form, uint32_t x, uint32_t y)
{
	uint32_t v = 0, bytes = (form->bpp + 7u) / 8u;

	for (uint32_t i = 0; i < bytes; i++)
		v |= (uint32_t)m[y * form->pitch + x * bytes + i] << (8 * i);
	return v;
}

static void check_form(struct fbtext_rgb form, uint32_t grey)
{
	_Alignas(8) static uint8_t screen[8192];
	size_t bytes = (size_t)form.pitch * form.height;

	assert_true(bytes < sizeof(screen));
	memset(screen, 0xee, sizeof(screen));
	assert_false(fbtext_init_rgb(&f, screen, bytes - 1, &form, cells, font_glyphs));
	assert_int_equal(screen[0], 0xee);
	assert_true(fbtext_init_rgb(&f, screen, bytes, &form, cells, font_glyphs));
	assert_int_equal(screen[bytes], 0xee);
	assert_int_equal(f.columns, 3);
	assert_int_equal(f.rows, 2);
	say("A\ngh\nB"); /* scrolls */
	for (uint32_t y = 0; y < 32; y++) {
		for (uint32_t x = 0; x < 27; x++) {
			static const char text[2][4] = {"gh ", "B  "};
			uint32_t want = 0;
			if (x < 24)
				want =
				    (font_glyphs[text[y / 16][x / 8] - FONT_FIRST][y % 16] >> (7 - x % 8)) & 1
					? grey
					: 0;
			assert_int_equal(pixel(screen, &form, x, y), want);
		}
	}
	assert_int_equal(screen[bytes], 0xee);
}

static void test_rgb(void **state)
{
	struct fbtext_rgb form = {27, 37, 28 * 4, 32, 16, 8, 8, 8, 0, 8};

	(void)state;
	check_form(form, 0xc0c0c0);
	form = (struct fbtext_rgb){27, 37, 82, 24, 0, 8, 8, 8, 16, 8};
	check_form(form, 0xc0c0c0);
	form = (struct fbtext_rgb){27, 37, 54, 16, 11, 5, 5, 6, 0, 5};
	check_form(form, 0xc618);
	form = (struct fbtext_rgb){27, 37, 108, 32, 20, 10, 10, 10, 0, 10};
	check_form(form, 0x30000000 | 0xc0000 | 0x300);

	uint8_t m[64];
	const struct fbtext_rgb bad[] = {
	    {8, 16, 8, 8, 5, 3, 2, 3, 0, 2},	/* 8 bits */
	    {8, 16, 31, 32, 16, 8, 8, 8, 0, 8}, /* pitch */
	    {7, 16, 32, 32, 16, 8, 8, 8, 0, 8}, /* narrower than a character */
	    {8, 16, 32, 32, 25, 8, 8, 8, 0, 8}, /* a colour outside the pixel */
	    {8, 16, 32, 32, 16, 0, 8, 8, 0, 8}, /* a colour without bits */
	    {1u << 30, 16, 0xffffffff, 32, 16, 8, 8, 8, 0, 8},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(fbtext_init_rgb(&f, m, sizeof(m), &bad[i], cells, font_glyphs));
}

static void test_font(void **state)
{
	(void)state;
	/* the space is empty, every other glyph is not, and no two are the same */
	for (int a = FONT_FIRST; a <= FONT_LAST; a++) {
		unsigned bits = 0;
		for (int y = 0; y < FONT_HEIGHT; y++)
			bits |= font_glyphs[a - FONT_FIRST][y];
		assert_int_equal(bits == 0, a == ' ');
		for (int b = FONT_FIRST; b < a; b++)
			assert_memory_not_equal(font_glyphs[a - FONT_FIRST], font_glyphs[b - FONT_FIRST],
						FONT_HEIGHT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vga),
	    cmocka_unit_test(test_rgb),
	    cmocka_unit_test(test_font),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
