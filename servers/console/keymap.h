/*
 * PS/2 scan codes, set 1 as the controller translates them (IBM PC/AT; 8042 command byte bit 6), to bytes as a terminal sends
 * them: US layout. Pure: one state, one byte in, up to eight out.
 */
#ifndef CONSOLE_KEYMAP_H
#define CONSOLE_KEYMAP_H

#include <stdbool.h>
#include <stdint.h>

struct keymap {
	bool shift_left, shift_right, control, alt, caps;
	bool extended; /* E0 came */
	uint8_t skip;  /* bytes of an E1 sequence to drop */
};

/* Returns how many bytes were put into out. */
unsigned keymap_key(struct keymap *k, uint8_t code, char out[8]);

#endif
