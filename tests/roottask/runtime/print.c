/* A small printf, one DebugPutChar after the other. */
#include "roottask/runtime/print.h"
#include <stdarg.h>
#include "sel4/sel4.h"

static void print_number(seL4_Word v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		seL4_DebugPutChar(digits[--n]);
}

static void print_argument(char kind, va_list *arguments)
{
	switch (kind) {
	case 's':
		seL4_DebugPutString(va_arg(*arguments, const char *));
		break;
	case 'u':
		print_number(va_arg(*arguments, seL4_Word), 10);
		break;
	case 'x':
		print_number(va_arg(*arguments, seL4_Word), 16);
		break;
	default:
		seL4_DebugPutChar(kind);
		break;
	}
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (format[0] == '%' && format[1])
			print_argument(*++format, &arguments);
		else
			seL4_DebugPutChar(*format);
	}
	va_end(arguments);
}
