/*
 * Splits command lines of the boot loader, boot modules and the monitor into option words. Pure text, in
 * place; lines are NUL-terminated.
 *
 * Words are separated by spaces, tabs or newlines. Double or single quotes keep separators together and may
 * begin anywhere in a word (cmdline="a b"); inside one kind of quotes the other has no meaning. An unclosed
 * quote ends with the line. A backslash means nothing.
 */
#ifndef LIB_CMDLINE_CMDLINE_H
#define LIB_CMDLINE_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmdline_word {
	const char *text; /* the whole word as written, quotes included */
	size_t length;
	size_t key_length; /* up to the first '=' outside quotes, or length */
	const char *value; /* after that '=', quotes included; NULL if there is none */
	size_t value_length;
};

/* The word at *cursor, which moves behind it; false at the end of the line. Begin with *cursor = line. */
bool cmdline_next(const char **cursor, struct cmdline_word *out);

/* The word's key is exactly this text. */
bool cmdline_is(const struct cmdline_word *w, const char *key);

/* The last word with this key (a later option overrides an earlier one), as in Xen. */
bool cmdline_find(const char *line, const char *key, struct cmdline_word *out);

/* Copies the value without its quotes, NUL-terminated, to buf[0..size); false if it does not fit (buf is then
 * "") or there is none. size > 0. */
bool cmdline_value(const struct cmdline_word *w, char *buf, size_t size);

/* The whole word without its quotes; likewise. */
bool cmdline_text(const struct cmdline_word *w, char *buf, size_t size);

/* The value as an unsigned number: decimal or 0x, whole value, no overflow. */
bool cmdline_number(const struct cmdline_word *w, uint64_t *out);

/* The value as a size in bytes: a number with an optional suffix B K M G T. Without one it counts units of
 * default_unit bytes (Xen: 1024). */
bool cmdline_size(const struct cmdline_word *w, uint64_t default_unit, uint64_t *out);

/*
 * A boolean option as Xen writes it: `key`, `key=yes|on|true|enable|1`, `key=no|off|false|disable|0`,
 * `no-key`. The last one in the line counts; def if there is none or its value is neither.
 */
bool cmdline_bool(const char *line, const char *key, bool def);

enum {
	CMDLINE_NAME = 32, /* bytes of a module name, with the NUL */
};

/*
 * A boot module's name and arguments from its string. The name is the value of the first word `name=…`, else
 * (multiboot 1, where the string begins with the file name) the last component of that, else the decimal
 * number `order`. It is cut to CMDLINE_NAME - 1 bytes, and bytes outside A-Z a-z 0-9 . _ - + become '_'. args
 * gets the rest, quotes kept, without the file name, a leading `placeholder`, and the name= word. False if
 * the arguments do not fit in args_size > 0 bytes (they are then cut at a word's end).
 */
bool cmdline_module(const char *string, bool has_file_name, uint32_t order, char name[CMDLINE_NAME],
		    char *args, size_t args_size);

#endif
