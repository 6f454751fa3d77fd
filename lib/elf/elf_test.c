/* Small ELF files made here, in both classes, read and damaged. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "elf/elf.h"
#include "mem/mem.h"

enum { SIZE = 0x400 };

static uint8_t file[SIZE];
static struct elf_image image;

static void header(bool is64, uint16_t phnum)
{
	memset(file, 0, sizeof(file));
	memcpy(file,
	       "\x7f"
	       "ELF",
	       4);
	file[4] = is64 ? 2 : 1;
	file[5] = 1;
	file[6] = 1;
	mem_put16(file + 16, 2);
	mem_put16(file + 18, is64 ? 62 : 3);
	mem_put32(file + 20, 1);
	if (is64) {
		mem_put64(file + 24, 0xffffffff81000000);
		mem_put64(file + 32, 64);
		mem_put16(file + 54, 56);
		mem_put16(file + 56, phnum);
	} else {
		mem_put32(file + 24, 0x100000);
		mem_put32(file + 28, 64);
		mem_put16(file + 42, 32);
		mem_put16(file + 44, phnum);
	}
}

struct ph {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static void put(bool is64, uint32_t i, struct ph p)
{
	if (is64) {
		uint8_t *h = file + 64 + i * 56;
		mem_put32(h, p.type);
		mem_put32(h + 4, p.flags);
		mem_put64(h + 8, p.offset);
		mem_put64(h + 16, p.vaddr);
		mem_put64(h + 24, p.paddr);
		mem_put64(h + 32, p.filesz);
		mem_put64(h + 40, p.memsz);
		mem_put64(h + 48, p.align);
	} else {
		uint8_t *h = file + 64 + i * 32;
		mem_put32(h, p.type);
		mem_put32(h + 4, (uint32_t)p.offset);
		mem_put32(h + 8, (uint32_t)p.vaddr);
		mem_put32(h + 12, (uint32_t)p.paddr);
		mem_put32(h + 16, (uint32_t)p.filesz);
		mem_put32(h + 20, (uint32_t)p.memsz);
		mem_put32(h + 24, p.flags);
		mem_put32(h + 28, (uint32_t)p.align);
	}
}

static const struct ph text = {ELF_PT_LOAD, 5, 0x200, 0x1000200, 0x200, 0x100, 0x180, 0x100};
static const struct ph data = {ELF_PT_LOAD, 6, 0x300, 0x2000300, 0x1000300, 0, 0x1000, 0};
static const struct ph notes = {ELF_PT_NOTE, 4, 0x340, 0, 0, 0x40, 0x40, 4};

static size_t note(size_t at, const char *owner, uint32_t type, const void *desc, uint32_t n)
{
	uint32_t name = (uint32_t)strlen(owner) + 1;

	mem_put32(file + at, name);
	mem_put32(file + at + 4, n);
	mem_put32(file + at + 8, type);
	memcpy(file + at + 12, owner, name);
	at += 12 + ((name + 3) & ~3u);
	memcpy(file + at, desc, n);
	return at + ((n + 3) & ~3u);
}

static void make(bool is64)
{
	const uint8_t entry[8] = {0x78, 0x56, 0x34, 0x12};

	header(is64, 3);
	put(is64, 0, text);
	put(is64, 1, data);
	put(is64, 2, notes);
	size_t at = note(0x340, "GNU", 3, "abcdef", 6);
	note(at, "Xen", ELF_XEN_PHYS32_ENTRY, entry, is64 ? 8 : 4);
}

static void test_good(void **state)
{
	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		uint32_t i = 0, entry;
		make(is64);
		assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
		assert_int_equal(image.is64, is64);
		assert_int_equal(image.entry, is64 ? 0xffffffff81000000 : 0x100000);
		assert_int_equal(image.paddr_start, 0x200);
		assert_int_equal(image.paddr_end, 0x1001300);
		assert_int_equal(image.vaddr_start, 0x1000200);
		assert_int_equal(image.vaddr_end, 0x2001300);
		const struct elf_segment *s = elf_next_load(&image, &i);
		assert_ptr_equal(s->file, file + 0x200);
		assert_true(s->filesz == 0x100 && s->memsz == 0x180 && s->flags == (ELF_READ | ELF_EXECUTE));
		s = elf_next_load(&image, &i);
		assert_true(s->filesz == 0 && s->align == 1);
		assert_null(elf_next_load(&image, &i));
		assert_int_equal(elf_xen_entry(&image, &entry), ELF_OK);
		assert_int_equal(entry, 0x12345678);
	}
}

static void test_notes(void **state)
{
	uint32_t entry;

	(void)state;
	make(true);
	mem_put32(file + 0x340 + 24 + 8, 19);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
	assert_int_equal(elf_xen_entry(&image, &entry), ELF_NO_NOTE);
	make(true);
	file[0x340 + 24 + 16 + 4] = 1; /* an entry above 4 GiB */
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
	assert_int_equal(elf_xen_entry(&image, &entry), ELF_BAD_NOTE);
	make(true);
	mem_put32(file + 0x344, 0xfffffff0);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
	assert_int_equal(elf_xen_entry(&image, &entry), ELF_BAD_NOTE);
	make(true);
	mem_put32(file + 0x340, 0xffffffff);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
	assert_int_equal(elf_xen_entry(&image, &entry), ELF_BAD_NOTE);
	make(true);
	mem_put32(file + 0x344 + 24, 6); /* neither 4 nor 8 bytes */
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_OK);
	assert_int_equal(elf_xen_entry(&image, &entry), ELF_BAD_NOTE);
}

