/* The kernel's half of user page tables: exactly the pages that the entry path needs, for any number of CPUs,
 * and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/cpu.h"
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/user_tables.h"
#include "panic.h"

enum { TABLES = 64, PAGES = 4096 };
#define ENTRY_START 0xffffffff80104000ull
#define ENTRY_END   0xffffffff80106000ull
#define IDT	    0xffffffff80230000ull
#define TABLE_BASE  0x100000ull

struct cpu_features cpu;
paddr_t kernel_tables_root = {0x77000};
static uint64_t tables[TABLES][512], used, kernel_entry;

void panic(const char *format, ...)
{
	fail_msg("panic: %s", format);
	abort();
}

uint64_t *tables_low(paddr_t table)
{
	uint64_t n = (table.v - TABLE_BASE) / PAGE_SIZE;

	assert_true(n < used);
	return tables[n];
}

static paddr_t page(void)
{
	assert_true(used < TABLES);
	return paddr(TABLE_BASE + used++ * PAGE_SIZE);
}

/* The kernel's tables: each page at an address that follows from its own; text may be executed. */
static uint64_t physical(uint64_t va)
{
	return va & 0x7ffffff000;
}

uint64_t *tables_entry(uint64_t va, unsigned level)
{
	pte_t e = pte_with_write(pte_with_present((pte_t){{0}}, 1), 1);

	if (level == 4)
		e = pte_with_base(e, (va >> 39 & 511) << 12);
	else
		e = pte_with_nx(pte_with_base(e, physical(va)), va < ENTRY_START || va >= ENTRY_END);
	kernel_entry = e.w[0];
	return &kernel_entry;
}

struct found {
	uint64_t va[PAGES];
	pte_t entry[PAGES];
	unsigned count;
};

static void collect(const uint64_t *table, unsigned level, uint64_t base, struct found *f)
{
	for (unsigned i = 0; i < 512; i++) {
		pte_t e = {{table[i]}};
		uint64_t va = base | (uint64_t)i << (12 + 9 * (level - 1));

		if (level == 4 && i >= 256)
			va |= 0xffff000000000000;
		if (!pte_present(e))
			continue;
		assert_false(pte_user(e));
		if (level > 1) {
			assert_false(pte_large(e));
			collect(tables_low(paddr(pte_base(e))), level - 1, va, f);
			continue;
		}
		assert_true(f->count < PAGES);
		f->va[f->count] = va;
		f->entry[f->count++] = e;
	}
}

static bool wanted(uint64_t va, const uint32_t *cpus, unsigned n, bool *write)
{
	*write = true;
	for (unsigned i = 0; i < n; i++) {
		if (va == layout_cpu(cpus[i]))
			return true;
		for (unsigned s = 0; s < LAYOUT_CPU_IST_COUNT; s++)
			if (va == layout_cpu(cpus[i]) + LAYOUT_CPU_IST + s * LAYOUT_CPU_IST_STRIDE)
				return true;
	}
	*write = false;
	return va == IDT || (va >= ENTRY_START && va < ENTRY_END);
}

static int setup(void **state)
{
	(void)state;
	memset(tables, 0, sizeof(tables));
	used = 0;
	return 0;
}

static void build(const uint32_t *cpus, unsigned n)
{
	user_tables_init(page);
	user_tables_map(ENTRY_START, ENTRY_END, false);
	user_tables_map(IDT, IDT + PAGE_SIZE, false);
	for (unsigned i = 0; i < n; i++)
		user_tables_add_cpu(cpus[i]);
}

static void test_split(void **state)
{
	(void)state;
	static const uint32_t cpus[] = {0, 1, 70, 255, 256, 4095};
	static struct found f;
	uint64_t pml4[512] = {0};
	bool write;

	cpu.split = true;
	build(cpus, 1);
	user_tables_fill(pml4); /* a space made before the other CPUs start sees them too */
	for (unsigned i = 1; i < ARRAY_SIZE(cpus); i++)
		user_tables_add_cpu(cpus[i]);

	f.count = 0;
	collect(pml4, 4, 0, &f);
	assert_int_equal(f.count, 2 + 1 + ARRAY_SIZE(cpus) * (1 + LAYOUT_CPU_IST_COUNT));
	for (unsigned i = 0; i < f.count; i++) {
		assert_true(wanted(f.va[i], cpus, ARRAY_SIZE(cpus), &write));
		assert_int_equal(pte_base(f.entry[i]), physical(f.va[i]));
		assert_int_equal(pte_write(f.entry[i]), write);
		assert_true(pte_global(f.entry[i]));
		assert_int_equal(pte_nx(f.entry[i]), f.va[i] < ENTRY_START || f.va[i] >= ENTRY_END);
	}
	assert_int_not_equal(user_tables_root.v, kernel_tables_root.v);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(pml4[i], tables_low(user_tables_root)[i]);
}

static void test_whole(void **state)
{
	(void)state;
	static const uint32_t cpus[] = {0};
	uint64_t pml4[512] = {0};

	cpu.split = false;
	build(cpus, 1);
	assert_int_equal(used, 0);
	assert_int_equal(user_tables_root.v, kernel_tables_root.v);
	user_tables_fill(pml4);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(pml4[i], i < 256 ? 0 : (uint64_t)i << 12 | 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_split, setup),
	    cmocka_unit_test_setup(test_whole, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
