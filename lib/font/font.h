/*
 * The console font: 8x16 glyphs of the printable ASCII characters, made at build time from a Debian console
 * font by gen_font.py. Constant data only.
 */
#ifndef LIB_FONT_FONT_H
#define LIB_FONT_FONT_H

#include <stdint.h>

enum {
	FONT_FIRST = 32, /* first and last character that has a glyph */
	FONT_LAST = 126,
	FONT_WIDTH = 8,
	FONT_HEIGHT = 16,
};

/* font_glyphs[c - FONT_FIRST][y]: line y from the top; bit 7 is the leftmost pixel. */
extern const uint8_t font_glyphs[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
