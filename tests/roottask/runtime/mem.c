/* What the compiler may call by itself, even freestanding. */
#include <stddef.h>
#include "mem/mem.h"

void *memset(void *dst, int byte, size_t n)
{
	char *d = dst;

	while (n--)
		*(volatile char *)d++ = (char)byte;
	return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	char *d = dst;
	const char *s = src;

	while (n--)
		*(volatile char *)d++ = *s++;
	return dst;
}
