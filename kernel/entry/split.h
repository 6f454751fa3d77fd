/*
 * Split page tables: user code runs in tables without the kernel (mm/user_tables.h), so that a CPU that reads
 * ahead of its permission checks (Meltdown, CVE-2017-5754) finds nothing there. Whether, and the code of the
 * patch sites that change CR3 on the way in and out.
 */
#ifndef ENTRY_SPLIT_H
#define ENTRY_SPLIT_H

#include "arch/x86/cpu.h"

/* Does this CPU need it? Pure. */
bool split_needed(const struct cpu_features *c);

/*
 * Boot, while patch sites can be filled: all sites that load CR3. Split or not is cpu.split, identifiers or
 * not cpu.pcid. kernel_root: the kernel's PML4, loaded when this is called.
 */
void split_patch(uint64_t kernel_root);

#endif
