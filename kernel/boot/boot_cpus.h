/* Starting the other CPUs, after all that the boot CPU sets up for every CPU. */
#ifndef BOOT_BOOT_CPUS_H
#define BOOT_BOOT_CPUS_H

#include "arch/x86/smp/smp_plan.h"
#include "boot/boot_memory.h"

/* Where a page for a kernel structure comes from: zeroed, below 4 GiB. */
typedef paddr_t (*boot_cpus_page_fn)(void);

/* Maps the area of CPU `index` (mm/layout.h): structure, stacks, slots. */
void boot_cpus_area(uint32_t index, boot_cpus_page_fn page);
/* p is its CPU's own, and initialised: memory for virtualization, idle thread, scheduler. */
void boot_cpus_prepare(struct percpu *p, struct boot_memory *m);
void boot_cpus_scheduler(struct percpu *p);

/*
 * Starts those of the plan, one after another; smp_cpu_count says how many run then. One that does not come
 * up, or is not like the boot CPU, costs a line. From here on the kernel lock exists if the plan has more
 * than one CPU, and this CPU has it.
 */
void boot_cpus_start(const struct smp_plan *plan, const struct boot_info *info, struct boot_memory *m,
		     boot_cpus_page_fn page);

#endif
