// links: kernel/arch/x86/mm/pcid.c
/*
 * Flushing of user translations on two CPUs with TLBs that forget nothing by themselves: after each change,
 * whatever user code reads is what the tables say, in every combination of split tables, identifiers and
 * INVPCID.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/space.h"
#include "arch/x86/mm/user_tables.h"

enum { CPUS = 2, SPACES = 90, PAGES = 3, NUMBERS = 4096, STEPS = 60000 };
#define NUMBER	    (NUMBERS - 1ull)
#define KERNEL_ROOT 0x1000ull

struct cpu_features cpu;
struct percpu *percpu_host;
paddr_t user_tables_root = {0x2000};

/* A translation, as version of the page table's entry; 0: none. */
struct machine {
	struct percpu p;
	uint64_t cr3;
	uint32_t tlb[NUMBERS][PAGES];
};

static struct machine machines[CPUS];
static uint32_t entries[SPACES + 1][PAGES], version;
static unsigned loads, kept;

static uint64_t root_of(unsigned space)
{
	return space == SPACES ? user_tables_root.v : 0x100000 + space * PAGE_SIZE;
}

static struct machine *self(void)
{
	return (struct machine *)percpu_host;
}

/* ---- the CPU (SDM 3A, 4.10.4.1) ---- */

static void write_cr3(uint64_t v)
{
	struct machine *m = self();
	uint64_t number = cpu.pcid ? v & NUMBER : 0;

	loads++;
	if (cpu.pcid && (v & PCID_KEEP))
		kept++;
	else
		memset(m->tlb[number], 0, sizeof(m->tlb[0]));
	m->cr3 = v & ~PCID_KEEP;
}

static uint64_t number(const struct machine *m)
{
	return cpu.pcid ? m->cr3 & NUMBER : 0;
}

void cpu_invlpg(uint64_t va)
{
	self()->tlb[number(self())][va] = 0;
}

void cpu_invpcid_page(uint64_t pcid, uint64_t va)
{
	assert_true(cpu.invpcid);
	assert_in_range(pcid, 1, NUMBER);
	self()->tlb[pcid][va] = 0;
}

/* ---- the patch sites (split.c) ---- */

void space_hw_load(uint64_t v)
{
	if (cpu.split)
		self()->p.entry.user_cr3 = v;
	else
		write_cr3(v);
}

void space_hw_use(uint64_t root)
{
	if (cpu.pcid)
		space_use_pcid(root);
	else
		space_hw_load(root);
}

/* User code runs, reads all pages, and comes back. */
static void user(struct machine *m)
{
	percpu_host = &m->p;
	if (m->p.arch.root == 0)
		return;
	if (cpu.split) {
		uint64_t v = m->p.entry.user_cr3;

		if (cpu.pcid)
			m->p.entry.user_cr3 |= PCID_KEEP;
		write_cr3(v);
	}
	assert_int_equal(m->cr3 & ~NUMBER, m->p.arch.root);
	for (unsigned space = 0; space <= SPACES; space++) {
		if (root_of(space) != m->p.arch.root)
			continue;
		for (unsigned va = 0; va < PAGES; va++) {
			uint32_t *cached = &m->tlb[number(m)][va];

			if (*cached == 0)
				*cached = entries[space][va];
			assert_int_equal(*cached, entries[space][va]);
		}
	}
	if (cpu.split)
		write_cr3(KERNEL_ROOT | (cpu.pcid ? PCID_KEEP : 0));
}

/* ---- what the kernel does: tlb.c, switch.h ---- */

static void everywhere(struct machine *m, uint64_t root, void (*flush)(struct percpu *, uint64_t, uint64_t),
		       uint64_t va)
{
	for (unsigned i = 0; i < CPUS; i++) {
		if (&machines[i] != m && !space_forget(&machines[i].p, root))
			continue;
		percpu_host = &machines[i].p;
		flush(percpu_host, root, va);
	}
	percpu_host = &m->p;
}

static void flush_all(struct percpu *p, uint64_t root, uint64_t va)
{
	(void)va;
	space_flush(p, root);
}

static void leave(struct percpu *p, uint64_t root, uint64_t va)
{
	(void)va;
	space_leave(p, root);
}

static void step(void)
{
	struct machine *m = &machines[random() % CPUS];
	unsigned space = (unsigned)random() % (random() % 2 ? 5 : SPACES), va = (unsigned)random() % PAGES;
	uint64_t root = root_of(space);

	percpu_host = &m->p;
	switch (random() % 16) {
	case 0:
		entries[space][va] = ++version;
		everywhere(m, root, space_flush_page, va);
		break;
	case 1:
		for (va = 0; va < PAGES; va++)
			entries[space][va] = ++version;
		everywhere(m, root, flush_all, 0);
		break;
	case 2: /* deleted; then its memory is another space's */
		everywhere(m, root, leave, 0);
		for (unsigned i = 0; i < CPUS; i++)
			assert_int_not_equal(machines[i].p.arch.root, root);
		for (va = 0; va < PAGES; va++)
			entries[space][va] = ++version;
		break;
	case 3 ... 9: /* several switches may come without user code between them */
		if (root != m->p.arch.root)
			space_use(&m->p, root);
		break;
	default:
		user(m);
		break;
	}
}

static void run(bool split, bool pcid, bool invpcid)
{
	memset(machines, 0, sizeof(machines));
	cpu.split = split;
	cpu.pcid = pcid;
	cpu.invpcid = invpcid;
	loads = kept = 0;
	for (unsigned s = 0; s <= SPACES; s++)
		for (unsigned va = 0; va < PAGES; va++)
			entries[s][va] = ++version;
	srandom(7);
	for (unsigned i = 0; i < STEPS; i++)
		step();
	assert_true(loads > STEPS / 8);
	assert_true(pcid ? kept > loads / 3 : kept == 0);
}

static void test_plain(void **state)
{
	(void)state;
	run(false, false, false);
}

static void test_split(void **state)
{
	(void)state;
	run(true, false, false);
}

static void test_pcid(void **state)
{
	(void)state;
	run(false, true, false);
	run(false, true, true);
}

static void test_split_pcid(void **state)
{
	(void)state;
	run(true, true, false);
	run(true, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_pcid),
	    cmocka_unit_test(test_split_pcid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
