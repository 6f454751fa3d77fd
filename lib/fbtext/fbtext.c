/*
 * A text console on a framebuffer or VGA text memory. Called by the kernel's console and the console server.
 * Writes only into the memory it was given, and never reads it. Contract in fbtext.h.
 */
#include "fbtext/fbtext.h"
#include "mem/mem.h"

enum {
	GLYPH_W = 8,
	GLYPH_H = 16,
	FIRST = 32,
	LAST = 126,
	TAB = 8,
	ESCAPE_NONE = 0,
	ESCAPE_SEEN,	/* after ESC */
	ESCAPE_CONTROL, /* after ESC [ */
	ESCAPE_BYTE = 27,
	VGA_ATTRIBUTE = 0x07, /* light grey on black */
};

static void put_pixel(volatile uint8_t *p, uint8_t bytes, uint32_t value)
{
	if (bytes == 4) {
		*(volatile uint32_t *)(volatile void *)p = value;
		return;
	}
	for (uint8_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)((value >> (8 * i)) & 0xff);
}

/* Draws what cells say at one place. */
static void draw(struct fbtext *f, uint32_t column, uint32_t row)
{
	uint8_t c = f->cells[row * f->columns + column];

	if (f->bytes_per_pixel == 0) {
		volatile uint8_t *p = f->memory + (size_t)row * f->pitch + column * 2u;
		p[0] = c;
		p[1] = (uint8_t)f->foreground;
		return;
	}
	const uint8_t *glyph = f->glyphs[c - FIRST];
	volatile uint8_t *line =
	    f->memory + (size_t)row * GLYPH_H * f->pitch + (size_t)column * GLYPH_W * f->bytes_per_pixel;
	for (unsigned y = 0; y < GLYPH_H; y++, line += f->pitch) {
		volatile uint8_t *p = line;
		for (unsigned x = 0; x < GLYPH_W; x++, p += f->bytes_per_pixel)
			put_pixel(p, f->bytes_per_pixel,
				  (glyph[y] >> (7 - x)) & 1 ? f->foreground : f->background);
	}
}

static void set_cell(struct fbtext *f, uint32_t column, uint32_t row, uint8_t c)
{
	uint8_t *cell = &f->cells[row * f->columns + column];

	/* Drawing is slow; most of a screen that scrolls does not change. */
	if (*cell == c)
		return;
	*cell = c;
	draw(f, column, row);
}

void fbtext_clear(struct fbtext *f)
{
	f->column = 0;
	f->row = 0;
	f->escape = ESCAPE_NONE;
	for (uint32_t row = 0; row < f->rows; row++)
		for (uint32_t column = 0; column < f->columns; column++)
			set_cell(f, column, row, ' ');
}

/* The whole screen, margins beyond the last row and column included, whatever was on it. */
static void start(struct fbtext *f, size_t bytes)
{
	for (uint32_t i = 0; i < f->rows * f->columns; i++)
		f->cells[i] = ' ';
	if (f->bytes_per_pixel == 4) {
		for (size_t i = 0; i < bytes; i += 4)
			put_pixel(f->memory + i, 4, f->background);
	} else if (f->bytes_per_pixel != 0) {
		for (size_t i = 0; i < bytes; i++)
			f->memory[i] = 0; /* the background is 0 */
	} else {
		for (uint32_t row = 0; row < f->rows; row++)
			for (uint32_t column = 0; column < f->columns; column++)
				draw(f, column, row);
	}
	fbtext_clear(f);
}

static void new_line(struct fbtext *f)
{
	f->column = 0;
	if (f->row + 1 < f->rows) {
		f->row++;
		return;
	}
	for (uint32_t row = 0; row + 1 < f->rows; row++)
		for (uint32_t column = 0; column < f->columns; column++)
			set_cell(f, column, row, f->cells[(row + 1) * f->columns + column]);
	for (uint32_t column = 0; column < f->columns; column++)
		set_cell(f, column, f->rows - 1, ' ');
}

/* True if c belongs to an escape sequence. */
static bool swallow(struct fbtext *f, uint8_t c)
{
	switch (f->escape) {
	case ESCAPE_SEEN:
		f->escape = c == '[' ? ESCAPE_CONTROL : ESCAPE_NONE;
		return true;
	case ESCAPE_CONTROL:
		/* Parameters, then one final byte; a control character breaks it off. */
		if (c >= 0x40 && c <= 0x7e)
			f->escape = ESCAPE_NONE;
		else if (c < 0x20) {
			f->escape = ESCAPE_NONE;
			return false;
		}
		return true;
	default:
		if (c == ESCAPE_BYTE)
			f->escape = ESCAPE_SEEN;
		return c == ESCAPE_BYTE;
	}
}

