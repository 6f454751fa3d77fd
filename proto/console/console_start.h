/* What root tells the console server in task_env.data: its devices. */
#ifndef PROTO_CONSOLE_START_H
#define PROTO_CONSOLE_START_H

#include <stdint.h>
#include "proto/task/task.h"

/* Slots of its capabilities; null where the device is not there. */
#define CONSOLE_SLOT_SERIAL_PORTS  (TASK_SLOT_SPECIAL + 0) /* eight ports from serial_port */
#define CONSOLE_SLOT_SERIAL_IRQ    (TASK_SLOT_SPECIAL + 1)
#define CONSOLE_SLOT_KEYBOARD_PORTS (TASK_SLOT_SPECIAL + 2) /* 0x60..0x64 */
#define CONSOLE_SLOT_KEYBOARD_IRQ  (TASK_SLOT_SPECIAL + 3)

enum console_screen { CONSOLE_SCREEN_NONE, CONSOLE_SCREEN_VGA_TEXT, CONSOLE_SCREEN_FRAMEBUFFER };

struct console_start {
	uint16_t serial_port; /* 0: none */
	uint8_t has_keyboard;
	uint8_t screen;       /* enum console_screen */
	uint32_t width, height, pitch; /* framebuffer, in pixels and bytes */
	uint8_t bpp, red_pos, red_bits, green_pos, green_bits, blue_pos, blue_bits, reserved;
	uint64_t screen_vaddr; /* mapped by root, write-combining or uncached */
	uint64_t screen_bytes;
};

#endif
