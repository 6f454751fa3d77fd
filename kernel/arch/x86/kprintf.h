/*
 * Formatting for the kernel's console (panic.h has kprintf itself). Understood: %d %i %u %x %X %c %s %p %%,
 * with l, ll or z for 64 bits, a width (also *), 0 or - before it, and a precision for %s (also *). Anything
 * else is shown as written.
 */
#ifndef ARCH_X86_KPRINTF_H
#define ARCH_X86_KPRINTF_H

#include <stdarg.h>
#include "types.h"

void kprintf_list(const char *format, va_list args);
/* Into buffer, always NUL-terminated, cut if too long. */
void kprintf_text(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
