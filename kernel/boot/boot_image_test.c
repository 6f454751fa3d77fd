// links: lib/elf/elf.c 
/* The root task's image: what is refused, where its areas lie, rights of pages, loading. */
#include "boot/boot_image.h"
#include "arch/x86/mm/window.h"
#include "mem/mem.h"
#include "sel4/constants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

uint64_t window_host_base;
static uint8_t file[16384], memory[32768];

void window_copy_to(paddr_t dst, const void *src, uint64_t bytes)
{
	assert_true(dst.v + bytes <= sizeof(memory));
	memcpy(memory + dst.v, src, bytes);
}

static void segment(unsigned n, uint32_t flags, uint64_t offset, uint64_t va, uint64_t filesz, uint64_t memsz)
{
	uint8_t *p = file + 64 + 56 * n;

	mem_put32(p, ELF_PT_LOAD);
	mem_put32(p + 4, flags);
	mem_put64(p + 8, offset);
	mem_put64(p + 16, va);
	mem_put64(p + 24, va);
	mem_put64(p + 32, filesz);
	mem_put64(p + 40, memsz);
	mem_put64(p + 48, 0x1000);
	mem_put16(file + 56, (uint16_t)(n + 1));
}

static void header(uint64_t entry)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	memset(file, 0, sizeof(file));
	memcpy(file, ident, sizeof(ident));
	mem_put16(file + 16, 2);
	mem_put16(file + 18, 62);
	mem_put32(file + 20, 1);
	mem_put64(file + 24, entry);
	mem_put64(file + 32, 64);
	mem_put16(file + 52, 64);
	mem_put16(file + 54, 56);
	for (unsigned i = 4096; i < sizeof(file); i++)
		file[i] = (uint8_t)i;
}

static void program(void)
{
	header(0x400010);
	segment(0, ELF_READ | ELF_EXECUTE, 0x1000, 0x400000, 0x1800, 0x1800);
	segment(1, ELF_READ, 0x2800, 0x401800, 0x100, 0x100);
	segment(2, ELF_READ | ELF_WRITE, 0x3000, 0x403000, 0x200, 0x1300);
}

static void layout_follows_the_image(void **state)
{
	struct boot_image i;

	(void)state;
	program();
	assert_null(boot_image_open(&i, file, sizeof(file), true, 5000));
	assert_int_equal(i.start, 0x400000);
	assert_int_equal(i.end, 0x405000);
	assert_int_equal(i.ipc_buffer, 0x405000);
	assert_int_equal(i.bootinfo, 0x406000);
	assert_int_equal(i.extra, 0x407000);
}

static void rights_are_the_segments_or_all(void **state)
{
	struct boot_image i;

	(void)state;
	program();
	assert_null(boot_image_open(&i, file, sizeof(file), true, 0));
	assert_true(boot_image_rights(&i, 0x401000).execute && !boot_image_rights(&i, 0x401000).write);
	assert_false(boot_image_rights(&i, 0x402000).execute || boot_image_rights(&i, 0x402000).write);
	assert_true(boot_image_rights(&i, 0x404000).write && !boot_image_rights(&i, 0x404000).execute);
	assert_null(boot_image_open(&i, file, sizeof(file), false, 0));
	for (uint64_t p = i.start; p < i.end; p += PAGE_SIZE)
		assert_true(boot_image_rights(&i, p).write && boot_image_rights(&i, p).execute);
}

static void segments_are_loaded(void **state)
{
	struct boot_image i;

	(void)state;
	program();
	assert_null(boot_image_open(&i, file, sizeof(file), true, 0));
	memset(memory, 0, sizeof(memory));
	boot_image_load(&i, paddr(0x1000));
	assert_memory_equal(memory + 0x1000, file + 0x1000, 0x1900);
	assert_int_equal(memory[0x1000 + 0x1900], 0);
	assert_memory_equal(memory + 0x4000, file + 0x3000, 0x200);
	assert_int_equal(memory[0x4000 + 0x200], 0);
}

static void bad_files_are_refused(void **state)
{
	struct boot_image i;

	(void)state;
	program();
	assert_non_null(boot_image_open(&i, file, 0, false, 0));
	assert_non_null(boot_image_open(&i, file, 0x2900, false, 0)); /* truncated */
	mem_put64(file + 24, 0x405000);                               /* entry behind the end */
	assert_non_null(boot_image_open(&i, file, sizeof(file), false, 0));
	header(0x400010);
	segment(0, ELF_READ, 0x1010, 0x400010, 16, 16); /* lowest address inside a page */
	assert_non_null(boot_image_open(&i, file, sizeof(file), false, 0));
	header(0x7ffffffec000);
	segment(0, ELF_READ, 0x1000, 0x7ffffffec000, 16, 16);
	assert_null(boot_image_open(&i, file, sizeof(file), false, 0x10000 - 0x1000));
	assert_non_null(boot_image_open(&i, file, sizeof(file), false, 0x12000));
	header(0xffffffff80100000);
	segment(0, ELF_READ, 0x1000, 0xffffffff80100000, 16, 16);
	assert_non_null(boot_image_open(&i, file, sizeof(file), false, 0));
}

static void tables_are_counted(void **state)
{
	(void)state;
	assert_int_equal(boot_image_tables(0x400000, 0x401000, 1), 1);
	assert_int_equal(boot_image_tables(0x3ff000, 0x401000, 1), 2);
	assert_int_equal(boot_image_tables(0x3ff000, 0x401000, 2), 1);
	assert_int_equal(boot_image_tables(0x3ffff000, 0x40001000, 2), 2);
	assert_int_equal(boot_image_tables(0x7ffffff000, 0x8000001000, 3), 2);
	assert_int_equal(boot_image_tables(0x7ffffff000, 0x8000000000, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_follows_the_image), cmocka_unit_test(rights_are_the_segments_or_all),
		cmocka_unit_test(segments_are_loaded),      cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(tables_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
