/*
 * Memory and string primitives for code that is compiled both freestanding (kernel) and hosted
 * (servers, host tests), and loads and stores of little-endian fields at any alignment.
 *
 * In the kernel the five functions are the kernel's own; elsewhere they are the C library's.
 * No other C library function may be called from lib/.
 */
#ifndef LIB_MEM_MEM_H
#define LIB_MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
#endif

/* Little-endian fields; p needs no alignment. The caller has checked that the bytes are there. */
static inline uint16_t mem_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | (p[1] << 8));
}

static inline uint32_t mem_get32(const uint8_t *p)
{
	return (uint32_t)mem_get16(p) | ((uint32_t)mem_get16(p + 2) << 16);
}

static inline uint64_t mem_get64(const uint8_t *p)
{
	return (uint64_t)mem_get32(p) | ((uint64_t)mem_get32(p + 4) << 32);
}

static inline void mem_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v & 0xff);
	p[1] = (uint8_t)(v >> 8);
}

static inline void mem_put32(uint8_t *p, uint32_t v)
{
	mem_put16(p, (uint16_t)(v & 0xffff));
	mem_put16(p + 2, (uint16_t)(v >> 16));
}

static inline void mem_put64(uint8_t *p, uint64_t v)
{
	mem_put32(p, (uint32_t)(v & 0xffffffffu));
	mem_put32(p + 4, (uint32_t)(v >> 32));
}

#endif
