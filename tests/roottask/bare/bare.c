/* See bare.h. */
#include "bare.h"
#include "bare_hw.h"
#include "sel4/constants.h"
#include <stdarg.h>

uint64_t *bare_buffer;
uint64_t bare_words[8];

static void bare_put(char c)
{
	struct message m = {.badge = (uint64_t)(unsigned char)c};

	hw_syscall(seL4_SysDebugPutChar, &m, 0);
}

static void bare_number(uint64_t v, unsigned base)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		bare_put(digits[--n]);
}

void bare_print(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	for (; *format; format++) {
		if (*format != '%') {
			bare_put(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			for (const char *s = va_arg(a, const char *); *s; s++)
				bare_put(*s);
			break;
		case 'd':
			bare_number(va_arg(a, uint64_t), 10);
			break;
		default:
			bare_number(va_arg(a, uint64_t), 16);
			break;
		}
	}
	va_end(a);
}

uint64_t bare_call(uint64_t cap, uint64_t label, const uint64_t *words, unsigned count, const uint64_t *caps,
		   unsigned cap_count)
{
	struct message m = {.badge = cap, .info = label << 12 | (uint64_t)cap_count << 7 | count};

	for (unsigned i = 0; i < count; i++) {
		if (i < 4)
			m.mr[i] = words[i];
		else
			bare_buffer[1 + i] = words[i];
	}
	for (unsigned i = 0; i < cap_count; i++)
		bare_buffer[122 + i] = caps[i];
	hw_syscall(seL4_SysCall, &m, 0);
	for (unsigned i = 0; i < 8; i++)
		bare_words[i] = i < 4 ? m.mr[i] : bare_buffer[1 + i];
	return m.info >> 12;
}
