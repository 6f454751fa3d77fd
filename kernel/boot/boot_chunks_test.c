/* Extra bootinfo: layout of each chunk, order, alignment, the bound, and no byte beyond the buffer. */
#include "boot/boot_chunks.h"
#include "mem/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t buffer[65536];
static struct boot_info info;
static const uint8_t rsdp[36] = "RSD PTR ";

static int setup(void **state)
{
	(void)state;
	memset(buffer, 0xa5, sizeof(buffer));
	memset(&info, 0, sizeof(info));
	return 0;
}

/* The chunks' ids; checks that lengths add up. */
static unsigned walk(const struct boot_chunks *c, uint64_t *ids, uint64_t *at, unsigned max)
{
	uint64_t p = 0;
	unsigned n = 0;

	while (p < c->used) {
		assert_true(n < max);
		ids[n] = mem_get64(buffer + p);
		at[n++] = p;
		assert_true(mem_get64(buffer + p + 8) >= 16);
		p += mem_get64(buffer + p + 8);
	}
	assert_int_equal(p, c->used);
	assert_int_equal(buffer[c->used], 0xa5);
	return n;
}

static void sel4_chunks_are_as_specified(void **state)
{
	struct boot_chunks c;
	uint64_t ids[8], at[8];

	(void)state;
	info.fb = (struct boot_info_fb){.type = BOOT_INFO_FB_RGB, .paddr = 0xfd000000, .pitch = 4096, .width = 1024,
	                                .height = 768, .bpp = 32};
	info.region_count = 60;
	for (unsigned i = 0; i < 60; i++)
		info.regions[i] = (struct boot_info_region){i * 0x1000ull, 0x1000, BOOT_INFO_RAM};
	boot_chunks_init(&c, buffer, sizeof(buffer));
	boot_chunks_sel4(&c, &info, rsdp, 2400123456);
	assert_int_equal(walk(&c, ids, at, 8), 5);
	assert_int_equal(ids[0], 3);
	assert_memory_equal(buffer + 16, rsdp, 36);
	assert_int_equal(ids[1], 4);
	assert_int_equal(at[1], 52);
	assert_int_equal(mem_get64(buffer + 68), 0xfd000000);
	assert_int_equal(mem_get32(buffer + 68 + 16), 768);
	assert_int_equal(buffer[68 + 20], 32);
	assert_int_equal(buffer[68 + 21], 1);
	assert_int_equal(ids[2], 2);
	assert_int_equal(at[2], 52 + 38);
	assert_int_equal(mem_get32(buffer + 106), 50 * 24);
	assert_int_equal(mem_get32(buffer + 110 + 24), 20);
	assert_int_equal(mem_get64(buffer + 110 + 28), 0x1000);
	assert_int_equal(mem_get32(buffer + 110 + 44), 1);
	assert_int_equal(ids[3], 5);
	assert_int_equal(at[3], 90 + 16 + 4 + 50 * 24);
	assert_int_equal(mem_get32(buffer + at[3] + 16), 2400);
	assert_int_equal(ids[4], 0);
	assert_int_equal(c.used % 8, 0);
}

static void modules_and_untypeds(void **state)
{
	const struct insula_bi_module m = {0x1000000, 5000, 300, 302};
	const struct insula_bi_module *read;
	const struct insula_bi_untyped *u;
	struct boot_chunks c;
	uint64_t ids[8], at[8];

	(void)state;
	boot_chunks_init(&c, buffer, sizeof(buffer));
	boot_chunks_untyped_begin(&c, 700);
	boot_chunks_untyped_end(&c);
	assert_int_equal(c.used, 0);
	boot_chunks_module(&c, &m, "name=vmlinux console=hvc0");
	boot_chunks_untyped_begin(&c, 700);
	boot_chunks_untyped(&c, 0x2000, 13, false);
	boot_chunks_untyped(&c, 0x80000000, 31, true);
	boot_chunks_untyped_end(&c);
	assert_int_equal(walk(&c, ids, at, 8), 2);
	assert_int_equal(ids[0], INSULA_BOOTINFO_MODULE);
	read = (const void *)(buffer + 16);
	assert_int_equal(read->bytes, 5000);
	assert_int_equal(read->untyped_end, 302);
	assert_string_equal(read->string, "name=vmlinux console=hvc0");
	assert_int_equal(ids[1], INSULA_BOOTINFO_UNTYPED);
	u = (const void *)(buffer + at[1] + 16);
	assert_int_equal(u->first_slot, 700);
	assert_int_equal(u->count, 2);
	assert_int_equal(u->desc[0].size_bits, 13);
	assert_int_equal(u->desc[1].paddr, 0x80000000);
	assert_int_equal(u->desc[1].is_device, 1);
}

static void all(struct boot_chunks *c, unsigned untypeds)
{
	static struct insula_bi_machine machine;
	static const struct insula_bi_module m;

	boot_chunks_sel4(c, &info, rsdp, 1);
	boot_chunks_begin(c, INSULA_BOOTINFO_CMDLINE);
	boot_chunks_bytes(c, info.cmdline, strlen(info.cmdline) + 1);
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
	boot_chunks_begin(c, INSULA_BOOTINFO_MACHINE);
	boot_chunks_bytes(c, &machine, sizeof(machine));
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
	boot_chunks_module(c, &m, "name=x");
	for (uint32_t i = 0; i < info.module_count; i++)
		boot_chunks_module(c, &m, info.modules[i].string);
	boot_chunks_untyped_begin(c, 1);
	for (unsigned i = 0; i < untypeds; i++)
		boot_chunks_untyped(c, i, 12, false);
	boot_chunks_untyped_end(c);
}

static void the_bound_holds_and_is_near(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 64; n++) {
		struct boot_chunks c;
		uint64_t bound;

		info.fb.type = n & 1 ? BOOT_INFO_FB_TEXT : BOOT_INFO_FB_NONE;
		memset(info.cmdline, 'x', n * 37);
		info.module_count = n;
		for (unsigned i = 0; i < n; i++)
			info.modules[i].string = &"a string of some length"[i % 20];
		bound = boot_chunks_bound(&info, "name=x", n * 3);
		boot_chunks_init(&c, buffer, bound);
		all(&c, n * 3);
		assert_false(c.failed);
		assert_true(bound - c.used < 256 + n * 16);
		/* one byte less than needed fails, and writes nothing beyond */
		boot_chunks_init(&c, buffer, c.used - 1);
		memset(buffer + c.size, 0xa5, 64);
		all(&c, n * 3);
		assert_true(c.failed);
		for (unsigned i = 0; i < 64; i++)
			assert_int_equal(buffer[c.size + i], 0xa5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sel4_chunks_are_as_specified, setup),
		cmocka_unit_test_setup(modules_and_untypeds, setup),
		cmocka_unit_test_setup(the_bound_holds_and_is_near, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
