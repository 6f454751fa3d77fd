/*
 * The kernel's page tables, and devices in them. Owns PML4 slots 508, 510 and 511. Boot only: afterwards nothing here is called,
 * and what was made stays as it is.
 */
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/image.h"
#include "arch/x86/mm/kmap.h"
#include "arch/x86/mm/layout.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/mm/window.h"
#include "panic.h"

paddr_t kernel_tables_root;

static kernel_tables_page_fn kernel_tables_page;
static bool kernel_tables_loaded;
static uint64_t kernel_tables_device_next = LAYOUT_DEVICE_BASE;

static pte_t kernel_tables_entry(paddr_t p, bool write, bool execute, bool global)
{
	pte_t e = pte_with_present((pte_t){{0}}, 1);

	e = pte_with_dirty(pte_with_accessed(pte_with_write(e, write), 1), write);
	e = pte_with_global(e, global && !cpu.split);
	return pte_with_base(pte_with_nx(e, !execute && cpu.nx), p.v);
}

static pte_t kernel_tables_table(paddr_t p)
{
	return kernel_tables_entry(p, true, true, false);
}

/* ---- under the tables of start.S: physical memory below 4 GiB at its own address ---- */

static uint64_t *kernel_tables_low(paddr_t table)
{
	return (uint64_t *)(uintptr_t)table.v;
}

/* The entry of this level for va; missing tables above it are made. */
static uint64_t *kernel_tables_walk_low(uint64_t va, unsigned level)
{
	uint64_t *table = kernel_tables_low(kernel_tables_root);

	for (unsigned l = 4; l > level; l--) {
		uint64_t *entry = &table[tables_index(va, l)];

		if (!pte_present(tables_read(entry)))
			tables_write(entry, kernel_tables_table(kernel_tables_page()));
		table = kernel_tables_low(paddr(pte_base(tables_read(entry))));
	}
	return &table[tables_index(va, level)];
}

static void kernel_tables_image(uint64_t load_base, const char *start, const char *end, bool write, bool execute)
{
	for (const char *at = start; at < end; at += PAGE_SIZE) {
		uint64_t p = load_base + (uint64_t)(at - kernel_image_start);

		if (at == kernel_stack_guard)
			continue;
		tables_write(kernel_tables_walk_low((uint64_t)(uintptr_t)at, 1),
		             kernel_tables_entry(paddr(p), write, execute, true));
	}
}

void kernel_tables_build(uint64_t load_base, kernel_tables_page_fn page)
{
	uint64_t *root, *old = kernel_tables_low(paddr(cpu_read_cr3() & ~MASK(PAGE_BITS)));

	kernel_tables_page = page;
	kernel_tables_root = page();
	root = kernel_tables_low(kernel_tables_root);
	root[0] = old[0];
	/* As a page of the tables' own mapping it is data: not executable. */
	tables_write(&root[LAYOUT_TABLES_SLOT], kernel_tables_entry(kernel_tables_root, true, false, false));

	kernel_tables_image(load_base, kernel_text_start, kernel_text_end, false, true);
	kernel_tables_image(load_base, kernel_rodata_start, kernel_rodata_end, false, false);
	kernel_tables_image(load_base, kernel_data_start, kernel_data_end, true, false);
	kernel_tables_image(load_base, kernel_bss_start, kernel_bss_end, true, false);
}

/* ---- under the kernel's own ---- */

void kernel_tables_load(kernel_tables_page_fn page)
{
	kernel_tables_page = page;
	kernel_tables_loaded = true;
	cpu_write_cr3(kernel_tables_root.v);
	tlb_flush_all();
}

void kernel_tables_low_execute(bool execute)
{
	uint64_t *entry = tables_entry(0, 2);

	tables_write(entry, pte_with_nx(tables_read(entry), !execute));
	tlb_flush_all();
}

void kernel_tables_drop_low(void)
{
	tables_write(tables_entry(0, 4), (pte_t){{0}});
	tlb_flush_kernel(0, BIT(32));
}

static uint64_t *kernel_tables_walk(uint64_t va, unsigned level)
{
	for (unsigned l = 4; l > level; l--) {
		uint64_t *entry = tables_entry(va, l);

		if (!pte_present(tables_read(entry))) {
			paddr_t p = kernel_tables_page();

			window_clear(p, PAGE_SIZE);
			tables_write(entry, kernel_tables_table(p));
		}
	}
	return tables_entry(va, level);
}

static uint64_t *kernel_tables_entry_of(uint64_t va, unsigned level)
{
	return kernel_tables_loaded ? kernel_tables_walk(va, level) : kernel_tables_walk_low(va, level);
}

void kernel_tables_map(uint64_t va, paddr_t p)
{
	tables_write(kernel_tables_entry_of(va, 1), kernel_tables_entry(p, true, false, true));
}

void kernel_tables_prepare(uint64_t va)
{
	kernel_tables_entry_of(va, 1);
}

void kernel_tables_prepare_big(uint64_t va)
{
	kernel_tables_entry_of(va, 2);
}

/* PAT entries as cpu_init sets them: 3 UC, 4 WC (the order of seL4's page attributes). */
static pte_t kernel_tables_cached(pte_t e, unsigned cache, bool large)
{
	if (cache != KMAP_WC)
		return pte_with_pcd(pte_with_pwt(e, 1), 1);
	return large ? pte_big_with_pat(e, 1) : pte_small_with_pat(e, 1);
}

void *kmap_device(paddr_t p, uint64_t bytes, unsigned cache)
{
	uint64_t first = ALIGN_DOWN(p.v, PAGE_BITS), end = ALIGN_UP(p.v + bytes, PAGE_BITS), va;

	/* The same place in a 2 MiB page as physically: then large pages fit where they can. */
	va = ALIGN_UP(kernel_tables_device_next, 21) + (first & MASK(21));
	INVARIANT(bytes != 0 && end > first);
	if (end - first > LAYOUT_DEVICE_TOP - va)
		boot_stop("A device at 0x%lx is too large to be mapped (%lu bytes).", p.v, bytes);
	kernel_tables_device_next = va + (end - first) + PAGE_SIZE;

	for (uint64_t at = first; at < end;) {
		bool large = ALIGNED(at, 21) && end - at >= BIT(21);
		pte_t e = kernel_tables_entry(paddr(at), true, false, true);

		e = kernel_tables_cached(pte_with_large(e, large), cache, large);
		tables_write(kernel_tables_walk(va + (at - first), large ? 2 : 1), e);
		at += large ? BIT(21) : PAGE_SIZE;
	}
	return (void *)(uintptr_t)(va + (p.v & MASK(PAGE_BITS)));
}
