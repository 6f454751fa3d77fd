/*
 * Where text goes: serial line (16550), screen, and for Insula's own lines the log. And where it comes from: serial line, keyboard.
 */
#ifndef CONSOLE_DISPLAY_H
#define CONSOLE_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include "proto/console/console_start.h"

void display_init(const struct console_start *s);
/* How many bytes can be taken now without waiting for the serial line. */
uint32_t display_room(void);
void display_write(const char *text, uint32_t n);
/* Also kept for the `log` command. */
void display_log(const char *text, uint32_t n);
/* The bytes of the log since it began, modulo 2^32. */
uint32_t display_log_end(void);
/* Text of the log from *position on, or from the first that is kept, which *position then is; returns how many bytes were given, *left how many follow. */
uint32_t display_log_read(uint32_t *position, char *text, uint32_t n, uint32_t *left);

/* Interrupts */
void display_serial_interrupt(void);
void display_keyboard_interrupt(void);

#endif
