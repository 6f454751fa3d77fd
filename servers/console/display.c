#include "servers/console/display.h"

#include <stdlib.h>
#include <string.h>
#include "fbtext/fbtext.h"
#include "font/font.h"
#include "sel4/sel4.h"
#include "servers/console/client.h"
#include "servers/console/keymap.h"

/* 16550 registers and bits (National Semiconductor PC16550D) */
#define UART_DATA 0u
#define UART_IER  1u
#define UART_FCR  2u
#define UART_LCR  3u
#define UART_MCR  4u
#define UART_LSR  5u
#define IER_RECEIVE  1u
#define IER_TRANSMIT 2u
#define LSR_DATA     1u
#define LSR_THRE     0x20u
#define FIFO_BYTES   16u
/* 8042 */
#define KBD_DATA   0x60u
#define KBD_STATUS 0x64u
#define KBD_FULL   1u
#define KBD_MOUSE  0x20u

#define QUEUE_BYTES 8192u
#define LOG_BYTES   32768u

static const struct console_start *device;
static uint8_t queue[QUEUE_BYTES];
static uint32_t queue_in, queue_out;
static bool transmit_on, receive_on;
static char log_text[LOG_BYTES];
static uint32_t log_end, log_kept; /* a position, and how many bytes before it are there */
static struct fbtext screen;
static bool has_screen;
static struct keymap keymap;

static uint8_t uart_read(unsigned reg)
{
	return (uint8_t)seL4_X86_IOPort_In8(CONSOLE_SLOT_SERIAL_PORTS, (uint16_t)(device->serial_port + reg)).result;
}

static void uart_write(unsigned reg, uint8_t value)
{
	(void)seL4_X86_IOPort_Out8(CONSOLE_SLOT_SERIAL_PORTS, (uint16_t)(device->serial_port + reg), value);
}

static void interrupts(void)
{
	uart_write(UART_IER, (uint8_t)((receive_on ? IER_RECEIVE : 0) | (transmit_on ? IER_TRANSMIT : 0)));
}

/* As much as the FIFO takes; the rest follows at the next transmit interrupt. */
static void transmit(void)
{
	bool more;

	while (queue_in != queue_out && (uart_read(UART_LSR) & LSR_THRE))
		for (unsigned i = 0; i < FIFO_BYTES && queue_in != queue_out; i++)
			uart_write(UART_DATA, queue[queue_out++ % QUEUE_BYTES]);
	more = queue_in != queue_out;
	if (more != transmit_on) {
		transmit_on = more;
		interrupts();
	}
}

uint32_t display_room(void)
{
	return device->serial_port ? QUEUE_BYTES - (queue_in - queue_out) : QUEUE_BYTES;
}

void display_write(const char *text, uint32_t n)
{
	if (has_screen)
		fbtext_write(&screen, text, n);
	if (!device->serial_port)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (queue_in - queue_out < QUEUE_BYTES)
			queue[queue_in++ % QUEUE_BYTES] = (uint8_t)text[i];
	transmit();
}

void display_log(const char *text, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		log_text[log_end++ % LOG_BYTES] = text[i];
		if (log_kept < LOG_BYTES)
			log_kept++;
		if (text[i] == '\n')
			display_write("\r", 1);
		display_write(text + i, 1);
	}
}

uint32_t display_log_end(void)
{
	return log_end;
}

uint32_t display_log_read(uint32_t *position, char *text, uint32_t n, uint32_t *left)
{
	uint32_t given = 0;

	if (log_end - *position > log_kept)
		*position = log_end - log_kept;
	for (; given < n && *position + given != log_end; given++)
		text[given] = log_text[(*position + given) % LOG_BYTES];
	*left = log_end - *position - given;
	return given;
}

void display_serial_interrupt(void)
{
	char text[64];
	unsigned n = 0;

	while (n < sizeof(text) && (uart_read(UART_LSR) & LSR_DATA))
		text[n++] = (char)uart_read(UART_DATA);
	client_input(text, n);
	transmit();
}

void display_keyboard_interrupt(void)
{
	/* bounded: a stuck controller must not hold the server */
	for (unsigned i = 0; i < 32; i++) {
		uint8_t status = (uint8_t)seL4_X86_IOPort_In8(CONSOLE_SLOT_KEYBOARD_PORTS, KBD_STATUS).result, code;
		char text[8];

		if (!(status & KBD_FULL))
			return;
		code = (uint8_t)seL4_X86_IOPort_In8(CONSOLE_SLOT_KEYBOARD_PORTS, KBD_DATA).result;
		if (status & KBD_MOUSE)
			continue;
		client_input(text, keymap_key(&keymap, code, text));
	}
}

static void screen_init(void)
{
	volatile uint8_t *memory = (volatile uint8_t *)device->screen_vaddr;
	const struct fbtext_rgb form = {
		.width = device->width, .height = device->height, .pitch = device->pitch, .bpp = device->bpp,
		.red_pos = device->red_pos, .red_bits = device->red_bits, .green_pos = device->green_pos,
		.green_bits = device->green_bits, .blue_pos = device->blue_pos, .blue_bits = device->blue_bits,
	};
	uint8_t *cells;

	if (device->screen == CONSOLE_SCREEN_NONE)
		return;
	cells = malloc(FBTEXT_CELLS);
	if (!cells)
		return;
	has_screen = device->screen == CONSOLE_SCREEN_VGA_TEXT
			     ? fbtext_init_vga(&screen, memory, device->screen_bytes, 80, 25, cells)
			     : fbtext_init_rgb(&screen, memory, device->screen_bytes, &form, cells, font_glyphs);
	if (!has_screen)
		free(cells);
}

void display_init(const struct console_start *s)
{
	device = s;
	screen_init();
	if (!s->serial_port)
		return;
	uart_write(UART_FCR, 0x07); /* FIFOs on and empty; the line's speed is the kernel's */
	uart_write(UART_MCR, 0x0b); /* DTR, RTS, interrupt out */
	receive_on = true;
	interrupts();
}
