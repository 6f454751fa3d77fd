/*
 * The glyphs, from the generated list. Read by whoever draws text (fbtext). Constant data.
 */
#include "font/font.h"

const uint8_t font_glyphs[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT] = {
#include "font/font_data.h"
};
