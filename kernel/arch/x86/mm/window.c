/*
 * The kernel window and the per-CPU slots. Owns the entries of PML4 slots 256..383 and of the slots; the tables that hold
 * them were made at boot (window_boot.c), so nothing here allocates or fails.
 * Called by retype, by whoever holds a user frame, by boot. Never maps anything executable or for user mode.
 */
#include "arch/x86/mm/window.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window_boot.h"
#include "arch/x86/arch.h"
#include "mem/mem.h"
#include "panic.h"
#include "percpu.h"

#define WINDOW_REFS_MAX 127u /* saturates here; the field's width */

static uint64_t window_bits; /* of every page: present, write, accessed, dirty, global, no execute where there is that */

void window_boot_init(bool no_execute, bool global)
{
	pte_t e = pte_with_write(pte_with_present((pte_t){{0}}, 1), 1);

	e = pte_with_dirty(pte_with_accessed(e, 1), 1);
	e = pte_with_global(e, global);
	window_bits = pte_with_nx(e, no_execute).w[0];
}

static pte_t window_page(uint64_t p)
{
	return (pte_t){{p | window_bits}};
}

/* ---- pages present in the window ---- */

static void window_count(uint64_t va, int64_t change)
{
	uint64_t *pd = tables_entry(va, 2);
	pte_t e = tables_read(pd);

	INVARIANT(pte_present(e));
	tables_write(pd, pte_window_table_with_count(e, pte_window_table_count(e) + (uint64_t)change));
}

void window_map(paddr_t start, uint64_t bytes)
{
	uint64_t va = WINDOW_BASE + ALIGN_DOWN(start.v, PAGE_BITS);
	uint64_t end = WINDOW_BASE + ALIGN_UP(start.v + bytes, PAGE_BITS);

	for (; va < end; va += PAGE_SIZE) {
		uint64_t *e = tables_entry(va, 1);

		if (pte_present(tables_read(e)))
			continue; /* small objects share pages */
		window_count(va, 1);
		tables_write(e, window_page(va - WINDOW_BASE));
	}
}

/* Takes away what is present in [va, end), all in one PT; returns the end of the last page that was, 0 if none. */
static uint64_t window_unmap_in_table(uint64_t va, uint64_t end)
{
	pte_t table = tables_read(tables_entry(va, 2));
	uint64_t left = pte_present(table) ? pte_window_table_count(table) : 0, last = 0;
	int64_t gone = 0;

	for (uint64_t at = va; at < end && left != 0; at += PAGE_SIZE) {
		uint64_t *e = tables_entry(at, 1);

		if (!pte_present(tables_read(e)))
			continue;
		tables_write(e, (pte_t){{0}});
		left--;
		gone++;
		last = at + PAGE_SIZE;
	}
	if (gone)
		window_count(va, -gone);
	return last;
}

void window_unmap(paddr_t start, uint64_t bytes)
{
	uint64_t va = WINDOW_BASE + ALIGN_UP(start.v, PAGE_BITS);
	uint64_t end = WINDOW_BASE + ALIGN_DOWN(start.v + bytes, PAGE_BITS);
	uint64_t first = 0, last = 0;

	while (va < end) {
		uint64_t next = ALIGN_DOWN(va, 21) + BIT(21);
		uint64_t gone;

		if (next > end)
			next = end;
		gone = window_unmap_in_table(va, next);
		if (gone && !last)
			first = va;
		if (gone)
			last = gone;
		va = next;
	}
	if (last)
		tlb_flush_kernel(first, last - first);
}

