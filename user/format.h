/*
 * The C library's snprintf without locales, floating point and streams, so that nothing of the library's I/O is linked: conversions
 * d i u x X o c s p %, flags - 0 + space #, width and precision (also *), sizes hh h l ll z j t. Anything else is written as it stands.
 * Pure; libc.c gives it the library's names.
 */
#ifndef USER_FORMAT_H
#define USER_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf: the length that the whole text has; to[0..size) always ends with a NUL if size > 0. */
int format_print(char *to, size_t size, const char *format, va_list list);

#endif
