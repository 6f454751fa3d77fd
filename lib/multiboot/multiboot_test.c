/* Boot information built byte by byte in a small memory, read back and damaged. */
// links: lib/multiboot/multiboot1.c lib/multiboot/multiboot2.c lib/multiboot/boot_info_build.c
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "multiboot/multiboot.h"

enum { BASE = 0x9000, SIZE = 0x4000 };

static struct boot_info info;
static char pool[256];

static bool read_memory(void *ctx, uint64_t paddr, void *dst, size_t n)
{
	const uint8_t *m = ctx;

	assert_true(n > 0);
	if (paddr < BASE || paddr - BASE > SIZE || n > SIZE - (paddr - BASE))
		return false;
	memcpy(dst, m + (paddr - BASE), n);
	return true;
}

static enum multiboot_error decode(uint8_t *m, uint32_t magic, uint64_t at)
{
	struct mem_reader r = {read_memory, m};
	enum multiboot_error e = multiboot_decode(magic, at, &r, pool, sizeof(pool), &info);

	assert_non_null(multiboot_error_line(e));
	return e;
}

static uint8_t memory[SIZE];

static uint8_t *at(uint32_t paddr)
{
	return memory + (paddr - BASE);
}

/* ---- multiboot 1 ---- */

static void make1(void)
{
	memset(memory, 0, sizeof(memory));
	uint8_t *i = at(0x9000);
	mem_put32(i, 1 | 4 | 8 | 64 | 512 | 4096);
	mem_put32(i + 8, 1000);
	mem_put32(i + 16, 0x9800);
	memcpy(at(0x9800), "insula com1=115200", 19);
	mem_put32(i + 20, 2);
	mem_put32(i + 24, 0x9900);
	mem_put32(at(0x9900), 0x100000);
	mem_put32(at(0x9904), 0x200000);
	mem_put32(at(0x9908), 0x9a00);
	memcpy(at(0x9a00), "vmlinux console=hvc0", 21);
	mem_put32(at(0x9910), 0x200000);
	mem_put32(at(0x9914), 0x200000);
	mem_put32(i + 44, 24 * 3 + 4);
	mem_put32(i + 48, 0x9b00);
	for (uint32_t k = 0; k < 3; k++) {
		uint8_t *e = at(0x9b00 + k * 24);
		mem_put32(e, k == 2 ? 24 : 20);
		mem_put64(e + 4, k == 0 ? 0 : k == 1 ? 0x9fc00 : 0x100000000);
		mem_put64(e + 12, k == 0 ? 0x9fc00 : k == 1 ? 0x400 : 0x40000000);
		mem_put32(e + 20, k == 1 ? 7 : 1);
	}
	mem_put32(i + 64, 0x9c00);
	memcpy(at(0x9c00), "qemu", 5);
	mem_put64(i + 88, 0xfd000000);
	mem_put32(i + 96, 4096);
	mem_put32(i + 100, 1024);
	mem_put32(i + 104, 768);
	i[108] = 32;
	i[109] = 1;
	memcpy(i + 110, (uint8_t[]){16, 8, 8, 8, 0, 8}, 6);
}

static void test_mb1(void **state)
{
	(void)state;
	make1();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_OK);
	assert_int_equal(info.protocol, 1);
	assert_string_equal(info.cmdline, "insula com1=115200");
	assert_string_equal(info.loader, "qemu");
	assert_int_equal(info.module_count, 2);
	assert_string_equal(info.modules[0].string, "vmlinux console=hvc0");
	assert_int_equal(info.modules[0].start, 0x100000);
	assert_int_equal(info.modules[0].end, 0x200000);
	assert_string_equal(info.modules[1].string, "");
	assert_int_equal(info.region_count, 3);
	assert_int_equal(info.regions[1].type, BOOT_INFO_RESERVED);
	assert_int_equal(info.regions[2].base, 0x100000000);
	assert_int_equal(info.fb.type, BOOT_INFO_FB_RGB);
	assert_int_equal(info.fb.red_pos, 16);
	assert_int_equal(info.fb.pitch, 4096);
	assert_false(info.map_guessed);

	mem_put32(at(0x9000), 1);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_OK);
	assert_true(info.map_guessed);
	assert_int_equal(info.regions[0].base, 0x100000);
	assert_int_equal(info.regions[0].length, 1000 * 1024);
	assert_int_equal(info.fb.type, BOOT_INFO_FB_NONE);
	mem_put32(at(0x9000), 0);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_NO_MAP);
}

