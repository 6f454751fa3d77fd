/*
 * Option words. Called by the kernel, the servers and the monitor. Reads NUL-terminated lines in place;
 * contract in cmdline.h.
 */
#include "cmdline/cmdline.h"
#include "mem/mem.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The quote that is open after c, given the one open before it (0: none). */
static char quote_after(char open, char c)
{
	if (open != 0)
		return c == open ? 0 : open;
	return c == '"' || c == '\'' ? c : 0;
}

bool cmdline_next(const char **cursor, struct cmdline_word *out)
{
	const char *p = *cursor;
	char quote = 0;

	while (is_space(*p))
		p++;
	out->text = p;
	out->value = NULL;
	out->value_length = 0;
	out->key_length = 0;
	for (; *p != '\0' && (quote != 0 || !is_space(*p)); p++) {
		quote = quote_after(quote, *p);
		if (*p == '=' && quote == 0 && out->value == NULL) {
			out->key_length = (size_t)(p - out->text);
			out->value = p + 1;
		}
	}
	out->length = (size_t)(p - out->text);
	if (out->value == NULL)
		out->key_length = out->length;
	else
		out->value_length = (size_t)(p - out->value);
	*cursor = p;
	return out->length > 0;
}

static bool same(const char *text, size_t length, const char *s)
{
	return strlen(s) == length && memcmp(text, s, length) == 0;
}

bool cmdline_is(const struct cmdline_word *w, const char *key)
{
	return same(w->text, w->key_length, key);
}

bool cmdline_find(const char *line, const char *key, struct cmdline_word *out)
{
	struct cmdline_word w;
	bool found = false;

	while (cmdline_next(&line, &w)) {
		if (cmdline_is(&w, key)) {
			*out = w;
			found = true;
		}
	}
	return found;
}

static bool unquote(const char *text, size_t length, char *buf, size_t size)
{
	size_t used = 0;
	char quote = 0;

	for (size_t i = 0; i < length; i++) {
		char next = quote_after(quote, text[i]);
		bool mark = next != quote;
		quote = next;
		if (mark)
			continue;
		if (used + 1 >= size) {
			buf[0] = '\0';
			return false;
		}
		buf[used++] = text[i];
	}
	buf[used] = '\0';
	return true;
}

bool cmdline_value(const struct cmdline_word *w, char *buf, size_t size)
{
	buf[0] = '\0';
	return w->value != NULL && unquote(w->value, w->value_length, buf, size);
}

bool cmdline_text(const struct cmdline_word *w, char *buf, size_t size)
{
	return unquote(w->text, w->length, buf, size);
}

/* Digits at the start of text; how many characters they took, 0 if none or too large. */
static size_t digits(const char *text, size_t length, uint64_t *out)
{
	uint64_t base = 10, v = 0;
	size_t i = 0, start;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		i = 2;
	}
	start = i;
	for (; i < length; i++) {
		char c = text[i];
		uint64_t d;
		if (c >= '0' && c <= '9')
			d = (uint64_t)(c - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			d = (uint64_t)(c - 'a') + 10;
		else if (base == 16 && c >= 'A' && c <= 'F')
			d = (uint64_t)(c - 'A') + 10;
		else
			break;
		if (v > (UINT64_MAX - d) / base)
			return 0;
		v = v * base + d;
	}
	*out = v;
	return i > start ? i : 0;
}

bool cmdline_number(const struct cmdline_word *w, uint64_t *out)
{
	char text[32];
	uint64_t v;

	if (!cmdline_value(w, text, sizeof(text)))
		return false;
	size_t n = strlen(text);
	if (n == 0 || digits(text, n, &v) != n)
		return false;
	*out = v;
	return true;
}

