/*
 * The kernel's own page tables: made at boot under the tables of start.S, whose identity mapping of the low 4 GiB is kept
 * in PML4 slot 0 until kernel_tables_drop_low().
 */
#ifndef ARCH_X86_MM_KERNEL_TABLES_H
#define ARCH_X86_MM_KERNEL_TABLES_H

#include "types.h"

/* The kernel's PML4: nothing in its lower half. What CR3 holds when no VSpace is to be loaded. */
extern paddr_t kernel_tables_root;

/* Where pages for tables come from: boot's allocator. Zeroed pages below 4 GiB until kernel_tables_load(). */
typedef paddr_t (*kernel_tables_page_fn)(void);

/*
 * Makes the root, with the image at load_base (text read and execute, constants read, data read and write, the boot stack's guard
 * page absent), the tables in themselves, and the identity mapping of the tables now loaded. Touches the CPU in nothing.
 */
void kernel_tables_build(uint64_t load_base, kernel_tables_page_fn page);
/* Maps a page of RAM, writable, not executable, in slot 510 (layout.h): before kernel_tables_load(), or until the end of boot. */
void kernel_tables_map(uint64_t va, paddr_t p);
/* Makes sure that the tables for [va, +1 page) in slot 510 exist, the page being absent. Likewise. */
void kernel_tables_prepare(uint64_t va);
/* Also the PD entry only: for a 2 MiB slot. */
void kernel_tables_prepare_big(uint64_t va);
/* Switches to them (EFER.NXE must be on if the CPU has NX). From here on `page` may give memory anywhere, not zeroed. */
void kernel_tables_load(kernel_tables_page_fn page);
/* The lowest 2 MiB of the identity mapping can be executed, or not: a CPU that starts begins there. */
void kernel_tables_low_execute(bool execute);
/* Takes away the identity mapping, on all CPUs. */
void kernel_tables_drop_low(void);

#endif
