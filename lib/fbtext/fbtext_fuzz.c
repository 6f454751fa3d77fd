/* Any bytes as text on a small screen whose form the first bytes choose. */
// links: lib/fbtext/fbtext.c lib/font/font.c
#include <stdlib.h>
#include "fbtext/fbtext.h"
#include "font/font.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t depths[4] = {15, 16, 24, 32};
	static uint8_t cells[FBTEXT_CELLS];
	struct fbtext f;

	if (size < 4)
		return 0;
	uint32_t width = data[1] % 64, height = data[2] % 80, bpp = depths[data[0] % 4];
	uint32_t pitch = ((width * ((bpp + 7) / 8) + 3) & ~3u) + data[3] % 8;
	struct fbtext_rgb form = {width, height, pitch, (uint8_t)bpp, 10, 5, 5, 5, 0, 5};
	size_t bytes = (size_t)pitch * height;
	uint8_t *screen = malloc(bytes + 1);
	if (screen == NULL)
		return 0;
	bool ok = (data[0] & 8) != 0 ? fbtext_init_vga(&f, screen, bytes, width, height, cells)
				     : fbtext_init_rgb(&f, screen, bytes, &form, cells, font_glyphs);
	if (ok) {
		fbtext_write(&f, (const char *)data + 4, size - 4);
		if (f.row >= f.rows || f.column > f.columns)
			abort();
	}
	free(screen);
	return 0;
}