bool cmdline_size(const struct cmdline_word *w, uint64_t default_unit, uint64_t *out)
{
	char text[32];
	uint64_t v, unit = default_unit;

	if (!cmdline_value(w, text, sizeof(text)))
		return false;
	size_t n = strlen(text);
	size_t used = digits(text, n, &v);
	if (used == 0 || n - used > 1)
		return false;
	if (n > used) {
		switch (text[used]) {
		case 'b':
		case 'B':
			unit = 1;
			break;
		case 'k':
		case 'K':
			unit = 1ull << 10;
			break;
		case 'm':
		case 'M':
			unit = 1ull << 20;
			break;
		case 'g':
		case 'G':
			unit = 1ull << 30;
			break;
		case 't':
		case 'T':
			unit = 1ull << 40;
			break;
		default:
			return false;
		}
	}
	if (unit != 0 && v > UINT64_MAX / unit)
		return false;
	*out = v * unit;
	return true;
}

static bool one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same(text, strlen(text), list[i]))
			return true;
	return false;
}

bool cmdline_bool(const char *line, const char *key, bool def)
{
	static const char *const yes[] = {"yes", "on", "true", "enable", "1"};
	static const char *const no[] = {"no", "off", "false", "disable", "0"};
	struct cmdline_word w;
	bool result = def;

	while (cmdline_next(&line, &w)) {
		if (cmdline_is(&w, key)) {
			char text[16];
			if (w.value == NULL)
				result = true;
			else if (!cmdline_value(&w, text, sizeof(text)))
				continue;
			else if (one_of(text, yes, sizeof(yes) / sizeof(yes[0])))
				result = true;
			else if (one_of(text, no, sizeof(no) / sizeof(no[0])))
				result = false;
		} else if (w.value == NULL && w.length > 3 && memcmp(w.text, "no-", 3) == 0 &&
			   same(w.text + 3, w.length - 3, key)) {
			result = false;
		}
	}
	return result;
}

static bool name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-' || c == '+';
}

static void set_name(char name[CMDLINE_NAME], const char *text, size_t length)
{
	size_t n = length < CMDLINE_NAME - 1 ? length : CMDLINE_NAME - 1;

	for (size_t i = 0; i < n; i++)
		name[i] = name_char(text[i]) ? text[i] : '_';
	name[n] = '\0';
}

static void set_number(char name[CMDLINE_NAME], uint32_t v)
{
	char text[10];
	size_t n = 0;

	do {
		text[sizeof(text) - ++n] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	set_name(name, text + sizeof(text) - n, n);
}

static void set_file_name(char name[CMDLINE_NAME], const struct cmdline_word *w)
{
	size_t start = w->length;

	while (start > 0 && w->text[start - 1] != '/')
		start--;
	if (start < w->length)
		set_name(name, w->text + start, w->length - start);
}

/* The value of name=, without its quotes; a long one is cut. False if nothing is left. */
static bool set_given_name(char name[CMDLINE_NAME], const struct cmdline_word *w)
{
	const char *text = w->value;
	size_t length = w->value_length;

	if (length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
		text++;
		length -= 2;
	}
	if (length == 0)
		return false;
	set_name(name, text, length);
	return true;
}

bool cmdline_module(const char *string, bool has_file_name, uint32_t order, char name[CMDLINE_NAME],
		    char *args, size_t args_size)
{
	struct cmdline_word w;
	bool named = false, first = true;
	size_t used = 0;

	args[0] = '\0';
	set_number(name, order);
	if (has_file_name && cmdline_next(&string, &w))
		set_file_name(name, &w);
	while (cmdline_next(&string, &w)) {
		bool leading = first;
		first = false;
		if (leading && same(w.text, w.length, "placeholder"))
			continue;
		if (!named && w.value != NULL && cmdline_is(&w, "name")) {
			named = set_given_name(name, &w);
			continue;
		}
		size_t gap = used > 0 ? 1 : 0;
		if (w.length + gap >= args_size - used)
			return false;
		if (gap != 0)
			args[used++] = ' ';
		memcpy(args + used, w.text, w.length);
		used += w.length;
		args[used] = '\0';
	}
	return true;
}
