/*
 * Unpacks the XZ payload of a bzImage with liblzma (link liblzma.a): one thread, a memory limit, memory only
 * from the caller. Kept apart from bzimage.c so that only who unpacks links liblzma.
 */
#ifndef LIB_BZIMAGE_BZIMAGE_XZ_H
#define LIB_BZIMAGE_BZIMAGE_XZ_H

#include "bzimage/bzimage.h"

/* alloc returns size bytes, aligned as malloc's, or NULL; free is never called with NULL. All is freed before
 * unpack returns. */
struct bzimage_xz_allocator {
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *p);
	void *ctx;
};

/*
 * Unpacks the first XZ stream in payload[0..size) to out[0..out_size), *produced bytes. The
 * stream's check (CRC32, CRC64 or SHA-256) is verified; bytes after the stream are ignored. memory_limit is
 * in bytes, for the decoder itself (a dictionary of up to 128 MiB for recent kernels; Debian 12's need 33
 * MiB).
 */
enum bzimage_error bzimage_xz_unpack(const uint8_t *payload, size_t size, uint8_t *out, size_t out_size,
				     size_t *produced, uint64_t memory_limit,
				     const struct bzimage_xz_allocator *a);

#endif