static void damaged(bool is64, struct ph p, enum elf_error want)
{
	make(is64);
	put(is64, 0, p);
	assert_int_equal(elf_open(file, sizeof(file), &image), want);
}

static void test_segments(void **state)
{
	struct ph p = text;

	(void)state;
	p.filesz = 0x201;
	p.memsz = 0x300;
	damaged(true, p, ELF_TRUNCATED);
	damaged(false, p, ELF_TRUNCATED);
	p.filesz = 0x200;
	damaged(true, p, ELF_OK);
	p.offset = UINT64_MAX - 0xff;
	p.filesz = 0x200;
	damaged(true, p, ELF_TRUNCATED);
	p = text;
	p.memsz = 0xff;
	damaged(true, p, ELF_BAD_SEGMENT);
	p = text;
	p.vaddr = 0xfffffffffffffe00;
	p.memsz = 0x201;
	damaged(true, p, ELF_BAD_SEGMENT);
	p = text;
	p.paddr = 0xffffff00;
	damaged(false, p, ELF_BAD_SEGMENT);
	damaged(true, p, ELF_OK);
	p = text;
	p.align = 3;
	damaged(true, p, ELF_BAD_SEGMENT);
	p.align = 0x1000;
	damaged(true, p, ELF_OK);
	p.vaddr++;
	damaged(true, p, ELF_BAD_SEGMENT);
}

static void test_headers(void **state)
{
	(void)state;
	for (int is64 = 0; is64 < 2; is64++) {
		make(is64);
		for (size_t n = 0; n < 16; n++)
			assert_int_equal(elf_open(file, n, &image), ELF_NOT_ELF);
		assert_int_equal(elf_open(file, 40, &image), ELF_TRUNCATED);
		assert_int_equal(elf_open(file, 64, &image), ELF_TRUNCATED);
	}
	make(true);
	file[4] = 1;
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_BAD_MACHINE);
	make(true);
	mem_put16(file + 18, 183);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_BAD_MACHINE);
	make(true);
	mem_put16(file + 16, 1);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_BAD_TYPE);
	make(true);
	mem_put64(file + 32, UINT64_MAX);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_TRUNCATED);
	make(true);
	mem_put16(file + 56, 33);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_BAD_HEADER);
	make(true);
	mem_put16(file + 54, 64);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_BAD_HEADER);
	header(true, 0);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_NO_LOAD);
	header(true, 1);
	put(true, 0, notes);
	assert_int_equal(elf_open(file, sizeof(file), &image), ELF_NO_LOAD);
	for (int e = ELF_OK; e <= ELF_BAD_NOTE; e++)
		assert_true(strlen(elf_error_line((enum elf_error)e)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_notes),
	    cmocka_unit_test(test_segments),
	    cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