void fbtext_put(struct fbtext *f, char ch)
{
	uint8_t c = (uint8_t)ch;

	if (swallow(f, c))
		return;
	switch (c) {
	case '\n':
		new_line(f);
		return;
	case '\r':
		f->column = 0;
		return;
	case '\b':
		if (f->column > 0)
			f->column--;
		return;
	case '\t':
		f->column = (f->column / TAB + 1) * TAB;
		if (f->column >= f->columns)
			new_line(f);
		return;
	default:
		break;
	}
	if (c < FIRST || c == 127)
		return;
	if (c > LAST)
		c = '?';
	/* The line is broken when the next character comes, so that a full line and \n make one line. */
	if (f->column >= f->columns)
		new_line(f);
	set_cell(f, f->column, f->row, c);
	f->column++;
}

void fbtext_write(struct fbtext *f, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fbtext_put(f, s[i]);
}

static uint32_t colour(uint8_t pos, uint8_t bits, uint32_t level)
{
	/* level is 8 bits */
	uint32_t v = bits >= 8 ? level << (bits - 8) : level >> (8 - bits);
	return v << pos;
}

static bool colour_ok(uint8_t pos, uint8_t bits, uint8_t bpp)
{
	return bits >= 1 && bits <= 16 && (unsigned)pos + bits <= bpp;
}

bool fbtext_init_rgb(struct fbtext *f, volatile uint8_t *memory, size_t memory_size,
		     const struct fbtext_rgb *form, uint8_t *cells, const uint8_t (*glyphs)[16])
{
	const uint32_t grey = 0xc0;

	if (form->bpp != 15 && form->bpp != 16 && form->bpp != 24 && form->bpp != 32)
		return false;
	if (!colour_ok(form->red_pos, form->red_bits, form->bpp) ||
	    !colour_ok(form->green_pos, form->green_bits, form->bpp) ||
	    !colour_ok(form->blue_pos, form->blue_bits, form->bpp))
		return false;
	uint8_t bytes = (uint8_t)((form->bpp + 7) / 8);
	if (form->width < GLYPH_W || form->height < GLYPH_H || form->pitch / bytes < form->width)
		return false;
	/* 4-byte stores are aligned only if the lines are */
	if (bytes == 4 && (form->pitch % 4 != 0 || (uintptr_t)memory % 4 != 0))
		return false;
	if ((uint64_t)form->pitch * form->height > memory_size)
		return false;

	f->memory = memory;
	f->pitch = form->pitch;
	f->bytes_per_pixel = bytes;
	f->columns = form->width / GLYPH_W;
	f->rows = form->height / GLYPH_H;
	if (f->columns > FBTEXT_COLUMNS_MAX)
		f->columns = FBTEXT_COLUMNS_MAX;
	if (f->rows > FBTEXT_ROWS_MAX)
		f->rows = FBTEXT_ROWS_MAX;
	f->foreground = colour(form->red_pos, form->red_bits, grey) |
			colour(form->green_pos, form->green_bits, grey) |
			colour(form->blue_pos, form->blue_bits, grey);
	f->background = 0;
	f->cells = cells;
	f->glyphs = glyphs;
	start(f, (size_t)form->pitch * form->height);
	return true;
}

bool fbtext_init_vga(struct fbtext *f, volatile uint8_t *memory, size_t memory_size, uint32_t columns,
		     uint32_t rows, uint8_t *cells)
{
	if (columns == 0 || rows == 0 || columns > FBTEXT_COLUMNS_MAX || rows > FBTEXT_ROWS_MAX)
		return false;
	if ((size_t)columns * rows * 2 > memory_size)
		return false;
	f->memory = memory;
	f->pitch = columns * 2;
	f->bytes_per_pixel = 0;
	f->columns = columns;
	f->rows = rows;
	f->foreground = VGA_ATTRIBUTE;
	f->background = 0;
	f->cells = cells;
	f->glyphs = NULL;
	start(f, (size_t)f->pitch * rows);
	return true;
}
