/* The options about consoles on the kernel's command line. Pure. */
#ifndef ARCH_X86_CONSOLE_OPTIONS_H
#define ARCH_X86_CONSOLE_OPTIONS_H

#include "types.h"

struct console_options {
	uint16_t port; /* of the serial port; 0: none wanted */
	uint32_t baud;
	bool screen;
};

/*
 * `console=com1,vga` (Xen): which are used; com1 or com2, vga, none. Without it the first serial port and the
 * screen are. `com1=115200,8n1,0x3f8` (Xen): speed and port, each may be missing or `auto`; the middle is
 * always 8n1. `console_port=0x3f8`, `debug_port=` (seL4): the port, 0 for none; they override. default_port:
 * that of com1 if nothing names one. What cannot be understood is ignored.
 */
void console_options_parse(const char *cmdline, uint16_t default_port, struct console_options *out);

#endif
