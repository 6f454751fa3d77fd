/* Any bytes as a kernel image: the payload lies inside, and what can be unpacked is, into little space. */
// links: lib/bzimage/bzimage.c lib/bzimage/bzimage_xz.c lib/bzimage/bzimage_lz4.c
// libs: -llzma
#include <stdlib.h>
#include "bzimage/bzimage_lz4.h"
#include "bzimage/bzimage_xz.h"

static void *give(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void take(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[1 << 16];
	struct bzimage_xz_allocator a = {give, take, NULL};
	struct bzimage z;
	size_t n;

	if (bzimage_open(data, size, &z) != BZIMAGE_OK)
		return 0;
	if (z.payload < data || z.payload + z.payload_size > data + size)
		abort();
	if (z.format == BZIMAGE_FORMAT_XZ) {
		(void)bzimage_xz_unpack(z.payload, z.payload_size, out, sizeof(out), &n, 16 << 20, &a);
		if (n > sizeof(out))
			abort();
	}
	if (z.format == BZIMAGE_FORMAT_LZ4) {
		(void)bzimage_lz4_unpack(z.payload, z.payload_size, out, sizeof(out), &n);
		if (n > sizeof(out))
			abort();
	}
	return 0;
}
