/* Starting other CPUs (smp_start.h). Owns the trampoline's page while it is lent. */
#include "arch/x86/smp/smp_start.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/kernel_tables.h"
#include "mem/mem.h"
#include "panic.h"

#define SMP_INIT_US    10000u
#define SMP_STARTUP_US 200u
#define SMP_PATIENCE_US                                                                                      \
	3000000u /* for all that it does before it says that it is there: an emulated one is slow */

/* As at the end of smp_trampoline.S. */
struct smp_trampoline {
	uint64_t stack, argument, target;
	uint32_t cr3;
	uint32_t open;
	uint32_t far32, far32_selector;
	uint32_t far64, far64_selector;
	uint16_t padding, gdt_limit;
	uint32_t gdt_base;
};

extern const uint8_t smp_trampoline_start[], smp_trampoline_end[], smp_trampoline_words[];

static uint8_t smp_start_kept[PAGE_SIZE];
static uint64_t smp_start_page;

/* Low memory is mapped at its own address. */
static void *smp_start_low(void)
{
	return (void *)(uintptr_t)smp_start_page;
}

static struct smp_trampoline *smp_start_words(void)
{
	return (struct smp_trampoline *)(uintptr_t)(smp_start_page +
						    (uint64_t)(smp_trampoline_words - smp_trampoline_start));
}

void smp_start_begin(paddr_t page)
{
	struct smp_trampoline *w;
	size_t size = (size_t)(smp_trampoline_end - smp_trampoline_start);

	_Static_assert(sizeof(*w) == 56, "as in smp_trampoline.S");
	INVARIANT(size <= PAGE_SIZE && ALIGNED(page.v, PAGE_BITS) && kernel_tables_root.v < BIT(32));
	smp_start_page = page.v;
	memcpy(smp_start_kept, smp_start_low(), PAGE_SIZE);
	memcpy(smp_start_low(), smp_trampoline_start, size);
	w = smp_start_words();
	w->cr3 = (uint32_t)kernel_tables_root.v;
	w->far32 += (uint32_t)page.v;
	w->far64 += (uint32_t)page.v;
	w->gdt_base += (uint32_t)page.v;
	kernel_tables_low_execute(true);
}

void smp_start_end(void)
{
	kernel_tables_low_execute(false);
	memcpy(smp_start_low(), smp_start_kept, PAGE_SIZE);
}

/* All at once, so that the pause after it is made once. */
void smp_start_init(const uint32_t *apic_id, uint32_t count)
{
	uint64_t start = cpu_rdtsc(), ticks = time_us_to_ticks(SMP_INIT_US);

	for (uint32_t i = 0; i < count; i++)
		apic_init_ipi(apic_id[i]);
	while (cpu_rdtsc() - start < ticks)
		;
}

static bool smp_start_wait(const struct percpu *p, uint64_t us)
{
	uint64_t start = cpu_rdtsc(), ticks = time_us_to_ticks(us);

	while (!__atomic_load_n(&p->arch.started, __ATOMIC_ACQUIRE)) {
		if (cpu_rdtsc() - start >= ticks)
			return false;
		cpu_pause();
	}
	return true;
}

void smp_start_stop(const struct percpu *p)
{
	struct smp_trampoline *w = smp_start_words();

	__atomic_store_n(&w->open, 0, __ATOMIC_SEQ_CST);
	smp_start_init(&p->apic_id, 1);
}

bool smp_start_cpu(struct percpu *p, void (*target)(struct percpu *))
{
	struct smp_trampoline *w = smp_start_words();

	w->stack = p->kernel_stack;
	w->argument = (uint64_t)(uintptr_t)p;
	w->target = (uint64_t)(uintptr_t)target;
	__atomic_store_n(&w->open, 1, __ATOMIC_SEQ_CST);

	apic_startup_ipi(p->apic_id, (uint8_t)(smp_start_page >> PAGE_BITS));
	smp_start_wait(p, SMP_STARTUP_US);
	/* The second is for CPUs that have missed the first; one that runs ignores it. */
	if (__atomic_load_n(&w->open, __ATOMIC_ACQUIRE))
		apic_startup_ipi(p->apic_id, (uint8_t)(smp_start_page >> PAGE_BITS));
	return smp_start_wait(p, SMP_PATIENCE_US);
}
