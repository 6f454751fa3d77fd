/* The window's entries: presence, reference counts that saturate, counts per table, ranges; clearing through slots. */
#include "arch/x86/arch.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/mm/window_boot.h"
#include "panic.h"
#include "percpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define RAM   (16ull << 20)
#define PAGES (RAM / PAGE_SIZE)

uint64_t window_host_base = 0xffff800000000000ull;
static struct percpu test_percpu;
struct percpu *percpu_host = &test_percpu;

static uint64_t entries[PAGES], tables[RAM >> 21];
static uint64_t slot, slot_big;
static uint8_t memory[RAM];
static uint64_t flush_at, flush_bytes;
static unsigned flushes, slot_flushes;

void panic(const char *format, ...)
{
	(void)format;
	mock_assert(0, format, __FILE__, __LINE__);
	abort();
}

uint64_t *tables_entry(uint64_t va, unsigned level)
{
	uint64_t p = va - window_host_base;

	if (va == LAYOUT_CPU_BASE + LAYOUT_CPU_SLOT && level == 1)
		return &slot;
	if (va == LAYOUT_CPU_BASE + LAYOUT_CPU_SLOT_2M && level == 2)
		return &slot_big;
	assert_true(p < RAM && (level == 1 || level == 2));
	return level == 1 ? &entries[p / PAGE_SIZE] : &tables[p >> 21];
}

void tables_invlpg(uint64_t va)
{
	(void)va;
	slot_flushes++;
}

/* `at` is in a slot: what the slot's entry says, is zeroed. */
void tables_zero(void *at, uint64_t bytes)
{
	uint64_t va = (uint64_t)(uintptr_t)at;
	bool big = va >= LAYOUT_CPU_BASE + LAYOUT_CPU_SLOT_2M;
	pte_t e = {{big ? slot_big : slot}};

	assert_true(pte_present(e) && pte_write(e) && pte_nx(e) && !pte_user(e) && pte_large(e) == big);
	assert_int_equal(big ? slot : slot_big, 0);
	va -= LAYOUT_CPU_BASE + (big ? LAYOUT_CPU_SLOT_2M : LAYOUT_CPU_SLOT);
	assert_true(va + bytes <= (big ? BIT(21) : PAGE_SIZE));
	memset(memory + pte_base(e) + va, 0, bytes);
}

void tlb_flush_kernel(uint64_t vaddr, uint64_t bytes)
{
	flush_at = vaddr - window_host_base;
	flush_bytes = bytes;
	flushes++;
}

static int setup(void **state)
{
	(void)state;
	window_boot_init(true, true);
	memset(entries, 0, sizeof(entries));
	memset(memory, 0xa5, sizeof(memory));
	for (unsigned i = 0; i < RAM >> 21; i++)
		tables[i] = pte_window_table_with_whole(pte_with_present((pte_t){{0}}, 1), i != 1).w[0];
	slot = slot_big = 0;
	flushes = slot_flushes = 0;
	return 0;
}

static uint64_t count(unsigned table)
{
	return pte_window_table_count((pte_t){{tables[table]}});
}

static void map_is_counted_and_repeatable(void **state)
{
	(void)state;
	window_map(paddr(0x1ff000), 0x2000);
	window_map(paddr(0x1ff000), 0x1000);
	assert_int_equal(count(0), 1);
	assert_int_equal(count(1), 1);
	for (unsigned i = 0; i < PAGES; i++) {
		pte_t e = {{entries[i]}};

		if (i == 0x1ff || i == 0x200) {
			assert_true(pte_present(e) && pte_nx(e) && pte_write(e) && pte_global(e) && !pte_user(e));
			assert_int_equal(pte_base(e), (uint64_t)i << 12);
		} else {
			assert_int_equal(entries[i], 0);
		}
	}
}

