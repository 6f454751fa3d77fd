// links: lib/cmdline/cmdline.c
/* Choice of CPUs: options, threads of a core by each vendor's CPUID, ids that cannot be reached, limits. */
#include "arch/x86/smp/smp_plan.h"
#include "arch/x86/cpu_hw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct percpu fake_percpu;
struct percpu *percpu_host = &fake_percpu;

static struct {
	uint32_t leaf;
	uint32_t r[4];
} fake_leaves[8];

void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	assert_int_equal(sub, 0);
	memset(r, 0, 4 * sizeof(*r));
	for (unsigned i = 0; i < ARRAY_SIZE(fake_leaves); i++)
		if (fake_leaves[i].leaf == leaf)
			memcpy(r, fake_leaves[i].r, sizeof(fake_leaves[i].r));
}

static void fake_leaf(unsigned i, uint32_t leaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	fake_leaves[i].leaf = leaf;
	fake_leaves[i].r[0] = a;
	fake_leaves[i].r[1] = b;
	fake_leaves[i].r[2] = c;
	fake_leaves[i].r[3] = d;
}

static int fake_clear(void **state)
{
	(void)state;
	memset(fake_leaves, 0, sizeof(fake_leaves));
	for (unsigned i = 0; i < ARRAY_SIZE(fake_leaves); i++)
		fake_leaves[i].leaf = 0x12345678;
	return 0;
}

static void test_thread_bits(void **state)
{
	(void)state;
	assert_int_equal(smp_plan_thread_bits(), 0); /* a CPU that says nothing */
	/* leaf 0xb */
	fake_leaf(0, 0, 0xb, 0, 0, 0);
	fake_leaf(1, 0xb, 1, 2, 1 << 8, 0);
	assert_int_equal(smp_plan_thread_bits(), 1);
	fake_leaf(1, 0xb, 1, 0, 0, 0); /* not there after all */
	assert_int_equal(smp_plan_thread_bits(), 0);
	/* AMD: two threads per core */
	fake_leaf(0, 0, 0xd, 0, 0, 0);
	fake_leaf(2, 0x80000000, 0x8000001f, 0, 0, 0);
	fake_leaf(3, 0x80000001, 0, 0, 1 << 22, 0);
	fake_leaf(4, 0x8000001e, 0, 1 << 8, 0, 0);
	assert_int_equal(smp_plan_thread_bits(), 1);
	fake_leaf(4, 0x8000001e, 0, 0, 0, 0);
	assert_int_equal(smp_plan_thread_bits(), 0);
	/* Intel before leaf 0xb: 16 ids in the package, 8 for cores */
	fake_clear(NULL);
	fake_leaf(0, 0, 4, 0, 0, 0);
	fake_leaf(1, 1, 0, 16 << 16, 0, 1 << 28);
	fake_leaf(2, 4, 7 << 26 | 0x21, 0, 0, 0);
	assert_int_equal(smp_plan_thread_bits(), 1);
	fake_leaf(2, 4, 63u << 26 | 0x21, 0, 0, 0); /* more cores than ids */
	assert_int_equal(smp_plan_thread_bits(), 0);
}

static void test_options(void **state)
{
	struct smp_plan_wish w;

	(void)state;
	w = smp_plan_options("");
	assert_int_equal(w.max, SMP_CPUS_MAX);
	assert_true(w.smt);
	assert_int_equal(smp_plan_options("maxcpus=3").max, 3);
	assert_int_equal(smp_plan_options("maxcpus=0").max, 1);
	assert_int_equal(smp_plan_options("maxcpus=100000").max, SMP_CPUS_MAX);
	assert_int_equal(smp_plan_options("maxcpus=many").max, SMP_CPUS_MAX);
	assert_int_equal(smp_plan_options("maxcpus=4 nosmp").max, 1);
	assert_false(smp_plan_options("smt=off").smt);
	assert_false(smp_plan_options("no-smt").smt);
}

static bool reaches_all(uint32_t id)
{
	(void)id;
	return true;
}

static bool reaches_few(uint32_t id)
{
	return id < 255;
}

static void madt_add(struct acpi_madt *m, uint32_t id, bool enabled)
{
	m->cpus[m->cpu_count++] =
	    (struct acpi_madt_cpu){.apic_id = id, .enabled = enabled, .online_capable = true};
}

static void test_plan(void **state)
{
	static struct smp_plan p;
	struct acpi_madt m = {0};

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		madt_add(&m, i, i != 5);
	madt_add(&m, 0x1000, true);

	/* the boot CPU is first, wherever it stands in the list */
	smp_plan_make(&p, &m, 2, 0, smp_plan_options(""), reaches_all);
	assert_int_equal(p.count, 8);
	assert_int_equal(p.apic_id[0], 2);
	assert_int_equal(p.apic_id[1], 0);
	assert_int_equal(p.apic_id[2], 1);
	assert_int_equal(p.apic_id[3], 3);
	assert_int_equal(p.apic_id[7], 0x1000);
	assert_int_equal(p.threads + p.beyond + p.unreachable, 0);

	smp_plan_make(&p, &m, 2, 0, smp_plan_options("maxcpus=2"), reaches_few);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.beyond, 5);
	assert_int_equal(p.unreachable, 1);

	/* threads 2k and 2k + 1 are a core; 4's other is off, 0x1000 is alone */
	smp_plan_make(&p, &m, 3, 1, smp_plan_options("smt=off"), reaches_all);
	assert_int_equal(p.count, 5);
	assert_int_equal(p.apic_id[0], 3);
	assert_int_equal(p.apic_id[1], 0);
	assert_int_equal(p.apic_id[2], 4);
	assert_int_equal(p.apic_id[3], 6);
	assert_int_equal(p.apic_id[4], 0x1000);
	assert_int_equal(p.threads, 3);

	/* a MADT without the boot CPU, or without any */
	m.cpu_count = 0;
	smp_plan_make(&p, &m, 7, 0, smp_plan_options(""), reaches_all);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.apic_id[0], 7);
}

static void test_full(void **state)
{
	static struct smp_plan p;
	static struct acpi_madt m;

	(void)state;
	for (uint32_t i = 0; i < ACPI_MADT_CPUS; i++)
		madt_add(&m, 2 * i + 1, true);
	smp_plan_make(&p, &m, 0, 0, smp_plan_options(""), reaches_all);
	assert_int_equal(p.count, SMP_CPUS_MAX);
	assert_int_equal(p.beyond, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_thread_bits, fake_clear),
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
