/*
 * Device memory that the kernel itself uses (LAPIC, IOAPICs, HPET, framebuffer): mapped at boot, for good, in a fixed
 * part of the kernel's half. Not for RAM.
 */
#ifndef ARCH_X86_MM_KMAP_H
#define ARCH_X86_MM_KMAP_H

#include "types.h"

enum kmap_cache { KMAP_UC, KMAP_WC };

/*
 * Maps [p, p + bytes) read-write, never executable, with this caching (enum kmap_cache); p and bytes need no
 * alignment. Boot only, after kernel_tables_build; never fails (lack of memory is boot_stop).
 */
void *kmap_device(paddr_t p, uint64_t bytes, unsigned cache);

#endif
