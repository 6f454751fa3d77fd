/* A small archive made here, read, searched and damaged. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "cpio/cpio.h"

static size_t put(char *at, const char *name, const char *data)
{
	size_t n = strlen(data), name_size = strlen(name) + 1;
	int used = sprintf(at, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", 1, 0100644,
			   0, 0, 1, 0, n, 0, 0, 0, 0, name_size, 0, name);
	size_t end = (size_t)used + 1;

	while (end % 4 != 0)
		at[end++] = 0;
	memcpy(at + end, data, n);
	end += n;
	while (end % 4 != 0)
		at[end++] = 0;
	return end;
}

static char archive[1024];
static size_t archive_size;

static void make(void)
{
	archive_size = put(archive, "root", "first file");
	archive_size += put(archive + archive_size, "./vmm", "");
	archive_size += put(archive + archive_size, "console", "third");
	archive_size += put(archive + archive_size, "TRAILER!!!", "");
	archive_size += put(archive + archive_size, "after", "the end");
}

static const uint8_t *bytes(void)
{
	return (const uint8_t *)archive;
}

static void test_read(void **state)
{
	struct cpio_entry e;
	size_t offset = 0;

	(void)state;
	make();
	assert_int_equal(cpio_next(bytes(), archive_size, &offset, &e), CPIO_OK);
	assert_string_equal(e.name, "root");
	assert_int_equal(e.name_length, 4);
	assert_int_equal(e.size, 10);
	assert_int_equal(e.mode, 0100644);
	assert_memory_equal(e.data, "first file", 10);
	assert_int_equal(cpio_next(bytes(), archive_size, &offset, &e), CPIO_OK);
	assert_int_equal(cpio_next(bytes(), archive_size, &offset, &e), CPIO_OK);
	assert_int_equal(cpio_next(bytes(), archive_size, &offset, &e), CPIO_END);
	assert_int_equal(cpio_next(bytes(), archive_size, &offset, &e), CPIO_END);
	assert_int_equal(cpio_find(bytes(), archive_size, "vmm", &e), CPIO_OK);
	assert_int_equal(e.size, 0);
	assert_int_equal(cpio_find(bytes(), archive_size, "console", &e), CPIO_OK);
	assert_int_equal(cpio_find(bytes(), archive_size, "after", &e), CPIO_END);
	assert_int_equal(cpio_find(bytes(), archive_size, "roo", &e), CPIO_END);
}

static void test_bad(void **state)
{
	struct cpio_entry e;

	(void)state;
	make();
	/* every truncation is the end (at an entry's border) or an error */
	for (size_t n = 0; n < 200; n++) {
		uint8_t copy[200];
		size_t offset = 0;
		enum cpio_result r;
		memcpy(copy, archive, n);
		do
			r = cpio_next(copy, n, &offset, &e);
		while (r == CPIO_OK);
	}
	assert_int_equal(cpio_find(bytes(), 0, "root", &e), CPIO_BAD);
	archive[5] = '7';
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
	make();
	memcpy(archive + 54, "ffffffff", 8);
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
	make();
	memcpy(archive + 94, "ffffffff", 8);
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
	make();
	memcpy(archive + 94, "00000000", 8);
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
	make();
	archive[112] = 0; /* a NUL inside the name */
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
	make();
	archive[60] = 'g';
	assert_int_equal(cpio_find(bytes(), archive_size, "root", &e), CPIO_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
