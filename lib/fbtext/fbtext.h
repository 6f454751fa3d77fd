/*
 * A text console drawn into memory that the caller mapped: a linear framebuffer of 16, 24 or 32 bits per
 * pixel, or VGA text memory. Understands printable ASCII, \n (also returns to column 0), \r, \t (to the next
 * multiple of 8), \b; bytes 0x80-0xff show as '?', other control characters show nothing, ANSI escape
 * sequences (ESC [ ... letter) are swallowed.
 *
 * Used by the kernel before there are servers, and by the console server. It only writes into
 * memory[0..pitch * height) and, to scroll, reads nothing back from a framebuffer (reading one is slow): it
 * keeps the text in the caller's cells. No locking.
 */
#ifndef LIB_FBTEXT_FBTEXT_H
#define LIB_FBTEXT_FBTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FBTEXT_COLUMNS_MAX = 240,
	FBTEXT_ROWS_MAX = 135,
	FBTEXT_CELLS =
	    FBTEXT_COLUMNS_MAX * FBTEXT_ROWS_MAX, /* enough for any screen; larger ones use a part */
};

/* A linear framebuffer's form; positions and sizes in bits, as in struct boot_info_fb. */
struct fbtext_rgb {
	uint32_t width, height; /* pixels */
	uint32_t pitch;		/* bytes from line to line */
	uint8_t bpp;		/* 15, 16, 24 or 32 */
	uint8_t red_pos, red_bits;
	uint8_t green_pos, green_bits;
	uint8_t blue_pos, blue_bits;
};

struct fbtext {
	volatile uint8_t *memory;
	uint32_t pitch;
	uint8_t bytes_per_pixel; /* 0: VGA text memory, two bytes a character */
	uint32_t foreground;	 /* pixel values; for VGA text, foreground is the attribute byte */
	uint32_t background;
	uint32_t columns, rows;
	uint32_t column, row;	     /* the cursor */
	uint8_t *cells;		     /* columns * rows characters, as shown */
	const uint8_t (*glyphs)[16]; /* font_glyphs */
	uint8_t escape;		     /* progress inside an escape sequence */
};

/*
 * Clears the screen. cells needs FBTEXT_CELLS bytes and glyphs is font_glyphs. False, and nothing drawn, if
 * the form is not one of the above or smaller than one character, pitch is too small, or memory_size is less
 * than pitch * height.
 */
bool fbtext_init_rgb(struct fbtext *f, volatile uint8_t *memory, size_t memory_size,
		     const struct fbtext_rgb *form, uint8_t *cells, const uint8_t (*glyphs)[16]);
bool fbtext_init_vga(struct fbtext *f, volatile uint8_t *memory, size_t memory_size, uint32_t columns,
		     uint32_t rows, uint8_t *cells);

void fbtext_put(struct fbtext *f, char c);
void fbtext_write(struct fbtext *f, const char *s, size_t n);
void fbtext_clear(struct fbtext *f);

#endif
