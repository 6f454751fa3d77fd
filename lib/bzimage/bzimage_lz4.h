/*
 * Unpacks the LZ4 payload of a bzImage: the legacy frame form (LZ4 Frame Format, "Legacy frame"; LZ4 Block
 * Format), as Debian's cloud kernels have it. Pure and without memory of its own.
 */
#ifndef LIB_BZIMAGE_BZIMAGE_LZ4_H
#define LIB_BZIMAGE_BZIMAGE_LZ4_H

#include "bzimage/bzimage.h"

/*
 * Unpacks all blocks in payload[0..size) to out[0..out_size), *produced bytes; what lies behind these in out
 * is unspecified. The form has no checksum: damage that leaves the structure whole is not seen.
 */
enum bzimage_error bzimage_lz4_unpack(const uint8_t *payload, size_t size, uint8_t *out, size_t out_size,
				      size_t *produced);

#endif
