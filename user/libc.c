/*
 * What the C library and the compiler want of a system, without one: the end of a process, checks that failed. Whatever would make a system
 * call in musl is defined here, or not linked at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include "user/env.h"
#include "user/format.h"
#include "user/libc.h"
#include "user/log.h"

_Noreturn void abort(void)
{
	/* an invalid instruction: root sees the fault, says so, and tells our maker */
	for (;;)
		__builtin_trap();
}

_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function)
{
	log_line("%s: %s:%d: %s: assertion failed: %s", env_get()->name, file, line, function, what);
	abort();
}

_Noreturn void __stack_chk_fail(void)
{
	log_line("%s: stack smashed", env_get()->name);
	abort();
}

_Noreturn void __chk_fail(void)
{
	log_line("%s: buffer overflow", env_get()->name);
	abort();
}

int vsnprintf(char *to, size_t size, const char *format, va_list list)
{
	return format_print(to, size, format, list);
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = format_print(to, size, format, list);
	va_end(list);
	return n;
}
