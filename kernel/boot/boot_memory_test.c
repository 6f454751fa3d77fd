// links: lib/ranges/ranges.c
/* The memory plan on ordinary, contradictory and odd maps; and that every byte is accounted for. */
#include "boot/boot_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct boot_memory m;
static struct boot_info info;

static void region(uint64_t base, uint64_t length, enum boot_info_type type)
{
	info.regions[info.region_count++] = (struct boot_info_region){base, length, type};
}

static void module(uint64_t start, uint64_t end)
{
	info.modules[info.module_count].start = start;
	info.modules[info.module_count++].end = end;
}

static int setup(void **state)
{
	(void)state;
	memset(&info, 0, sizeof(info));
	memset(&m, 0, sizeof(m));
	return 0;
}

static void pc(void)
{
	region(0, 0x9fc00, BOOT_INFO_RAM);
	region(0x9fc00, 0x400, BOOT_INFO_RESERVED);
	region(0xf0000, 0x10000, BOOT_INFO_RESERVED);
	region(0x100000, 0x7fedf123, BOOT_INFO_RAM);
	region(0xfeffc000, 0x4000, BOOT_INFO_RESERVED);
	region(0x100000000, 0x80000000, BOOT_INFO_RAM);
}

static void ram_begins_at_one_mib_in_whole_pages(void **state)
{
	(void)state;
	pc();
	assert_true(boot_memory_init(&m, &info));
	assert_int_equal(m.ram.count, 2);
	assert_int_equal(m.ram.items[0].start, 0x100000);
	assert_int_equal(m.ram.items[0].end, 0x7ffdf000);
	assert_int_equal(boot_memory_total(&m), 0x7ffdf000 - 0x100000 + 0x80000000ull);
	assert_int_equal(boot_memory_kept(&m), 0);
}

static void what_is_also_reserved_is_not_ram(void **state)
{
	(void)state;
	region(0x100000, 0x1000000, BOOT_INFO_RAM);
	region(0x200800, 0x10, BOOT_INFO_NVS);
	region(0x180000, 0x2000, BOOT_INFO_RAM); /* again */
	region(0, BIT(46) + 0x200000, BOOT_INFO_RAM);
	assert_true(boot_memory_init(&m, &info));
	assert_int_equal(m.ram.count, 2);
	assert_int_equal(m.ram.items[0].end, 0x200000);
	assert_int_equal(m.ram.items[1].start, 0x201000);
	assert_int_equal(m.ram.items[1].end, BIT(46));
}

static void more_than_16_regions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++)
		region(0x100000 + i * 0x10000ull, 0x8000, BOOT_INFO_RAM);
	assert_true(boot_memory_init(&m, &info));
	assert_int_equal(m.ram.count, 60);
}

static void a_module_below_one_mib_is_ram(void **state)
{
	(void)state;
	pc();
	info.module_count = 2;
	info.modules[0] = (struct boot_info_module){0x4000, 0x5010, "a"};
	info.modules[1] = (struct boot_info_module){0x9f000, 0x9fc00, "b"};
	assert_true(boot_memory_init(&m, &info));
	assert_true(ranges_contain(&m.ram, 0x4000, 0x6000));
	assert_true(ranges_contain(&m.ram, 0x9f000, 0xa0000));
	assert_false(ranges_overlap(&m.ram, 0x6000, 0x9f000));
	/* and not RAM when the map says so */
	setup(NULL);
	pc();
	info.module_count = 1;
	info.modules[0] = (struct boot_info_module){0xf0000, 0xf1000, "c"};
	assert_true(boot_memory_init(&m, &info));
	assert_false(ranges_overlap(&m.ram, 0, 0x100000));
}

static void allocation_is_aligned_bounded_and_accounted(void **state)
{
	paddr_t p, q;

	(void)state;
	pc();
	assert_true(boot_memory_init(&m, &info));
	assert_true(boot_memory_reserve(&m, 0x100000, 0x150001));
	assert_false(ranges_overlap(&m.free, 0x100000, 0x151000));
	assert_int_equal(boot_memory_kept(&m), 0x51000);
	assert_true(boot_memory_alloc(&m, 0x1000, 0x1000, BOOT_MEMORY_ANYWHERE, &p));
	assert_int_equal(p.v, 0x17ffff000);
	assert_true(boot_memory_alloc(&m, 0x40000, 0x40000, BOOT_MEMORY_ANYWHERE, &q));
	assert_int_equal(q.v, 0x17ff80000);
	assert_true(boot_memory_alloc(&m, 0x1000, 0x1000, BOOT_MEMORY_4G, &p));
	assert_int_equal(p.v, 0x7ffde000);
	assert_int_equal(boot_memory_kept(&m), 0x51000 + 0x42000);
	m.granted += 0x1000;
	assert_int_equal(boot_memory_kept(&m), 0x51000 + 0x41000);
	assert_true(boot_memory_release(&m, q.v, q.v + 0x40000));
	assert_int_equal(boot_memory_kept(&m), 0x51000 + 0x1000);
	assert_false(boot_memory_alloc(&m, BIT(40), 0x1000, BOOT_MEMORY_ANYWHERE, &p));
}

