/*
 * The payload's measurements: time stamp differences around one operation, with what reading the time stamp takes
 * itself subtracted; the median of many. In the deterministic emulator a tick is an instruction. Prints BENCH lines.
 */
#include "bench32.h"
#include "payload.h"

#include <xen/sched.h>
#include <xen/version.h>

#define SAMPLES 1001
#define MSR_APIC_BASE 0x1b

_Static_assert(BENCH32_NR_VERSION == __HYPERVISOR_xen_version && XENVER_version == 0, "bench32.h");
_Static_assert(BENCH32_NR_SCHED == __HYPERVISOR_sched_op && SCHEDOP_yield == 0, "bench32.h");

static uint64_t bench_sample[SAMPLES];

static void bench_nothing(void) {}
static void bench_cpuid(void) { (void)payload_cpuid(0); }
static void bench_version(void) { (void)hypercall(__HYPERVISOR_xen_version, XENVER_version, 0); }
static void bench_rdmsr(void) { (void)payload_rdmsr(MSR_APIC_BASE); }
static void bench_in(void) { (void)payload_in8(0x61); }
static void bench_yield(void) { (void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0); }
static void bench_tsc(void) { (void)payload_tsc(); }

/* insertion sort: the samples are nearly equal */
static uint64_t bench_median(unsigned int count)
{
	for (unsigned int i = 1; i < count; i++) {
		uint64_t value = bench_sample[i];
		unsigned int at = i;

		for (; at > 0 && bench_sample[at - 1] > value; at--)
			bench_sample[at] = bench_sample[at - 1];
		bench_sample[at] = value;
	}
	return bench_sample[count / 2];
}

static uint64_t bench_measure(void (*operation)(void))
{
	for (unsigned int i = 0; i < 100; i++)
		operation();
	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t start = payload_tsc();

		operation();
		bench_sample[i] = payload_tsc() - start;
	}
	return bench_median(SAMPLES);
}

static uint64_t bench_unpaged(unsigned int row)
{
	for (unsigned int i = 0; i < BENCH32_SAMPLES; i++)
		bench_sample[i] = bench32_samples[row][i];
	return bench_median(BENCH32_SAMPLES);
}

static void bench_report(const char *name, uint64_t ticks, uint64_t nothing)
{
	console_print("BENCH ");
	console_print(name);
	console_print("=");
	console_number(ticks > nothing ? ticks - nothing : 0);
	console_print("\n");
}

static void bench_exits(void)
{
	static const struct {
		const char *name;
		unsigned int row;
	} unpaged[] = {
		{ "cpuid_unpaged", BENCH32_CPUID }, { "xen_version_unpaged", BENCH32_VERSION },
		{ "rdmsr_unpaged", BENCH32_RDMSR }, { "in_unpaged", BENCH32_IN },
		{ "yield_unpaged", BENCH32_YIELD },
	};
	static const struct {
		const char *name;
		void (*operation)(void);
	} paged[] = {
		{ "cpuid", bench_cpuid }, { "xen_version", bench_version }, { "rdmsr", bench_rdmsr },
		{ "in", bench_in }, { "yield", bench_yield }, { "rdtsc", bench_tsc },
	};
	uint64_t nothing = bench_unpaged(BENCH32_NOTHING);

	for (unsigned int i = 0; i < sizeof(unpaged) / sizeof(*unpaged); i++)
		bench_report(unpaged[i].name, bench_unpaged(unpaged[i].row), nothing);
	nothing = bench_measure(bench_nothing);
	for (unsigned int i = 0; i < sizeof(paged) / sizeof(*paged); i++)
		bench_report(paged[i].name, bench_measure(paged[i].operation), nothing);
}

const struct payload_mode bench_modes[] = {
	{ "bench", bench_exits },
	{ NULL, NULL },
};
