/*
 * Any text as a command line and as a module's string. Beside it a second reading that marks each character
 * first: which are separators, which are quotes that count; words, values and numbers follow from the marks.
 */
// links: lib/cmdline/cmdline.c
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cmdline/cmdline.h"

enum { LINE = 4096 };

static char mark[LINE + 1]; /* ' ' a separator, 'q' a quote, 'i' inside of quotes, '=' and '.' outside */

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void make_marks(const char *line, size_t n)
{
	for (size_t i = 0; i < n;) {
		const char *end = line[i] == '"' || line[i] == '\'' ? strchr(line + i + 1, line[i]) : NULL;
		size_t last = end != NULL ? (size_t)(end - line) : n;

		if (line[i] != '"' && line[i] != '\'') {
			mark[i] = strchr(" \t\n\r", line[i]) != NULL ? ' ' : line[i] == '=' ? '=' : '.';
			i++;
			continue;
		}
		mark[i] = 'q';
		memset(mark + i + 1, 'i', last - i - 1);
		if (end != NULL)
			mark[last] = 'q';
		i = end != NULL ? last + 1 : n;
	}
	mark[n] = ' ';
}

/* Without the quotes that count. */
static size_t plain(const char *line, size_t from, size_t to, char *out)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		if (mark[i] != 'q')
			out[n++] = line[i];
	out[n] = '\0';
	return n;
}

static void compare_number(const struct cmdline_word *w, const char *value)
{
	uint64_t v = 0, unit, shift;
	char digits[LINE + 1] = "";
	size_t n = strlen(value);
	bool hex = n > 2 && value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	const char *first = hex ? value + 2 : value;
	size_t count = strspn(first, hex ? "0123456789abcdefABCDEF" : "0123456789");
	const char *end = first + count;
	bool ok = n < 32 && count > 0;

	/* only the digits: it takes blanks, signs and a second 0x too */
	memcpy(digits, first, count);
	errno = 0;
	if (ok)
		v = strtoull(digits, NULL, hex ? 16 : 10);
	ok = ok && errno == 0;
	uint64_t got = 0;
	require(cmdline_number(w, &got) == (ok && *end == '\0'));
	require(!ok || *end != '\0' || got == v);
	if (!ok || (*end != '\0' && (strchr("bBkKmMgGtT", *end) == NULL || end[1] != '\0'))) {
		require(!cmdline_size(w, 1024, &got));
		return;
	}
	shift = *end == '\0'
		    ? 10
		    : (uint64_t)(strchr("bbkKmMgGtT", *end == 'B' ? 'b' : *end) - "bbkKmMgGtT") / 2 * 10;
	unit = 1ull << shift;
	ok = v <= UINT64_MAX / unit;
	require(cmdline_size(w, 1024, &got) == ok && (!ok || got == v * unit));
}

static void compare_word(const char *line, size_t from, size_t to, const struct cmdline_word *w)
{
	static char text[LINE + 1], got[LINE + 1];
	const char *eq = memchr(mark + from, '=', to - from);
	size_t key = eq != NULL ? (size_t)(eq - mark) : to, n = plain(line, from, to, text);

	require(w->text == line + from && w->length == to - from && w->key_length == key - from);
	require((w->value != NULL) == (eq != NULL));
	require(cmdline_text(w, got, sizeof(got)) && strcmp(got, text) == 0);
	require(cmdline_text(w, got, n + 1) && (n == 0 || !cmdline_text(w, got, n)));
	if (eq == NULL) {
		require(!cmdline_value(w, got, sizeof(got)));
		return;
	}
	require(w->value == line + key + 1 && w->value_length == to - key - 1);
	(void)plain(line, key + 1, to, text);
	require(cmdline_value(w, got, sizeof(got)) && strcmp(got, text) == 0);
	compare_number(w, text);
}

static void compare_line(const char *line, size_t n)
{
	struct cmdline_word w, last = {0}, found;
	const char *cursor = line;
	bool any = false;

	make_marks(line, n);
	for (size_t i = 0, to; i < n; i = to) {
		for (to = i; to < n && mark[to] != ' '; to++)
			;
		if (to == i) {
			to++;
			continue;
		}
		require(cmdline_next(&cursor, &w));
		compare_word(line, i, to, &w);
		if (w.key_length == 4 && memcmp(w.text, "com1", 4) == 0) {
			any = true;
			last = w;
		}
	}
	require(!cmdline_next(&cursor, &w));
	require(cmdline_find(line, "com1", &found) == any && (!any || found.text == last.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[CMDLINE_NAME], args[64];

	char *line = malloc(size + 1);
	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (strlen(line) <= LINE)
		compare_line(line, strlen(line));
	(void)cmdline_bool(line, "smt", true);
	(void)cmdline_module(line, size % 2 == 0, 7, name, args, sizeof(args));
	if (strlen(name) == 0 || strlen(name) >= CMDLINE_NAME || strlen(args) >= sizeof(args))
		abort();
	free(line);
	return 0;
}
