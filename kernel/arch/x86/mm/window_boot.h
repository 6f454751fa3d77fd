/* Making the window's tables at boot, before window_map and its kin are used. The slots (layout.h) work already. */
#ifndef ARCH_X86_MM_WINDOW_BOOT_H
#define ARCH_X86_MM_WINDOW_BOOT_H

#include "types.h"
#include "ranges/ranges.h"

/* What all entries look like; before the first use of a slot. global: they are in all tables that are ever loaded. */
void window_boot_init(bool no_execute, bool global);

/* Table pages that window_boot_tables() will need for this RAM (page-aligned ranges below WINDOW_TOP). */
uint64_t window_boot_pages(const struct ranges *ram);

/*
 * Makes tables for all of this RAM in the pages from `pages` on, contiguous physical memory that need not be zero;
 * returns the first page not used. Nothing is present in the window afterwards.
 */
paddr_t window_boot_tables(const struct ranges *ram, paddr_t pages);

#endif
