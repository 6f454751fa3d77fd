/* Lines of text. See log.h. */
#include "user/log.h"

#include <string.h>
#include "sel4/sel4.h"
#include "user/format.h"
#include "user/lock.h"
#include "user/log_route.h"

#define LOG_LINE 240

static struct lock log_lock;
static void (*log_write)(const char *text, uint32_t n);

static void log_debug(const char *text, uint32_t n)
{
	while (n--)
		seL4_DebugPutChar(*text++);
}

void log_route(void (*write)(const char *text, uint32_t n))
{
	log_write = write;
}

void log_line(const char *format, ...)
{
	char line[LOG_LINE + 2];
	va_list list;
	int n;

	va_start(list, format);
	n = format_print(line, LOG_LINE + 1, format, list);
	va_end(list);
	if (n > LOG_LINE)
		n = LOG_LINE;
	for (int i = 0; i < n; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[n] = '\n';
	lock_take(&log_lock);
	(log_write ? log_write : log_debug)(line, (uint32_t)n + 1);
	lock_release(&log_lock);
}
