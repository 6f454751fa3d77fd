/*
 * Which serial port and whether a screen the command line asks for, as the kernel understands it: `console=com1,com2,vga`, `com1=…,…,PORT`,
 * `console_port=PORT`. Pure.
 */
#ifndef ROOT_CONSOLE_OPTION_H
#define ROOT_CONSOLE_OPTION_H

#include <stdbool.h>
#include <stdint.h>

struct console_option {
	uint16_t port; /* 0: none wanted */
	uint8_t irq;   /* of that port, ISA; 0: unknown */
	bool screen;
};

struct console_option console_option_parse(const char *cmdline);

#endif