static void test_mb1_bad(void **state)
{
	(void)state;
	make1();
	assert_int_equal(decode(memory, 0, 0x9000), MULTIBOOT_BAD_MAGIC);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0), MULTIBOOT_BAD_ADDRESS);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9001), MULTIBOOT_BAD_ADDRESS);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x100), MULTIBOOT_UNREADABLE);
	mem_put32(at(0x9014), 65);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_MANY_MODULES);
	make1();
	mem_put32(at(0x9904), 0xfffff);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_BAD_MODULE);
	make1();
	memset(at(0x9a00), 'x', 300);
	mem_put32(at(0x9014), 1);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_LONG_STRINGS);
	make1();
	mem_put32(at(0x9b00), 19);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_BAD_SIZE);
	make1();
	mem_put32(at(0x9b00), 0xfffffffc);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_BAD_SIZE);
	make1();
	mem_put64(at(0x9b00 + 4), UINT64_MAX - 5);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_BAD_REGION);
	make1();
	mem_put32(at(0x902c), 0x80000000);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_BAD_SIZE);
	make1();
	mem_put32(at(0x9030), 0xfffffff0);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_UNREADABLE);
	/* a string that runs out of memory */
	make1();
	memset(memory + SIZE - 100, 'x', 100);
	mem_put32(at(0x9010), BASE + SIZE - 50);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_UNREADABLE);
	/* a string that ends with it does not */
	memory[SIZE - 1] = 0;
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_OK);
	assert_int_equal(strlen(info.cmdline), 49);
	/* a command line that is too long is cut */
	make1();
	memset(at(0xa000), 'x', 5000);
	mem_put32(at(0x9010), 0xa000);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_OK);
	assert_true(info.cmdline_cut);
	assert_int_equal(strlen(info.cmdline), 4095);
	/* a framebuffer that makes no sense is none */
	make1();
	mem_put32(at(0x9060), 4092);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC1, 0x9000), MULTIBOOT_OK);
	assert_int_equal(info.fb.type, BOOT_INFO_FB_NONE);
}

/* ---- multiboot 2 ---- */

static uint32_t end;

static uint8_t *tag(uint32_t type, uint32_t size)
{
	uint8_t *t = memory + end;

	mem_put32(t, type);
	mem_put32(t + 4, size);
	end += (size + 7) & ~7u;
	return t + 8;
}

static void finish(void)
{
	tag(0, 8);
	mem_put32(memory, end);
}

static void begin(void)
{
	memset(memory, 0, sizeof(memory));
	end = 8;
}

static void put_map(uint32_t entries, uint32_t step)
{
	uint8_t *m = tag(6, 16 + entries * step);
	mem_put32(m, step);
	for (uint32_t i = 0; i < entries; i++) {
		mem_put64(m + 8 + i * step, 0x10000ull * i);
		mem_put64(m + 8 + i * step + 8, 0x8000);
		mem_put32(m + 8 + i * step + 16, i % 6);
	}
}

static void test_mb2(void **state)
{
	(void)state;
	begin();
	memcpy(tag(1, 8 + 6), "smt=no", 6); /* no NUL: the tag's size ends it */
	memcpy(tag(2, 8 + 5), "GRUB", 5);
	uint8_t *m = tag(3, 16 + 17);
	mem_put32(m, 0x4000);
	mem_put32(m + 4, 0x5000);
	memcpy(m + 8, "placeholder root", 17);
	put_map(5, 32);
	m = tag(8, 38);
	mem_put64(m, 0xc0000000);
	mem_put32(m + 8, 2400);
	mem_put32(m + 12, 800);
	mem_put32(m + 16, 600);
	m[20] = 24;
	m[21] = 1;
	memcpy(m + 24, (uint8_t[]){16, 8, 8, 8, 0, 8}, 6);
	mem_put64(tag(12, 16), 0x7fedcba98);
	memset(tag(15, 8 + 36), 0x15, 36);
	memset(tag(14, 8 + 20), 0x14, 20);
	mem_put32(tag(21, 12), 0x1000000);
	tag(99, 8);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_OK);
	assert_int_equal(info.protocol, 2);
	assert_string_equal(info.cmdline, "smt=no");
	assert_string_equal(info.loader, "GRUB");
	assert_string_equal(info.modules[0].string, "placeholder root");
	assert_int_equal(info.modules[0].start, 0x4000);
	assert_int_equal(info.region_count, 5);
	assert_int_equal(info.regions[0].type, BOOT_INFO_RESERVED);
	assert_int_equal(info.regions[1].type, BOOT_INFO_RAM);
	assert_int_equal(info.fb.type, BOOT_INFO_FB_RGB);
	assert_int_equal(info.fb.bpp, 24);
	assert_int_equal(info.fb.blue_bits, 8);
	assert_int_equal(info.efi_system_table, 0x7fedcba98);
	assert_int_equal(info.rsdp_size, 36);
	assert_int_equal(info.rsdp[35], 0x15);
	assert_true(info.relocated);
	assert_int_equal(info.load_base, 0x1000000);
}

static void test_mb2_bad(void **state)
{
	(void)state;
	begin();
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_NO_MAP);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE + 4), MULTIBOOT_BAD_ADDRESS);
	mem_put32(memory, 8);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_SIZE);
	mem_put32(memory, 0x7fffffff);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_SIZE);

	begin();
	put_map(2, 24);
	mem_put32(memory, end); /* no end tag */
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_TAG);
	begin();
	tag(4, 12);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_TAG);
	begin();
	mem_put32(tag(6, 16 + 24), 16);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_TAG);
	begin();
	tag(1, 0xfffffff9);
	mem_put32(memory, 0x100);
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_TAG);
	begin();
	tag(1, 7);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_BAD_TAG);
	begin();
	put_map(129, 24);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_MANY_REGIONS);
	begin();
	for (int i = 0; i < 65; i++)
		tag(3, 16);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_MANY_MODULES);
	begin();
	mem_put32(tag(4, 16) + 4, 64 * 1024);
	finish();
	assert_int_equal(decode(memory, MULTIBOOT_MAGIC2, BASE), MULTIBOOT_OK);
	assert_true(info.map_guessed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mb1),
	    cmocka_unit_test(test_mb1_bad),
	    cmocka_unit_test(test_mb2),
	    cmocka_unit_test(test_mb2_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
