/* Console options. See console_option.h. */
#include "servers/root/console_option.h"

#include <stdlib.h>
#include <string.h>
#include "cmdline/cmdline.h"

#define TEXT 64u
#define COM1 0x3f8u
#define COM2 0x2f8u
#define COM3 0x3e8u
#define COM4 0x2e8u

/* The comma-separated part at *at, which moves on; false at the end. */
static bool console_option_part(const char **at, char part[TEXT])
{
	size_t n;

	if (!*at)
		return false;
	n = strcspn(*at, ",");
	memcpy(part, *at, n);
	part[n] = 0;
	*at = (*at)[n] ? *at + n + 1 : NULL;
	return true;
}

static bool console_option_port(const char *text, uint16_t *port)
{
	struct cmdline_word w = {.text = text, .length = strlen(text), .value = text, .value_length = strlen(text)};
	uint64_t v;

	if (!text[0] || !cmdline_number(&w, &v) || v > UINT16_MAX - 8)
		return false;
	*port = (uint16_t)v;
	return true;
}

static bool console_option_value(const char *cmdline, const char *key, char text[TEXT])
{
	struct cmdline_word w;

	return cmdline_find(cmdline, key, &w) && cmdline_value(&w, text, TEXT);
}

struct console_option console_option_parse(const char *cmdline)
{
	static const char *const ports[] = {"console_port", "debug_port"};
	struct console_option o = {.port = COM1, .screen = true};
	char text[TEXT], part[TEXT];
	const char *at = text;
	bool serial = true, second = false;
	uint16_t port;

	if (console_option_value(cmdline, "console", text)) {
		serial = o.screen = false;
		while (console_option_part(&at, part)) {
			second |= !strcmp(part, "com2");
			serial |= second || !strcmp(part, "com1");
			o.screen |= !strcmp(part, "vga");
		}
	}
	o.port = second ? COM2 : COM1;
	at = text;
	if (console_option_value(cmdline, second ? "com2" : "com1", text))
		for (unsigned i = 0; i < 3 && console_option_part(&at, part); i++)
			if (i == 2 && console_option_port(part, &port) && port)
				o.port = port;
	if (!serial)
		o.port = 0;
	for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (console_option_value(cmdline, ports[i], text))
			(void)console_option_port(text, &o.port);
	o.irq = o.port == COM1 || o.port == COM3 ? 4 : o.port == COM2 || o.port == COM4 ? 3 : 0;
	return o;
}