static void devices_are_all_that_is_not_ram(void **state)
{
	uint64_t blocks = 0;

	(void)state;
	pc();
	assert_true(boot_memory_init(&m, &info));
	assert_true(boot_memory_devices(&m, 40));
	assert_true(boot_memory_hide(&m, 0xfee00000, 0xfee01000));
	assert_int_equal(ranges_total(&m.device) + boot_memory_total(&m) + 0x1000, BIT(40));
	assert_true(ranges_contain(&m.device, 0, 0x100000));
	assert_true(ranges_contain(&m.device, 0x180000000, BIT(40)));
	assert_false(ranges_overlap(&m.device, 0xfee00000, 0xfee01000));
	for (uint32_t i = 0; i < m.device.count; i++)
		assert_false(ranges_overlap(&m.ram, m.device.items[i].start, m.device.items[i].end));
	blocks = boot_memory_blocks(&m.device);
	assert_true(blocks > m.device.count && blocks < 200);
	assert_true(boot_memory_devices(&m, 52));
	assert_int_equal(m.device.items[m.device.count - 1].end, BIT(47));
}

static void too_many_regions_are_refused(void **state)
{
	struct boot_memory *few = &m;

	(void)state;
	for (unsigned i = 0; i < BOOT_INFO_REGIONS; i++)
		region(0x100000 + i * 0x10000ull, 0x8000, BOOT_INFO_RAM);
	assert_true(boot_memory_init(few, &info));
	few->free.capacity = few->free.count;
	assert_false(boot_memory_reserve(few, 0x101000, 0x102000));
}

static void the_trampoline_is_lent_where_nothing_lies(void **state)
{
	paddr_t p;

	(void)state;
	/* A PC: to the EBDA, whose page is not whole. A module in the way, another further down. */
	region(0, 0x9fc00, BOOT_INFO_RAM);
	region(0x9fc00, 0x400, BOOT_INFO_RESERVED);
	region(0x100000, BIT(30), BOOT_INFO_RAM);
	assert_true(boot_memory_trampoline(&info, &p));
	assert_int_equal(p.v, 0x9e000);
	module(0x9d800, 0x9e001);
	module(0x4000, 0x8000);
	assert_true(boot_memory_trampoline(&info, &p));
	assert_int_equal(p.v, 0x9c000);
	/* A map that contradicts itself: not RAM. */
	region(0x9c800, 8, BOOT_INFO_RESERVED);
	assert_true(boot_memory_trampoline(&info, &p));
	assert_int_equal(p.v, 0x9b000);
	/* All of it is the module's, but the first page. */
	info.modules[0].start = 0x1000;
	assert_false(boot_memory_trampoline(&info, &p));
}

static void nothing_to_lend(void **state)
{
	paddr_t p;

	(void)state;
	assert_false(boot_memory_trampoline(&info, &p));
	region(0x100000, BIT(30), BOOT_INFO_RAM);
	region(0, 0x1000, BOOT_INFO_RAM);
	region(0xa0000, 0x60000, BOOT_INFO_RAM);
	assert_false(boot_memory_trampoline(&info, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ram_begins_at_one_mib_in_whole_pages, setup),
		cmocka_unit_test_setup(what_is_also_reserved_is_not_ram, setup),
		cmocka_unit_test_setup(more_than_16_regions, setup),
		cmocka_unit_test_setup(a_module_below_one_mib_is_ram, setup),
		cmocka_unit_test_setup(allocation_is_aligned_bounded_and_accounted, setup),
		cmocka_unit_test_setup(devices_are_all_that_is_not_ram, setup),
		cmocka_unit_test_setup(too_many_regions_are_refused, setup),
		cmocka_unit_test_setup(the_trampoline_is_lent_where_nothing_lies, setup),
		cmocka_unit_test_setup(nothing_to_lend, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
