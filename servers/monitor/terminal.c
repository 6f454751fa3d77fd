#include "servers/monitor/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/task/task.h"
#include "ring/ring.h"
#include "sel4/sel4.h"
#include "servers/monitor/calls.h"

#define HISTORY 8
#define LINE 1024

static struct ring out, in;
static char history[HISTORY][LINE];
static unsigned history_count;

int terminal_open(void)
{
	uint8_t *page = (uint8_t *)TASK_SHARED_VADDR;
	int r = calls_console_open(page);

	if (r)
		return r;
	(void)ring_init(&out, (struct ring_header *)(void *)(page + CONSOLE_PAGE_OUT_HEADER), page + CONSOLE_PAGE_OUT_DATA,
			CONSOLE_OUT_BYTES, 0);
	(void)ring_init(&in, (struct ring_header *)(void *)(page + CONSOLE_PAGE_IN_HEADER), page + CONSOLE_PAGE_IN_DATA, CONSOLE_IN_BYTES,
			0);
	return 0;
}

static void put(const char *text, uint32_t n)
{
	while (n) {
		uint32_t took = ring_write(&out, (const uint8_t *)text, n);

		calls_console_signal();
		text += took;
		n -= took;
		if (n)
			calls_console_wait();
	}
}

void terminal_print(const char *format, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *at = text; *at;) {
		size_t n = strcspn(at, "\n");

		put(at, (uint32_t)n);
		at += n;
		if (*at) {
			put("\r\n", 2);
			at++;
		}
	}
}

static char get(void)
{
	uint8_t c;

	while (ring_read(&in, &c, 1) == 0)
		calls_console_wait();
	return (char)c;
}

static void show(char *line, size_t *n, const char *text, size_t size)
{
	while (*n) {
		put("\b \b", 3);
		(*n)--;
	}
	*n = strlen(text) < size ? strlen(text) : size - 1;
	memmove(line, text, *n);
	put(line, (uint32_t)*n);
}

/* ESC [ A and ESC [ B: earlier and later lines. */
static void escape(char *line, size_t *n, size_t size, unsigned *back)
{
	char c;

	if (get() != '[')
		return;
	c = get();
	if (c == 'A' && *back < history_count && *back < HISTORY)
		(*back)++;
	else if (c == 'B' && *back)
		(*back)--;
	else
		return;
	show(line, n, *back ? history[(history_count - *back) % HISTORY] : "", size);
}

void terminal_line(char *line, size_t size)
{
	size_t n = 0;
	unsigned back = 0;

	for (;;) {
		char c = get();

		if (c == '\r' || c == '\n') {
			break;
		} else if (c == '\033') {
			escape(line, &n, size, &back);
		} else if (c == '\b' || c == '\177') {
			if (n) {
				put("\b \b", 3);
				n--;
			}
		} else if (c == '\025' || c == '\003') {
			show(line, &n, "", size);
		} else if (c >= ' ' && c <= '~' && n + 1 < size) {
			line[n++] = c;
			put(&c, 1);
		}
	}
	line[n] = 0;
	put("\r\n", 2);
	if (n && n < LINE)
		strcpy(history[history_count++ % HISTORY], line);
}
