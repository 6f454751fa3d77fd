/*
 * How a parser reaches memory that it may not map itself: a callback that copies bytes out of
 * physical (or guest-physical) address space into the parser's own buffer.
 *
 * read() copies exactly n bytes from address paddr to dst and returns true, or returns false when
 * any of them cannot be read (outside memory, address overflow); dst is then unspecified. A parser never
 * calls it with n = 0, and never assumes that two reads of the same address give the same bytes.
 */
#ifndef LIB_MEM_READER_H
#define LIB_MEM_READER_H

#include "mem/mem.h"

struct mem_reader {
	bool (*read)(void *ctx, uint64_t paddr, void *dst, size_t n);
	void *ctx;
};

/* As read(), but refuses a range that wraps around the end of the address space, and accepts n = 0. */
static inline bool mem_read(const struct mem_reader *r, uint64_t paddr, void *dst, size_t n)
{
	if (n == 0)
		return true;
	if (paddr + (n - 1) < paddr)
		return false;
	return r->read(r->ctx, paddr, dst, n);
}

#endif
