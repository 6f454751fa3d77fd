/* Blocks written by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bzimage/bzimage_lz4.h"
#include "mem/mem.h"

static uint8_t packed[256];
static uint8_t *out;
static size_t produced;

/* One frame with one block, unpacked into exactly out_size bytes of memory. */
static enum bzimage_error unpack(const void *block, uint32_t n, size_t out_size)
{
	uint8_t *in = malloc(8 + n);

	mem_put32(in, 0x184c2102);
	mem_put32(in + 4, n);
	memcpy(in + 8, block, n);
	free(out);
	out = malloc(out_size + 1);
	enum bzimage_error e = bzimage_lz4_unpack(in, 8 + n, out, out_size, &produced);
	free(in);
	return e;
}

static void test_blocks(void **state)
{
	(void)state;
	assert_int_equal(unpack("\x50hello", 6, 5), BZIMAGE_OK);
	assert_int_equal(produced, 5);
	assert_memory_equal(out, "hello", 5);
	/* "ab", 6 more from 2 back, then "xy" */
	const char *repeat = "\x22"
			     "ab\x02\x00\x20xy";
	assert_int_equal(unpack(repeat, 8, 10), BZIMAGE_OK);
	assert_memory_equal(out, "ababababxy", 10);
	assert_int_equal(unpack(repeat, 8, 100), BZIMAGE_OK);
	assert_int_equal(produced, 10);
	assert_memory_equal(out, "ababababxy", 10);
	for (size_t room = 0; room < 10; room++)
		assert_int_equal(unpack(repeat, 8, room), BZIMAGE_OUTPUT_FULL);
	for (uint32_t n = 0; n < 8; n++) /* the last sequence may end after any literal run that is whole */
		assert_int_equal(unpack(repeat, n, 100), n == 3 ? BZIMAGE_OK : BZIMAGE_CORRUPT);
	assert_int_equal(unpack("\x22"
				"ab\x03\x00\x20xy",
				8, 100),
			 BZIMAGE_CORRUPT);
	assert_int_equal(unpack("\x22"
				"ab\x00\x00\x20xy",
				8, 100),
			 BZIMAGE_CORRUPT);
}

static void test_long(void **state)
{
	uint8_t b[400], want[1200];
	uint32_t n = 0;

	(void)state;
	/* 15 + 255 + 30 = 300 literals, then a match of 4 + 15 + 255 + 255 + 0 = 529 from 10 back, then one
	 * literal */
	b[n++] = 0xff;
	b[n++] = 255;
	b[n++] = 30;
	for (uint32_t i = 0; i < 300; i++)
		b[n++] = want[i] = (uint8_t)(i * 7);
	b[n++] = 10;
	b[n++] = 0;
	b[n++] = 255;
	b[n++] = 255;
	b[n++] = 0;
	b[n++] = 0x10;
	b[n++] = 'z';
	for (uint32_t i = 300; i < 829; i++)
		want[i] = want[i - 10];
	want[829] = 'z';
	assert_int_equal(unpack(b, n, 830), BZIMAGE_OK);
	assert_int_equal(produced, 830);
	assert_memory_equal(out, want, 830);
	assert_int_equal(unpack(b, n, 2000), BZIMAGE_OK);
	assert_memory_equal(out, want, 830);
	assert_int_equal(unpack(b, n, 829), BZIMAGE_OUTPUT_FULL);
	memset(b, 255, sizeof(b));
	assert_int_equal(unpack(b, sizeof(b), 2000), BZIMAGE_CORRUPT);
}

static void test_frames(void **state)
{
	(void)state;
	free(out);
	out = malloc(64);
	memset(packed, 0, sizeof(packed));
	mem_put32(packed, 0x184c2102);
	assert_int_equal(bzimage_lz4_unpack(packed, 3, out, 64, &produced), BZIMAGE_CORRUPT);
	assert_int_equal(bzimage_lz4_unpack(packed, 4, out, 64, &produced), BZIMAGE_OK);
	mem_put32(packed + 4, 3);
	memcpy(packed + 8, "\x20hi", 3);
	mem_put32(packed + 11, 0x184c2102);
	mem_put32(packed + 15, 3);
	memcpy(packed + 19, "\x20ho", 3);
	assert_int_equal(bzimage_lz4_unpack(packed, 22, out, 64, &produced), BZIMAGE_OK);
	assert_int_equal(produced, 4);
	assert_memory_equal(out, "hiho", 4);
	assert_int_equal(bzimage_lz4_unpack(packed, 23, out, 64, &produced), BZIMAGE_CORRUPT);
	assert_int_equal(bzimage_lz4_unpack(packed, 21, out, 64, &produced), BZIMAGE_CORRUPT);
	assert_int_equal(bzimage_lz4_unpack(packed, 22, out, 3, &produced), BZIMAGE_OUTPUT_FULL);
	packed[0] = 0;
	assert_int_equal(bzimage_lz4_unpack(packed, 22, out, 64, &produced), BZIMAGE_CORRUPT);
	free(out);
	out = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
