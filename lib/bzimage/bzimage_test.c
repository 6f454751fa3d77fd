/* A made-up bzImage around payloads of every format. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "bzimage/bzimage.h"
#include "mem/mem.h"

enum { SIZE = 0xa00 + 64 };

static uint8_t file[SIZE];

static void make(const char *magic, size_t n)
{
	memset(file, 0, sizeof(file));
	mem_put16(file + 0x1fe, 0xaa55);
	memcpy(file + 0x202, "HdrS", 4);
	mem_put16(file + 0x206, 0x20f);
	mem_put32(file + 0x248, 16);
	mem_put32(file + 0x24c, 48);
	memcpy(file + 0xa00 + 16, magic, n); /* 4 setup sectors, since the field is 0 */
	mem_put32(file + SIZE - 4, 0x123456);
}

static void test_formats(void **state)
{
	static const struct {
		const char *magic;
		size_t n;
		enum bzimage_format format;
		enum bzimage_error supported;
	} cases[] = {
	    {"\xfd"
	     "7zXZ\0",
	     6, BZIMAGE_FORMAT_XZ, BZIMAGE_OK},
	    {"\x1f\x8b", 2, BZIMAGE_FORMAT_GZIP, BZIMAGE_GZIP},
	    {"BZh", 3, BZIMAGE_FORMAT_BZIP2, BZIMAGE_BZIP2},
	    {"\x5d\0\0", 3, BZIMAGE_FORMAT_LZMA, BZIMAGE_LZMA},
	    {"\x89LZO", 4, BZIMAGE_FORMAT_LZO, BZIMAGE_LZO},
	    {"\x02\x21\x4c\x18", 4, BZIMAGE_FORMAT_LZ4, BZIMAGE_OK},
	    {"\x28\xb5\x2f\xfd", 4, BZIMAGE_FORMAT_ZSTD, BZIMAGE_ZSTD},
	    {"\x7f"
	     "ELF",
	     4, BZIMAGE_FORMAT_ELF, BZIMAGE_OK},
	    {"????", 4, BZIMAGE_FORMAT_UNKNOWN, BZIMAGE_UNKNOWN_FORMAT},
	};
	struct bzimage z;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i].magic, cases[i].n);
		assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_OK);
		assert_int_equal(z.format, cases[i].format);
		assert_int_equal(bzimage_supported(z.format), cases[i].supported);
		assert_ptr_equal(z.payload, file + 0xa10);
		assert_int_equal(z.version, 0x20f);
		bool whole = z.format == BZIMAGE_FORMAT_ELF || z.format == BZIMAGE_FORMAT_GZIP;
		assert_int_equal(z.payload_size, whole ? 48 : 44);
		assert_int_equal(z.unpacked_size, z.format == BZIMAGE_FORMAT_ELF ? 0 : 0x123456);
	}
	for (int e = BZIMAGE_OK; e <= BZIMAGE_MEMORY; e++)
		assert_true(strlen(bzimage_error_line((enum bzimage_error)e)) > 0);
}

static void test_bad(void **state)
{
	struct bzimage z;

	(void)state;
	make("\x1f\x8b", 2);
	assert_int_equal(bzimage_open(file, 0x207, &z), BZIMAGE_NOT_LINUX);
	assert_int_equal(bzimage_open(file, 0x208, &z), BZIMAGE_TRUNCATED);
	assert_int_equal(bzimage_open(file, SIZE - 1, &z), BZIMAGE_TRUNCATED);
	mem_put32(file + 0x248, 0xffffffff);
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_TRUNCATED);
	make("\x1f\x8b", 2);
	mem_put32(file + 0x24c, 0xffffffff);
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_TRUNCATED);
	make("\x1f\x8b", 2);
	file[0x1f1] = 255;
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_TRUNCATED);
	make("\x1f\x8b", 2);
	mem_put16(file + 0x206, 0x207);
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_OLD);
	make("\x1f\x8b", 2);
	file[0x202] = 'h';
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_NOT_LINUX);
	make("\x1f\x8b", 2);
	mem_put32(file + 0x24c, 0);
	assert_int_equal(bzimage_open(file, SIZE, &z), BZIMAGE_OK);
	assert_int_equal(z.format, BZIMAGE_FORMAT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_formats),
	    cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
