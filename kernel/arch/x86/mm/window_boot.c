/*
 * The window's tables for all RAM: PDPTs, PDs and PTs, made once at boot. A table is cleared through a slot before an entry names
 * it, so that no CPU ever walks through what memory held before.
 */
#include "arch/x86/mm/window_boot.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"

/* Ranges are sorted: blocks of 2^bits that they touch, each counted once. */
static uint64_t window_boot_blocks(const struct ranges *ram, unsigned bits)
{
	uint64_t n = 0, counted_to = 0;

	for (uint32_t i = 0; i < ram->count; i++) {
		uint64_t first = ram->items[i].start >> bits, end = ((ram->items[i].end - 1) >> bits) + 1;

		if (first < counted_to)
			first = counted_to;
		if (end > first)
			n += end - first;
		if (end > counted_to)
			counted_to = end;
	}
	return n;
}

uint64_t window_boot_pages(const struct ranges *ram)
{
	return window_boot_blocks(ram, 21) + window_boot_blocks(ram, 30) + window_boot_blocks(ram, 39);
}

/* The entry of this level for va names a table afterwards. */
static paddr_t window_boot_table(uint64_t va, unsigned level, paddr_t pages)
{
	uint64_t *entry = tables_entry(va, level);
	pte_t e = {{0}};

	if (pte_present(tables_read(entry)))
		return pages;
	window_clear(pages, PAGE_SIZE);
	e = pte_with_accessed(pte_with_write(pte_with_present(e, 1), 1), 1);
	tables_write(entry, pte_with_base(e, pages.v));
	return paddr_add(pages, PAGE_SIZE);
}

paddr_t window_boot_tables(const struct ranges *ram, paddr_t pages)
{
	for (uint32_t i = 0; i < ram->count; i++) {
		uint64_t end = ram->items[i].end;

		for (uint64_t p = ALIGN_DOWN(ram->items[i].start, 21); p < end; p += BIT(21)) {
			uint64_t va = WINDOW_BASE + p;

			for (unsigned level = 4; level >= 2; level--)
				pages = window_boot_table(va, level, pages);
			if (ranges_contain(ram, p, p + BIT(21))) {
				uint64_t *entry = tables_entry(va, 2);

				tables_write(entry, pte_window_table_with_whole(tables_read(entry), 1));
			}
		}
	}
	return pages;
}