void *window_ref(paddr_t page)
{
	uint64_t va = WINDOW_BASE + page.v, refs;
	uint64_t *entry = tables_entry(va, 1);
	pte_t e = tables_read(entry);

	INVARIANT(ALIGNED(page.v, PAGE_BITS));
	if (!pte_present(e)) {
		window_count(va, 1);
		tables_write(entry, pte_window_with_refs(window_page(page.v), 1));
		return window_kv(page);
	}
	refs = pte_window_refs(e);
	INVARIANT(refs != 0); /* a frame's page holds no kernel object */
	if (refs < WINDOW_REFS_MAX)
		tables_write(entry, pte_window_with_refs(e, refs + 1));
	return window_kv(page);
}

void window_unref(paddr_t page)
{
	uint64_t va = WINDOW_BASE + page.v, refs;
	uint64_t *entry = tables_entry(va, 1);
	pte_t e = tables_read(entry);

	refs = pte_window_refs(e);
	INVARIANT(pte_present(e) && refs != 0);
	if (refs == WINDOW_REFS_MAX)
		return; /* nobody knows how many there were */
	if (refs > 1) {
		tables_write(entry, pte_window_with_refs(e, refs - 1));
		return;
	}
	tables_write(entry, (pte_t){{0}});
	window_count(va, -1);
	tlb_flush_kernel(va, PAGE_SIZE);
}

/* ---- slots: memory that is not in the window, for the length of one operation on this CPU ---- */

static char *window_slot_open(uint64_t page)
{
	uint64_t va = layout_cpu(percpu_self()->cpu) + LAYOUT_CPU_SLOT;

	tables_write(tables_entry(va, 1), window_page(page));
	return (char *)(uintptr_t)va;
}

static void window_slot_close(void)
{
	uint64_t va = layout_cpu(percpu_self()->cpu) + LAYOUT_CPU_SLOT;

	tables_write(tables_entry(va, 1), (pte_t){{0}});
	tables_invlpg(va);
}

/* May the 2 MiB around p be mapped by one page: is all of it RAM? (SDM 3A, 12.11.9: memory types must not differ in it.) */
static bool window_whole(uint64_t p)
{
	return pte_window_table_whole(tables_read(tables_entry(WINDOW_BASE + p, 2)));
}

static void window_clear_big(uint64_t start, uint64_t bytes)
{
	uint64_t va = layout_cpu(percpu_self()->cpu) + LAYOUT_CPU_SLOT_2M;
	uint64_t *entry = tables_entry(va, 2);

	tables_write(entry, pte_with_large(window_page(ALIGN_DOWN(start, 21)), 1));
	tables_zero((void *)(uintptr_t)(va + (start & MASK(21))), bytes);
	tables_write(entry, (pte_t){{0}});
	tables_invlpg(va);
}

void window_clear(paddr_t start, uint64_t bytes)
{
	uint64_t at = start.v, end = start.v + bytes;

	while (at < end) {
		bool big = end - at >= 2 * PAGE_SIZE && window_whole(at);
		uint64_t next = big ? ALIGN_DOWN(at, 21) + BIT(21) : ALIGN_DOWN(at, PAGE_BITS) + PAGE_SIZE;

		if (next > end)
			next = end;
		if (big) {
			window_clear_big(at, next - at);
		} else {
			char *slot = window_slot_open(ALIGN_DOWN(at, PAGE_BITS));

			tables_zero(slot + (at & MASK(PAGE_BITS)), next - at);
			window_slot_close();
		}
		at = next;
	}
}

static uint64_t window_piece(uint64_t p, uint64_t bytes)
{
	uint64_t n = PAGE_SIZE - (p & MASK(PAGE_BITS));

	return n < bytes ? n : bytes;
}

void window_copy_to(paddr_t dst, const void *src, uint64_t bytes)
{
	const char *from = src;

	while (bytes != 0) {
		uint64_t n = window_piece(dst.v, bytes);
		char *slot = window_slot_open(ALIGN_DOWN(dst.v, PAGE_BITS));

		memcpy(slot + (dst.v & MASK(PAGE_BITS)), from, n);
		window_slot_close();
		from += n;
		dst = paddr_add(dst, n);
		bytes -= n;
	}
}
