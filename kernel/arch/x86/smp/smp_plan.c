/* The choice of CPUs (smp_plan.h). Called by boot, once. */
#include "arch/x86/smp/smp_plan.h"
#include "arch/x86/cpu_hw.h"
#include "cmdline/cmdline.h"

struct smp_plan_wish smp_plan_options(const char *cmdline)
{
	struct smp_plan_wish w = {SMP_CPUS_MAX, cmdline_bool(cmdline, "smt", true)};
	struct cmdline_word word;
	uint64_t n;

	if (cmdline_find(cmdline, "maxcpus", &word) && cmdline_number(&word, &n) && n < w.max)
		w.max = n ? (uint32_t)n : 1;
	if (cmdline_find(cmdline, "nosmp", &word))
		w.max = 1;
	return w;
}

static unsigned smp_plan_bits(uint32_t count)
{
	unsigned bits = 0;

	while (count > BIT(bits))
		bits++;
	return bits;
}

/* Leaf 0xb says it (SDM 2A; AMD's CPUs since Zen 2); AMD's others in 0x8000001e; Intel's in 1 and 4. */
unsigned smp_plan_thread_bits(void)
{
	enum { LEVEL_THREAD = 1, TOPOEXT = 22, HTT = 28 };
	uint32_t r[4], max, max_extended, logical;
	unsigned cores;

	cpu_cpuid(0, 0, r);
	max = r[0];
	if (max >= 0xb) {
		cpu_cpuid(0xb, 0, r);
		if (r[1] != 0 && ((r[2] >> 8) & 0xff) == LEVEL_THREAD)
			return r[0] & 31;
	}
	cpu_cpuid(0x80000000, 0, r);
	max_extended = r[0];
	cpu_cpuid(0x80000001, 0, r);
	if (max_extended >= 0x8000001e && (r[2] & BIT(TOPOEXT))) {
		cpu_cpuid(0x8000001e, 0, r);
		return smp_plan_bits(((r[1] >> 8) & 0xff) + 1);
	}
	cpu_cpuid(1, 0, r);
	if (!(r[3] & BIT(HTT)) || max < 4)
		return 0;
	logical = (r[1] >> 16) & 0xff;
	cpu_cpuid(4, 0, r);
	if ((r[0] & 31) == 0)
		return 0; /* not one of Intel's: several cores, and no threads known */
	cores = smp_plan_bits((r[0] >> 26) + 1);
	return smp_plan_bits(logical) > cores ? smp_plan_bits(logical) - cores : 0;
}

static bool smp_plan_sibling(const struct smp_plan *plan, uint32_t apic_id, unsigned thread_bits)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->apic_id[i] >> thread_bits == apic_id >> thread_bits)
			return true;
	return false;
}

void smp_plan_make(struct smp_plan *plan, const struct acpi_madt *madt, uint32_t boot_apic_id,
		   unsigned thread_bits, struct smp_plan_wish wish, bool (*reaches)(uint32_t apic_id))
{
	*plan = (struct smp_plan){.count = 1, .apic_id = {boot_apic_id}};
	for (uint32_t i = 0; i < madt->cpu_count; i++) {
		uint32_t id = madt->cpus[i].apic_id;

		if (!madt->cpus[i].enabled || id == boot_apic_id)
			continue;
		if (!reaches(id))
			plan->unreachable++;
		else if (!wish.smt && smp_plan_sibling(plan, id, thread_bits))
			plan->threads++;
		else if (plan->count >= wish.max || plan->count == SMP_CPUS_MAX)
			plan->beyond++;
		else
			plan->apic_id[plan->count++] = id;
	}
}
