/* The console's devices. See console_devices.h. */
#include "servers/root/console_devices.h"

#include <string.h>
#include "proto/console/console_start.h"
#include "servers/root/console_option.h"
#include "servers/root/device.h"
#include "servers/root/machine.h"
#include "user/log.h"

#define SCREEN_VADDR    (TASK_SHARED_VADDR + 0x800000000ull)
#define VGA_TEXT        0xb8000ull
#define VGA_TEXT_BYTES  0x8000ull
#define VGA_COLUMNS     80u
#define VGA_ROWS        25u
#define SERIAL_PORTS    8u
#define SERIAL_SCRATCH  7u
#define KEYBOARD_FIRST  0x60u
#define KEYBOARD_LAST   0x64u
#define KEYBOARD_IRQ    1u
#define FRAMEBUFFER_RGB 1u

/* The scratch register of a 16550 keeps what is written; where nothing answers it reads as ones. */
static bool console_devices_serial_present(uint16_t port)
{
	seL4_CPtr ports = device_ports(port, (uint16_t)(port + SERIAL_PORTS - 1));
	uint16_t scratch = (uint16_t)(port + SERIAL_SCRATCH);

	return ports && seL4_X86_IOPort_Out8(ports, scratch, 0x5a) == seL4_NoError && seL4_X86_IOPort_In8(ports, scratch).result == 0x5a;
}

static void console_devices_serial(struct task *t, const struct console_option *o, struct console_start *s)
{
	const struct acpi_madt *madt = machine_madt();

	if (!o->port || !console_devices_serial_present(o->port))
		return;
	if (!o->irq || !madt || !device_give_ports(t, CONSOLE_SLOT_SERIAL_PORTS, o->port, (uint16_t)(o->port + SERIAL_PORTS - 1)) ||
	    !device_give_irq(t, CONSOLE_SLOT_SERIAL_IRQ, madt, o->irq)) {
		log_line("root: the serial port at %#x has no interrupt that can be used", o->port);
		return;
	}
	s->serial_port = o->port;
}

static void console_devices_keyboard(struct task *t, struct console_start *s)
{
	const struct acpi_madt *madt = machine_madt();
	const struct acpi_fadt *fadt = machine_fadt();

	if (!madt || (fadt && !fadt->has_8042))
		return;
	s->has_keyboard = device_give_ports(t, CONSOLE_SLOT_KEYBOARD_PORTS, KEYBOARD_FIRST, KEYBOARD_LAST) &&
			  device_give_irq(t, CONSOLE_SLOT_KEYBOARD_IRQ, madt, KEYBOARD_IRQ);
}

/* Is there text memory that keeps what is written? */
static bool console_devices_vga(void)
{
	struct buddy_node *block;
	seL4_CPtr frame = memory_device_frame(VGA_TEXT, seL4_PageBits, &block);
	volatile uint16_t *cell = frame ? memory_window(3, frame, true) : NULL;
	bool there = false;

	if (cell) {
		uint16_t old = *cell;

		*cell = 0x0755;
		there = *cell == 0x0755;
		*cell = 0x07aa;
		there &= *cell == 0x07aa;
		*cell = old;
	}
	if (frame)
		memory_device_release(frame, block);
	return there;
}

static void console_devices_colours(struct console_start *s)
{
	s->red_bits = s->green_bits = s->blue_bits = 8;
	s->red_pos = 16;
	s->green_pos = 8;
	if (s->bpp == 16 || s->bpp == 15) {
		s->red_bits = s->blue_bits = 5;
		s->green_bits = s->bpp == 16 ? 6 : 5;
		s->green_pos = 5;
		s->red_pos = s->bpp == 16 ? 11 : 10;
	}
}

static void console_devices_screen(struct task *t, const struct bootinfo *b, struct console_start *s)
{
	const struct bootinfo_framebuffer *f = &b->framebuffer;
	bool rgb = b->has_framebuffer && f->type == FRAMEBUFFER_RGB;
	uint64_t paddr = rgb ? f->address : VGA_TEXT, bytes = rgb ? (uint64_t)f->pitch * f->height : VGA_TEXT_BYTES;

	if (!rgb && !console_devices_vga())
		return;
	if (bytes == 0 || bytes > 1ull << 30 ||
	    !device_map(t, SCREEN_VADDR, paddr, bytes, rgb ? seL4_X86_WriteCombining : seL4_X86_Uncacheable)) {
		log_line("root: the screen at %#llx cannot be mapped", (unsigned long long)paddr);
		return;
	}
	s->screen = rgb ? CONSOLE_SCREEN_FRAMEBUFFER : CONSOLE_SCREEN_VGA_TEXT;
	s->screen_vaddr = SCREEN_VADDR + paddr % (1ull << seL4_LargePageBits);
	s->screen_bytes = bytes;
	s->width = rgb ? f->width : VGA_COLUMNS;
	s->height = rgb ? f->height : VGA_ROWS;
	s->pitch = rgb ? f->pitch : VGA_COLUMNS * 2;
	s->bpp = f->bpp;
	console_devices_colours(s);
}

bool console_devices_give(struct task *t, const struct bootinfo *b)
{
	struct console_option o = console_option_parse(b->cmdline);
	struct console_start start = {0};

	console_devices_serial(t, &o, &start);
	console_devices_keyboard(t, &start);
	if (o.screen)
		console_devices_screen(t, b, &start);
	return task_env_write(t, offsetof(struct task_env, data), &start, sizeof(start));
}
