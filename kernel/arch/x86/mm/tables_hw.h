/*
 * Reaching the kernel's own page tables, and single instructions on them. Decides nothing.
 * tables_entry: the entry of level 1 (PT) to 4 (PML4) that translates the kernel address va; the tables above it
 * exist. It works by the kernel's PML4 standing in its own slot LAYOUT_TABLES_SLOT.
 */
#ifndef ARCH_X86_MM_TABLES_HW_H
#define ARCH_X86_MM_TABLES_HW_H

#include "arch/x86/mm/layout.h"
#include "arch/x86/mm/pte_fields.h"

static inline unsigned tables_index(uint64_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * (level - 1))) & 511u;
}

#ifdef INSULA_HOST
/* The test's fake. */
uint64_t *tables_entry(uint64_t va, unsigned level);
uint64_t *tables_low(paddr_t table);
void tables_invlpg(uint64_t va);
void tables_zero(void *at, uint64_t bytes);
#else
#include "arch/x86/cpu_hw.h"

static inline uint64_t *tables_entry(uint64_t va, unsigned level)
{
	for (unsigned i = 0; i < level; i++)
		va = LAYOUT_TABLES_BASE + ((va & MASK(48)) >> 12) * 8;
	return (uint64_t *)(uintptr_t)va;
}

/* Boot, until kernel_tables_drop_low(): a table below 4 GiB, at its own address. */
static inline uint64_t *tables_low(paddr_t table)
{
	return (uint64_t *)(uintptr_t)table.v;
}

/* This CPU only. */
static inline void tables_invlpg(uint64_t va)
{
	cpu_invlpg(va);
}

/* bytes: a multiple of 8. */
static inline void tables_zero(void *at, uint64_t bytes)
{
	uint64_t n = bytes / 8;
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(0ull) : "memory");
}
#endif

/* One store: the page walker of any CPU sees the old entry or the new one. */
static inline void tables_write(uint64_t *entry, pte_t e)
{
	*(volatile uint64_t *)entry = e.w[0];
}

static inline pte_t tables_read(const uint64_t *entry)
{
	return (pte_t){{*(const volatile uint64_t *)entry}};
}

#endif
