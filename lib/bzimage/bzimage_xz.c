/*
 * XZ payloads, through liblzma. Called by the vmm; allocates only from the caller's allocator. Contract in
 * bzimage_xz.h.
 */
#include "bzimage/bzimage_xz.h"

#include <lzma.h>

static void *xz_alloc(void *opaque, size_t count, size_t size)
{
	const struct bzimage_xz_allocator *a = opaque;

	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return a->alloc(a->ctx, count * size);
}

static void xz_free(void *opaque, void *p)
{
	const struct bzimage_xz_allocator *a = opaque;

	if (p != NULL)
		a->free(a->ctx, p);
}

enum bzimage_error bzimage_xz_unpack(const uint8_t *payload, size_t size, uint8_t *out, size_t out_size,
				     size_t *produced, uint64_t memory_limit,
				     const struct bzimage_xz_allocator *a)
{
	/* liblzma declares the context mutable; our two functions do not change it. */
	struct bzimage_xz_allocator copy = *a;
	lzma_allocator lz = {.alloc = xz_alloc, .free = xz_free, .opaque = &copy};
	lzma_stream s = LZMA_STREAM_INIT;

	*produced = 0;
	s.allocator = &lz;
	if (lzma_stream_decoder(&s, memory_limit, 0) != LZMA_OK)
		return BZIMAGE_MEMORY;
	s.next_in = payload;
	s.avail_in = size;
	s.next_out = out;
	s.avail_out = out_size;
	/* Input and output are all there: it ends, or it stops making progress, which a second call turns
	 * into LZMA_BUF_ERROR. */
	lzma_ret r;
	do
		r = lzma_code(&s, LZMA_FINISH);
	while (r == LZMA_OK);
	size_t left = s.avail_out;
	lzma_end(&s);
	switch (r) {
	case LZMA_STREAM_END:
		*produced = out_size - left;
		return BZIMAGE_OK;
	case LZMA_BUF_ERROR:
		return left == 0 ? BZIMAGE_OUTPUT_FULL : BZIMAGE_CORRUPT;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return BZIMAGE_MEMORY;
	default:
		return BZIMAGE_CORRUPT;
	}
}
