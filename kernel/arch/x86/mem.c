/*
 * The memory primitives that the compiler and lib/ call (lib/mem/mem.h). Called by everyone, also before
 * there is anything else; they touch nothing but their arguments.
 */
#include "mem/mem.h"
#include "arch/x86/cpu_hw.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) mem_u64;
typedef uint32_t __attribute__((may_alias, aligned(1))) mem_u32;
typedef uint16_t __attribute__((may_alias, aligned(1))) mem_u16;

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;
	size_t bulk = n & ~(size_t)31;

	if (bulk != 0) {
		cpu_rep_movsq(d, s, bulk / 8);
		d += bulk;
		s += bulk;
	}
	if (n & 16) {
		mem_u64 a = ((const mem_u64 *)s)[0], b = ((const mem_u64 *)s)[1];
		((mem_u64 *)d)[0] = a;
		((mem_u64 *)d)[1] = b;
		d += 16;
		s += 16;
	}
	if (n & 8) {
		*(mem_u64 *)d = *(const mem_u64 *)s;
		d += 8;
		s += 8;
	}
	if (n & 4) {
		*(mem_u32 *)d = *(const mem_u32 *)s;
		d += 4;
		s += 4;
	}
	if (n & 2) {
		*(mem_u16 *)d = *(const mem_u16 *)s;
		d += 2;
		s += 2;
	}
	if (n & 1)
		*d = *s;
	return dst;
}

void *memset(void *dst, int byte, size_t n)
{
	uint8_t *d = dst;
	uint64_t v = 0x0101010101010101ull * (uint8_t)byte;
	size_t bulk = n & ~(size_t)15;

	if (bulk != 0) {
		cpu_rep_stosq(d, v, bulk / 8);
		d += bulk;
	}
	if (n & 8) {
		*(mem_u64 *)d = v;
		d += 8;
	}
	if (n & 4) {
		*(mem_u32 *)d = (uint32_t)v;
		d += 4;
	}
	if (n & 2) {
		*(mem_u16 *)d = (uint16_t)v;
		d += 2;
	}
	if (n & 1)
		*d = (uint8_t)v;
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	/* Upwards is right unless dst begins inside src. */
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		for (; n >= 8; n -= 8, d += 8, s += 8) {
			*(mem_u64 *)d = *(const mem_u64 *)s;
			cpu_compiler_barrier();
		}
		for (; n != 0; n--) {
			*d++ = *s++;
			cpu_compiler_barrier();
		}
		return dst;
	}
	while (n >= 8) {
		n -= 8;
		*(mem_u64 *)(d + n) = *(const mem_u64 *)(s + n);
		cpu_compiler_barrier();
	}
	while (n != 0) {
		n--;
		d[n] = s[n];
		cpu_compiler_barrier();
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n >= 8 && *(const mem_u64 *)x == *(const mem_u64 *)y; n -= 8, x += 8, y += 8)
		;
	for (; n != 0; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0') {
		n++;
		cpu_compiler_barrier();
	}
	return n;
}
