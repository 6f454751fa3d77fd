/* A payload compressed with liblzma here, unpacked under limits. */
// cflags: -llzma
// links: lib/bzimage/bzimage.c
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <lzma.h>
#include "bzimage/bzimage_xz.h"

enum { PLAIN = 100000 };

static uint8_t plain[PLAIN], packed[PLAIN], out[PLAIN + 1];
static size_t packed_size;

struct count {
	size_t live;
	size_t left; /* allocations that may still succeed */
};

static void *count_alloc(void *ctx, size_t n)
{
	struct count *c = ctx;

	if (c->left == 0)
		return NULL;
	c->left--;
	c->live++;
	return malloc(n);
}

static void count_free(void *ctx, void *p)
{
	struct count *c = ctx;

	c->live--;
	free(p);
}

static int compress_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLAIN; i++)
		plain[i] = (uint8_t)(i * i >> 7);
	packed_size = 0;
	return lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, plain, PLAIN, packed, &packed_size,
				       sizeof(packed)) != LZMA_OK;
}

static enum bzimage_error unpack(size_t in_size, size_t out_size, uint64_t memory, size_t allocations,
				 size_t *n)
{
	struct count c = {0, allocations};
	struct bzimage_xz_allocator a = {count_alloc, count_free, &c};

	memset(out, 0xee, sizeof(out));
	enum bzimage_error e = bzimage_xz_unpack(packed, in_size, out, out_size, n, memory, &a);
	assert_int_equal(c.live, 0);
	assert_int_equal(out[out_size], 0xee);
	return e;
}

static void test_unpack(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(unpack(packed_size, PLAIN, 64 << 20, 100, &n), BZIMAGE_OK);
	assert_int_equal(n, PLAIN);
	assert_memory_equal(out, plain, PLAIN);
	/* what follows the stream does not matter */
	assert_int_equal(unpack(packed_size + 4, PLAIN, 64 << 20, 100, &n), BZIMAGE_OK);
	assert_int_equal(unpack(packed_size, PLAIN - 1, 64 << 20, 100, &n), BZIMAGE_OUTPUT_FULL);
	assert_int_equal(unpack(packed_size, PLAIN, 1 << 20, 100, &n), BZIMAGE_MEMORY);
	for (size_t allocations = 0; allocations < 3; allocations++)
		assert_int_equal(unpack(packed_size, PLAIN, 64 << 20, allocations, &n), BZIMAGE_MEMORY);
	for (size_t size = 0; size < packed_size; size += 97)
		assert_int_equal(unpack(size, PLAIN, 64 << 20, 100, &n), BZIMAGE_CORRUPT);
	packed[packed_size / 2] ^= 1;
	assert_int_equal(unpack(packed_size, PLAIN, 64 << 20, 100, &n), BZIMAGE_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unpack),
	};
	return cmocka_run_group_tests(tests, compress_plain, NULL);
}
