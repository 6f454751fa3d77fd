/*
 * The kernel's half of user page tables. Without the split it is all of the kernel's own (layout.h). With it
 * (cpu.split; decided at boot against Meltdown, CVE-2017-5754) user code's tables map of the kernel only what
 * the CPU and the entry and exit paths touch while user code's CR3 is loaded: the section .entry, the IDT,
 * and of each CPU's area the page struct percpu_entry and the interrupt stacks. None of it is secret. The
 * kernel runs in kernel_tables_root, which has no user half: it never needs one.
 *
 * The tables below the PML4 are one set for all user PML4s. A CPU added later is in all of them at once.
 */
#ifndef ARCH_X86_MM_USER_TABLES_H
#define ARCH_X86_MM_USER_TABLES_H

#include "types.h"

/* A PML4 with no user memory in it, for user code that has no VSpace. */
extern paddr_t user_tables_root;

/*
 * Boot, between kernel_tables_load() and kernel_tables_drop_low(). page: gives zeroed pages below 4 GiB. Each
 * CPU's area must be mapped in the kernel's tables when it is added.
 */
void user_tables_init(paddr_t (*page)(void));
/* Pages of the image, as the kernel's tables have them but for the right to write. */
void user_tables_map(uint64_t start, uint64_t end, bool write);
void user_tables_add_cpu(uint32_t index);

/* Fills the kernel's half, words 256 to 511, of a new PML4, which is zero. */
void user_tables_fill(uint64_t *pml4);

#endif
