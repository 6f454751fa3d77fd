/* The local APIC (apic.h). Called by boot, by the timer (time.c) and through arch.h by the interrupt path. */
#include "arch/x86/apic.h"
#include "arch/x86/apic_hw.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/kmap.h"
#include "panic.h"
#include "percpu.h"

enum {
	APIC_SVR_ON = 0x100,
	APIC_LVT_MASKED = 1 << 16,
	APIC_LVT_NMI = 4 << 8,
	APIC_LVT_DEADLINE = 2 << 17,
	APIC_DIVIDE_1 = 0xb,
	APIC_ICR_PENDING = 1 << 12,
	APIC_ICR_ASSERT = 1 << 14,
	APIC_ICR_INIT = 5 << 8,
	APIC_ICR_STARTUP = 6 << 8,
	APIC_ID_ALL = 0xff,
	APIC_ICR_SELF = 1 << 18,
	APIC_IPI_PATIENCE = 1000000,
};

static volatile uint8_t *apic_base; /* NULL in x2APIC mode */
uint32_t apic_boot_id;

static uint32_t apic_read(enum apic_register r)
{
	return apic_base != NULL ? apic_hw_read(apic_base, r) : apic_hw_read_x2(r);
}

static void apic_write(enum apic_register r, uint32_t v)
{
	if (apic_base != NULL)
		apic_hw_write(apic_base, r, v);
	else
		apic_hw_write_x2(r, v);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_in_service(unsigned vector)
{
	uint32_t bits = apic_read((enum apic_register)(APIC_ISR + (vector / 32) * 16));

	return (bits >> (vector % 32)) & 1;
}

/* With the shorthand ICR_HIGH has no meaning, and somebody's who was about to use it stays as it is. */
void apic_kick_self(void)
{
	if (apic_base == NULL)
		apic_hw_write_x2(APIC_SELF, IRQ_VECTOR_KICK);
	else
		apic_write(APIC_ICR, APIC_ICR_SELF | APIC_ICR_ASSERT | IRQ_VECTOR_KICK);
}

static void apic_send(uint32_t apic_id, uint32_t command)
{
	if (apic_base == NULL) {
		apic_hw_fence();
		apic_hw_write_x2(APIC_ICR, ((uint64_t)apic_id << 32) | command);
		return;
	}
	for (unsigned i = 0; i < APIC_IPI_PATIENCE && (apic_read(APIC_ICR) & APIC_ICR_PENDING); i++)
		cpu_pause();
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR, command);
}

void apic_kick(uint32_t apic_id)
{
	apic_send(apic_id, APIC_ICR_ASSERT | IRQ_VECTOR_KICK);
}

void apic_init_ipi(uint32_t apic_id)
{
	apic_send(apic_id, APIC_ICR_ASSERT | APIC_ICR_INIT);
}

void apic_startup_ipi(uint32_t apic_id, uint8_t page)
{
	apic_send(apic_id, (uint32_t)APIC_ICR_ASSERT | APIC_ICR_STARTUP | page);
}

bool apic_reaches(uint32_t apic_id)
{
	return apic_base == NULL || apic_id < APIC_ID_ALL;
}

void apic_timer_one_shot(uint32_t count)
{
	apic_write(APIC_TIMER_INITIAL, count);
}

void apic_timer_deadline(uint64_t tsc)
{
	cpu_wrmsr(MSR_TSC_DEADLINE, tsc);
}

uint32_t apic_timer_current(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_count_down(void)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | IRQ_VECTOR_TIMER);
	apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_1);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
}

void apic_init_cpu(struct percpu *p)
{
	uint64_t mode = cpu_rdmsr(MSR_APIC_BASE) | MSR_APIC_BASE_ON;
	unsigned last;

	cpu_wrmsr(MSR_APIC_BASE, mode);
	if (apic_base == NULL)
		cpu_wrmsr(MSR_APIC_BASE, mode | MSR_APIC_BASE_X2);
	p->apic_id = apic_base == NULL ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;

	last = (apic_read(APIC_VERSION) >> 16) & 0xff;
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | IRQ_VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_LVT_NMI);
	apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
	if (last >= 4)
		apic_write(APIC_LVT_PERF, APIC_LVT_MASKED);
	if (last >= 5)
		apic_write(APIC_LVT_THERMAL, APIC_LVT_MASKED);
	if (last >= 6)
		apic_write(APIC_LVT_CMCI, APIC_LVT_MASKED);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, APIC_SVR_ON | IRQ_VECTOR_SPURIOUS);
	apic_write(APIC_ESR, 0);
	/* What firmware or boot loader left in service would hold back everything below it. */
	for (unsigned i = 0; i < 256; i++) {
		bool any = false;
		for (unsigned v = 0; v < 256; v += 32)
			any = any || apic_read((enum apic_register)(APIC_ISR + v / 2)) != 0;
		if (!any)
			break;
		apic_eoi();
	}
	apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_1);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, (cpu.tsc_deadline ? APIC_LVT_DEADLINE : 0u) | IRQ_VECTOR_TIMER);
	if (cpu.tsc_deadline)
		apic_hw_fence(); /* the mode before the first deadline (SDM 3A, 11.5.4.1) */
}

void apic_init(const struct acpi_madt *madt)
{
	uint64_t base = cpu_rdmsr(MSR_APIC_BASE);

	pic_hw_disable();
	if (!cpu.x2apic && (base & MSR_APIC_BASE_X2))
		boot_stop("the firmware left the APIC in x2APIC mode, which this CPU does not say it has");
	/* The MSR knows best: the MADT's address is the firmware's copy of it. */
	if (!cpu.x2apic)
		apic_base = kmap_device(paddr(base & MASK(52) & ~MASK(PAGE_BITS)), PAGE_SIZE, KMAP_UC);
	for (uint32_t i = 0; i < madt->ioapic_count; i++)
		ioapic_add(&madt->ioapics[i]);
	apic_init_cpu(percpu_self());
	apic_boot_id = percpu_self()->apic_id;
}
