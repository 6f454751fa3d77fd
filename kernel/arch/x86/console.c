/*
 * The kernel's console (console.h). Owns the log ring, the choice of serial port, and the text screen. Called
 * through kputchar by everyone; sets itself up in three steps as mappings become available.
 */
#include "arch/x86/console.h"
#include "arch/x86/console_options.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/kmap.h"
#include "arch/x86/serial_hw.h"
#include "fbtext/fbtext.h"
#include "font/font.h"
#include "panic.h"

enum {
	CONSOLE_DEFAULT_PORT = 0x3f8,
	CONSOLE_VGA_TEXT = 0xb8000,
	CONSOLE_VGA_COLUMNS = 80,
	CONSOLE_VGA_ROWS = 25,
};
#define CONSOLE_LOW_TOP 0x100000000ull /* mapped identically at boot */

enum console_screen {
	CONSOLE_SCREEN_NONE,
	CONSOLE_SCREEN_LOW,    /* through the boot tables */
	CONSOLE_SCREEN_MAPPED, /* through kmap_device */
};

static char console_log[CONSOLE_LOG];
static uint8_t console_cells[FBTEXT_CELLS];
static struct {
	uint64_t said; /* bytes since the start */
	uint16_t port;
	bool port_ready;
	enum console_screen screen;
	bool screen_wanted;
	bool released;
	uint64_t low_cr3; /* the tables in which CONSOLE_SCREEN_LOW holds */
	struct boot_info_fb fb;
	struct fbtext text;
} console = {.port = CONSOLE_DEFAULT_PORT};

static void console_serial(char c)
{
	if (console.port == 0)
		return;
	if (!console.port_ready) {
		console.port_ready = true;
		if (!serial_present(console.port)) {
			console.port = 0;
			return;
		}
	}
	if (c == '\n')
		serial_put(console.port, '\r');
	serial_put(console.port, c);
}

static bool console_screen_usable(void)
{
	if (console.released || console.screen == CONSOLE_SCREEN_NONE)
		return false;
	return console.screen == CONSOLE_SCREEN_MAPPED || cpu_read_cr3() == console.low_cr3;
}

void kputchar(char c)
{
	console_log[console.said++ % CONSOLE_LOG] = c;
	console_serial(c);
	if (console_screen_usable())
		fbtext_put(&console.text, c);
}

/* Everything in the ring, to the screen. */
static void console_replay(void)
{
	uint64_t at = console.said > CONSOLE_LOG ? console.said - CONSOLE_LOG : 0;

	for (; at < console.said; at++)
		fbtext_put(&console.text, console_log[at % CONSOLE_LOG]);
}

/* Is it memory that keeps what is written? Without a VGA adapter nothing answers. */
static bool console_vga_answers(volatile uint16_t *cell)
{
	uint16_t old = *cell;
	bool ok;

	*cell = 0x0755;
	ok = *cell == 0x0755;
	*cell = 0x07aa;
	ok = ok && *cell == 0x07aa;
	*cell = old;
	return ok;
}

/* The framebuffer or text memory's place and size; false if there is none. */
static bool console_screen_place(uint64_t *start, uint64_t *bytes)
{
	switch (console.fb.type) {
	case BOOT_INFO_FB_RGB:
		*start = console.fb.paddr;
		*bytes = (uint64_t)console.fb.pitch * console.fb.height;
		return true;
	case BOOT_INFO_FB_TEXT:
		*start = console.fb.paddr;
		*bytes = (uint64_t)console.fb.width * console.fb.height * 2;
		return true;
	case BOOT_INFO_FB_NONE:
		*start = CONSOLE_VGA_TEXT;
		*bytes = CONSOLE_VGA_COLUMNS * CONSOLE_VGA_ROWS * 2;
		return true;
	default:
		return false;
	}
}

static bool console_screen_init(void *memory, uint64_t bytes)
{
	const struct boot_info_fb *fb = &console.fb;
	const struct fbtext_rgb form = {
	    .width = fb->width,
	    .height = fb->height,
	    .pitch = fb->pitch,
	    .bpp = fb->bpp,
	    .red_pos = fb->red_pos,
	    .red_bits = fb->red_bits,
	    .green_pos = fb->green_pos,
	    .green_bits = fb->green_bits,
	    .blue_pos = fb->blue_pos,
	    .blue_bits = fb->blue_bits,
	};

	if (fb->type == BOOT_INFO_FB_RGB)
		return fbtext_init_rgb(&console.text, memory, bytes, &form, console_cells, font_glyphs);
	if (fb->type == BOOT_INFO_FB_TEXT)
		return fbtext_init_vga(&console.text, memory, bytes, fb->width, fb->height, console_cells);
	return console_vga_answers(memory) &&
	       fbtext_init_vga(&console.text, memory, bytes, CONSOLE_VGA_COLUMNS, CONSOLE_VGA_ROWS,
			       console_cells);
}

static void console_screen_start(enum console_screen how, void *memory, uint64_t bytes)
{
	if (console.screen_wanted && console_screen_init(memory, bytes)) {
		console.screen = how;
		console_replay();
	} else {
		console.screen = CONSOLE_SCREEN_NONE;
	}
}

void console_init(const char *cmdline, const struct boot_info_fb *fb)
{
	struct console_options o;
	uint64_t start, bytes;

	console_options_parse(cmdline, serial_bios_port(), &o);
	if (o.port != 0 && serial_present(o.port)) {
		serial_init(o.port, o.baud);
		/* A port other than the first one's has not heard what was said so far. */
		if (o.port != console.port || !console.port_ready) {
			uint64_t end = console.said;
			console.port = o.port;
			console.port_ready = true;
			for (uint64_t at = end > CONSOLE_LOG ? end - CONSOLE_LOG : 0; at < end; at++)
				console_serial(console_log[at % CONSOLE_LOG]);
		}
	} else {
		console.port = 0;
	}
	console.fb = *fb;
	console.screen_wanted = o.screen;
	console.low_cr3 = cpu_read_cr3();
	if (console_screen_place(&start, &bytes) && start < CONSOLE_LOW_TOP &&
	    bytes <= CONSOLE_LOW_TOP - start)
		console_screen_start(CONSOLE_SCREEN_LOW, (void *)(uintptr_t)start, bytes);
}

void console_map(void)
{
	uint64_t start, bytes;

	/* Also for a panic, when it is not wanted otherwise; but not what did not answer. */
	if (!console_screen_place(&start, &bytes))
		return;
	if (console.fb.type == BOOT_INFO_FB_NONE && console.screen_wanted &&
	    console.screen == CONSOLE_SCREEN_NONE)
		return;
	console_screen_start(CONSOLE_SCREEN_MAPPED, kmap_device(paddr(start), bytes, KMAP_WC), bytes);
}

void console_device_mapped(uint64_t start, uint64_t size)
{
	uint64_t place, bytes;

	if (console_screen_place(&place, &bytes) && start < place + bytes && place < start + size)
		console.released = true;
}

void console_force(void)
{
	console.released = false;
}
