/*
 * The load of an address space: patch sites that split.c fills. Decides nothing. On the way from thread to
 * thread there is one site that disturbs no register, so that CPUs without identifiers pay nothing for the
 * others.
 */
#ifndef ARCH_X86_MM_SPACE_HW_H
#define ARCH_X86_MM_SPACE_HW_H

#include "entry/patch.h"

#ifdef INSULA_HOST
/* The test's fake. */
void space_hw_use(uint64_t root);
void space_hw_load(uint64_t cr3);
#else
/* root, without an identifier: as space_hw_load; else a call of space_hw_call. */
static inline __attribute__((always_inline)) void space_hw_use(uint64_t root)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_SPACE, 9) : : "D"(root) : "memory");
}
/* Into CR3, or where the way out takes it from. */
static inline __attribute__((always_inline)) void space_hw_load(uint64_t cr3)
{
	__asm__ volatile(PATCH_SITE_TEXT(PATCH_SPACE_CR3, 9) : : "D"(cr3) : "memory");
}
#endif
/* space_use_pcid(RDI), all registers kept (space_entry.S). */
void space_hw_call(void);

#endif