static void unmap_takes_whole_pages_only(void **state)
{
	(void)state;
	window_map(paddr(0x3000), 0x4000);
	window_unmap(paddr(0x3010), 0x3ff0 - 0x10);
	assert_true(entries[3] && !entries[4] && !entries[5] && entries[6]);
	assert_int_equal(count(0), 2);
	assert_int_equal(flushes, 1);
	assert_int_equal(flush_at, 0x4000);
	assert_int_equal(flush_bytes, 0x2000);
	window_unmap(paddr(0x3010), 0x800);
	assert_int_equal(flushes, 1);
}

static void unmap_of_a_sparse_range_flushes_from_first_table_to_last_page(void **state)
{
	(void)state;
	window_map(paddr(0x400000), 0x1000);
	window_map(paddr(0x801000), 0x1000);
	window_unmap(paddr(0), RAM);
	assert_int_equal(flush_at, 0x400000);
	assert_int_equal(flush_at + flush_bytes, 0x802000);
	for (unsigned i = 0; i < RAM >> 21; i++)
		assert_int_equal(count(i), 0);
	window_unmap(paddr(0), RAM);
	assert_int_equal(flushes, 1);
}

static void references_come_and_go(void **state)
{
	void *kv = window_ref(paddr(0x5000));

	(void)state;
	assert_ptr_equal(kv, window_kv(paddr(0x5000)));
	window_ref(paddr(0x5000));
	assert_int_equal(count(0), 1);
	window_unref(paddr(0x5000));
	assert_true(entries[5]);
	assert_int_equal(flushes, 0);
	window_unref(paddr(0x5000));
	assert_int_equal(entries[5], 0); /* nothing of the address stays */
	assert_int_equal(count(0), 0);
	assert_int_equal(flushes, 1);
}

static void references_saturate_until_unmap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 500; i++)
		window_ref(paddr(0x7000));
	for (unsigned i = 0; i < 500; i++)
		window_unref(paddr(0x7000));
	assert_true(pte_present((pte_t){{entries[7]}}));
	window_unmap(paddr(0x7000), 0x1000);
	assert_int_equal(entries[7], 0);
	window_ref(paddr(0x7000));
	window_unref(paddr(0x7000));
	assert_int_equal(entries[7], 0);
}

static void a_kernel_object_cannot_be_referenced(void **state)
{
	(void)state;
	window_map(paddr(0x8000), 0x1000);
	expect_assert_failure(window_ref(paddr(0x8000)));
	expect_assert_failure(window_unref(paddr(0x8000)));
	expect_assert_failure(window_unref(paddr(0x9000)));
}

static void clear_is_exact(void **state)
{
	static const struct {
		uint64_t start, bytes;
	} cases[] = {{0x10, 0x10}, {0xff0, 0x20}, {0x1000, 0x10000}, {0x1fe010, 0x5000}, {0x3ffff0, 0x10010},
	             {0x201000, 0x3000}, {0x5ff800, 0x1000}, {0, 0}};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
		uint64_t end = cases[k].start + cases[k].bytes;

		memset(memory, 0xa5, sizeof(memory));
		window_clear(paddr(cases[k].start), cases[k].bytes);
		for (uint64_t i = 0; i < RAM; i++)
			if (memory[i] != (i >= cases[k].start && i < end ? 0 : 0xa5))
				fail_msg("case %u: byte %lx", k, i);
		assert_int_equal(slot, 0);
		assert_int_equal(slot_big, 0);
	}
	assert_true(slot_flushes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(map_is_counted_and_repeatable, setup),
		cmocka_unit_test_setup(unmap_takes_whole_pages_only, setup),
		cmocka_unit_test_setup(unmap_of_a_sparse_range_flushes_from_first_table_to_last_page, setup),
		cmocka_unit_test_setup(references_come_and_go, setup),
		cmocka_unit_test_setup(references_saturate_until_unmap, setup),
		cmocka_unit_test_setup(a_kernel_object_cannot_be_referenced, setup),
		cmocka_unit_test_setup(clear_is_exact, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
