/* Parses console options (console_options.h). Called by console.c at boot. */
#include "arch/x86/console_options.h"
#include "cmdline/cmdline.h"
#include "mem/mem.h"

enum { CONSOLE_OPTIONS_TEXT = 64, CONSOLE_OPTIONS_BAUD = 115200, CONSOLE_OPTIONS_COM2 = 0x2f8 };

/* The value up to the next comma, and on to what follows it; false at the end. */
static bool console_options_part(const char **at, const char **part, size_t *length)
{
	const char *p = *at;

	if (p == NULL)
		return false;
	*part = p;
	while (*p != '\0' && *p != ',')
		p++;
	*length = (size_t)(p - *part);
	*at = *p == ',' ? p + 1 : NULL;
	return true;
}

static bool console_options_equal(const char *part, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(part, text, length) == 0;
}

static bool console_options_number(const char *part, size_t length, uint64_t *out)
{
	struct cmdline_word w = {.text = part, .length = length, .value = part, .value_length = length};

	return length != 0 && cmdline_number(&w, out);
}

static bool console_options_value(const char *cmdline, const char *key, char text[CONSOLE_OPTIONS_TEXT])
{
	struct cmdline_word w;

	return cmdline_find(cmdline, key, &w) && cmdline_value(&w, text, CONSOLE_OPTIONS_TEXT);
}

/* Speed, format, port. */
static void console_options_com(const char *text, struct console_options *out)
{
	const char *part;
	size_t length;
	uint64_t v;

	for (unsigned i = 0; i < 3 && console_options_part(&text, &part, &length); i++) {
		if (i == 1 || !console_options_number(part, length, &v))
			continue;
		if (i == 0 && v >= 50 && v <= CONSOLE_OPTIONS_BAUD)
			out->baud = (uint32_t)v;
		if (i == 2 && v != 0 && v <= UINT16_MAX - 8)
			out->port = (uint16_t)v;
	}
}

void console_options_parse(const char *cmdline, uint16_t default_port, struct console_options *out)
{
	static const char *const port_keys[] = {"console_port", "debug_port"};
	char text[CONSOLE_OPTIONS_TEXT];
	const char *at = text, *part;
	size_t length;
	uint64_t v;
	bool serial = true, second = false;

	*out = (struct console_options){.port = default_port, .baud = CONSOLE_OPTIONS_BAUD, .screen = true};
	if (console_options_value(cmdline, "console", text)) {
		serial = out->screen = false;
		while (console_options_part(&at, &part, &length)) {
			if (console_options_equal(part, length, "com1"))
				serial = true;
			else if (console_options_equal(part, length, "com2"))
				serial = second = true;
			else if (console_options_equal(part, length, "vga"))
				out->screen = true;
		}
	}
	if (second)
		out->port = CONSOLE_OPTIONS_COM2;
	if (console_options_value(cmdline, second ? "com2" : "com1", text))
		console_options_com(text, out);
	if (!serial)
		out->port = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(port_keys); i++)
		if (console_options_value(cmdline, port_keys[i], text) &&
		    console_options_number(text, strlen(text), &v) && v <= UINT16_MAX - 8)
			out->port = (uint16_t)v;
}
