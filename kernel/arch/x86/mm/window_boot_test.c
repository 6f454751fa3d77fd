// links: lib/ranges/ranges.c
/* The window's tables: exactly as many pages as announced, one PT for each 2 MiB that has RAM, `whole` where all of it is. */
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/mm/window_boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

uint64_t window_host_base = 0xffff800000000000ull;

#define TABLES 4096
static uint64_t arena[TABLES][512]; /* physical page n is arena[n] */
static uint8_t cleared[TABLES];

uint64_t *tables_entry(uint64_t va, unsigned level)
{
	uint64_t *table = arena[0];

	for (unsigned l = 4; l > level; l--) {
		pte_t e = {{table[tables_index(va, l)]}};

		assert_true(pte_present(e));
		assert_true(cleared[pte_base(e) / PAGE_SIZE]);
		table = arena[pte_base(e) / PAGE_SIZE];
	}
	return &table[tables_index(va, level)];
}

void window_clear(paddr_t start, uint64_t bytes)
{
	assert_int_equal(bytes, PAGE_SIZE);
	assert_false(cleared[start.v / PAGE_SIZE]);
	cleared[start.v / PAGE_SIZE] = 1;
	memset(arena[start.v / PAGE_SIZE], 0, PAGE_SIZE);
}

static void check(const struct range *items, uint32_t n)
{
	struct range copy[16];
	struct ranges r;
	uint64_t pages;

	memset(arena, 0xa5, sizeof(arena));
	memset(arena[0], 0, PAGE_SIZE);
	memset(cleared, 0, sizeof(cleared));
	ranges_init(&r, copy, 16);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(ranges_add(&r, items[i].start, items[i].end), RANGES_OK);
	pages = window_boot_pages(&r);
	assert_int_equal(window_boot_tables(&r, paddr(PAGE_SIZE)).v, (pages + 1) * PAGE_SIZE);
	for (uint64_t i = 1; i <= pages; i++)
		assert_true(cleared[i]);
	for (uint32_t i = 0; i < n; i++)
		for (uint64_t p = items[i].start; p < items[i].end; p += PAGE_SIZE) {
			pte_t e;

			assert_int_equal(*tables_entry(WINDOW_BASE + p, 1), 0);
			e = tables_read(tables_entry(WINDOW_BASE + p, 2));
			assert_int_equal(pte_window_table_count(e), 0);
			assert_int_equal(pte_window_table_whole(e),
			                 ranges_contain(&r, ALIGN_DOWN(p, 21), ALIGN_DOWN(p, 21) + BIT(21)));
		}
}

static void ordinary_machine(void **state)
{
	const struct range r[] = {{0x4000, 0x6000}, {0x100000, 0x7ffdb000}, {0x100000000, 0x180000000}};

	(void)state;
	check(r, ARRAY_SIZE(r));
}

static void ranges_that_share_tables(void **state)
{
	const struct range r[] = {{0x1000, 0x2000}, {0x3000, 0x4000}, {0x200000, 0x3ff000}, {0x3fffffff000, 0x40000001000},
	                          {0x8000000000 - 0x1000, 0x8000000000 + 0x200000}};

	(void)state;
	check(r, ARRAY_SIZE(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_machine),
		cmocka_unit_test(ranges_that_share_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
