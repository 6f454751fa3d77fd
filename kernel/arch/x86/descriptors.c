/* GDT, TSS, IDT (descriptors.h). Called by cpu_init on each CPU; the IDT is filled by the first. */
#include "arch/x86/descriptors.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/descriptors_hw.h"
#include "arch/x86/mm/layout.h"
#include "entry/entry.h"
#include "percpu.h"

enum { DESCRIPTORS_EARLY_STACK = 2048 };

uint64_t descriptors_idt[DESCRIPTORS_VECTORS][2] __attribute__((aligned(4096)));
static uint64_t descriptors_early_ist[DESCRIPTORS_IST_COUNT][DESCRIPTORS_EARLY_STACK / 8]
    __attribute__((aligned(16)));
extern char start_stack_top[];

_Static_assert(DESCRIPTORS_IST_COUNT <= LAYOUT_CPU_IST_COUNT, "the layout has a stack for each");

/* Two words of an IDT gate: code at `handler`, stack slot ist, open to INT from user mode if `user`. SDM 3A,
 * figure 6-8. */
static void descriptors_gate(uint64_t gate[2], uint64_t handler, unsigned ist, bool user)
{
	enum { PRESENT = 1 << 15, INTERRUPT_GATE = 14 << 8, DPL_USER = 3 << 13 };
	uint64_t flags = PRESENT | INTERRUPT_GATE | (user ? (uint64_t)DPL_USER : 0) | ist;

	gate[0] = (handler & 0xffff) | ((uint64_t)SELECTOR_KERNEL_CODE << 16) | (flags << 32) |
		  ((handler & 0xffff0000u) << 32);
	gate[1] = handler >> 32;
}

/* Two words of a TSS descriptor. SDM 3A, figure 8-4. */
static void descriptors_tss(uint64_t entry[2], uint64_t base, uint32_t limit)
{
	const uint64_t present_available = 0x89;

	entry[0] = (limit & 0xffffu) | ((base & 0xffffffu) << 16) | (present_available << 40) |
		   ((uint64_t)(limit & 0xf0000u) << 32) | ((base & 0xff000000u) << 32);
	entry[1] = base >> 32;
}

static bool descriptors_user_vector(unsigned v)
{
	enum { BREAKPOINT = 3, OVERFLOW = 4 };

	if (v == BREAKPOINT || v == OVERFLOW)
		return true;
	return v >= ENTRY_INT_FIRST && v <= ENTRY_INT_LAST && v != IRQ_VECTOR_TIMER && v != IRQ_VECTOR_KICK;
}

static unsigned descriptors_ist_of(unsigned v)
{
	switch (v) {
	case 1:
		return DESCRIPTORS_IST_DB;
	case 2:
		return DESCRIPTORS_IST_NMI;
	case 8:
		return DESCRIPTORS_IST_DF;
	case 18:
		return DESCRIPTORS_IST_MC;
	default:
		return DESCRIPTORS_IST_NONE;
	}
}

/* Where slot n's stack begins to grow down; the area's address lies there. */
static uint64_t descriptors_ist_top(struct percpu *p, unsigned n)
{
	uint64_t end;

	if (p == &percpu_early)
		end = (uint64_t)(uintptr_t)descriptors_early_ist[n - 1] + sizeof(descriptors_early_ist[0]);
	else
		end = layout_cpu(p->cpu) + LAYOUT_CPU_IST + (n - 1) * LAYOUT_CPU_IST_STRIDE + PAGE_SIZE;
	*(uint64_t *)(uintptr_t)(end - 16) = (uint64_t)(uintptr_t)p;
	return end - 16;
}

void descriptors_init(struct percpu *p)
{
	uint64_t *gdt = p->entry.gdt;
	uint64_t vectors = (uint64_t)(uintptr_t)entry_vectors;

	if (p == &percpu_early)
		p->kernel_stack = (uint64_t)(uintptr_t)start_stack_top;
	else
		p->kernel_stack = layout_cpu(p->cpu) + LAYOUT_CPU_STACK + LAYOUT_CPU_STACK_BYTES;

	gdt[0] = 0;
	gdt[SELECTOR_KERNEL_CODE / 8] = 0x00209b0000000000; /* 64-bit code, DPL 0, accessed (SDM 3A, 3.4.5) */
	gdt[SELECTOR_KERNEL_DATA / 8] = 0x0000930000000000;
	gdt[SELECTOR_SYSRET_BASE / 8] = 0;
	gdt[SELECTOR_USER_DATA / 8] = 0x0000f30000000000;
	gdt[SELECTOR_USER_CODE / 8] = 0x0020fb0000000000;
	descriptors_tss(gdt + SELECTOR_TSS / 8, (uint64_t)(uintptr_t)&p->entry.tss, sizeof(p->entry.tss) - 1);

	p->entry.tss.rsp[0] = p->entry.stack_top;
	for (unsigned n = 1; n <= DESCRIPTORS_IST_COUNT; n++)
		p->entry.tss.ist[n - 1] = descriptors_ist_top(p, n);
	p->entry.tss.iomap_base = sizeof(p->entry.tss); /* beyond the limit: no port is open */

	if (p == &percpu_early) {
		for (unsigned v = 0; v < DESCRIPTORS_VECTORS; v++)
			descriptors_gate(descriptors_idt[v], vectors + v * ENTRY_VECTOR_BYTES,
					 descriptors_ist_of(v), descriptors_user_vector(v));
	}
	descriptors_load(gdt, (SELECTOR_TSS + 16) - 1, descriptors_idt, sizeof(descriptors_idt) - 1);
}
