/*
 * Flushes that only the memory code itself needs; the others are in arch.h. All but tlb_flush_all() act on
 * every CPU that tlb_may_hold() names, and return when it is done; the kernel lock is held.
 */
#ifndef ARCH_X86_MM_TLB_H
#define ARCH_X86_MM_TLB_H

#include "types.h"

/* Everything on this CPU, global pages included. */
void tlb_flush_all(void);
/* A VSpace's top table is about to go: no CPU has it in CR3 when this returns (it then has the kernel's). */
void tlb_leave_root(uint64_t cr3_root_pa);

#endif
