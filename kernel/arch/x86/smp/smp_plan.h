/*
 * Which CPUs are to be started: the MADT's, as the command line wants it. Pure arithmetic but for CPUID,
 * which is asked through cpu_hw.h. Options as Xen means them: maxcpus=N (at most N CPUs, the boot CPU
 * included), nosmp, smt=BOOL (off: one thread of each core).
 */
#ifndef ARCH_X86_SMP_SMP_PLAN_H
#define ARCH_X86_SMP_SMP_PLAN_H

#include "acpi/acpi.h"
#include "arch/x86/smp/smp.h"

struct smp_plan {
	uint32_t count; /* 1 at least: the boot CPU is the first */
	uint32_t apic_id[SMP_CPUS_MAX];
	/* listed and enabled, but left out: */
	uint32_t threads;     /* by smt=off */
	uint32_t beyond;      /* by maxcpus= or nosmp */
	uint32_t unreachable; /* an id of more than 8 bits without x2APIC */
};

struct smp_plan_wish {
	uint32_t max;
	bool smt;
};

struct smp_plan_wish smp_plan_options(const char *cmdline);

/* The low bits of an APIC id that tell the threads of one core apart, from CPUID. */
unsigned smp_plan_thread_bits(void);

/* `reaches`: can this id be sent an interrupt? */
void smp_plan_make(struct smp_plan *plan, const struct acpi_madt *madt, uint32_t boot_apic_id,
		   unsigned thread_bits, struct smp_plan_wish wish, bool (*reaches)(uint32_t apic_id));

#endif
