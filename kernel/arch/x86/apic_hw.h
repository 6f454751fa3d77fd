/* Registers of the local APIC in both modes, of an IOAPIC, and of the 8259s. Decides nothing. */
#ifndef ARCH_X86_APIC_HW_H
#define ARCH_X86_APIC_HW_H

#include "arch/x86/cpu_hw.h"
#include "arch/x86/msr.h"

enum apic_register {
	APIC_ID = 0x20,
	APIC_TPR = 0x80,
	APIC_EOI = 0xb0,
	APIC_LDR = 0xd0,
	APIC_SVR = 0xf0,
	APIC_ISR = 0x100,
	APIC_ESR = 0x280,
	APIC_LVT_CMCI = 0x2f0,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
	APIC_SELF = 0x3f0, /* x2APIC */
	APIC_VERSION = 0x30,
};

static inline uint32_t apic_hw_read(const volatile uint8_t *base, enum apic_register r)
{
	return *(const volatile uint32_t *)(base + (unsigned)r);
}
static inline void apic_hw_write(volatile uint8_t *base, enum apic_register r, uint32_t v)
{
	*(volatile uint32_t *)(base + (unsigned)r) = v;
}
static inline uint32_t apic_hw_read_x2(enum apic_register r)
{
	return (uint32_t)cpu_rdmsr(MSR_X2APIC + (unsigned)r / 16);
}
static inline void apic_hw_write_x2(enum apic_register r, uint64_t v)
{
	cpu_wrmsr(MSR_X2APIC + (unsigned)r / 16, v);
}
/* An MSR write to the APIC is not ordered behind earlier stores (SDM 3A, 11.12.3). */
static inline void apic_hw_fence(void)
{
	__asm__ volatile("mfence\n\tlfence" : : : "memory");
}

static inline uint32_t ioapic_hw_read(volatile uint8_t *base, uint8_t index)
{
	*(volatile uint32_t *)base = index;
	return *(volatile uint32_t *)(base + 0x10);
}
static inline void ioapic_hw_write(volatile uint8_t *base, uint8_t index, uint32_t v)
{
	*(volatile uint32_t *)base = index;
	*(volatile uint32_t *)(base + 0x10) = v;
}

/* Moves the 8259s' vectors to 0x20-0x2f, where a spurious one does no harm, and masks them. */
static inline void pic_hw_disable(void)
{
	enum { PIC1 = 0x20, PIC2 = 0xa0, ICW1 = 0x11, ICW4 = 1, VECTOR1 = 0x20, VECTOR2 = 0x28 };

	cpu_out8(PIC1, ICW1);
	cpu_out8(PIC2, ICW1);
	cpu_out8(PIC1 + 1, VECTOR1);
	cpu_out8(PIC2 + 1, VECTOR2);
	cpu_out8(PIC1 + 1, 4);
	cpu_out8(PIC2 + 1, 2);
	cpu_out8(PIC1 + 1, ICW4);
	cpu_out8(PIC2 + 1, ICW4);
	cpu_out8(PIC1 + 1, 0xff);
	cpu_out8(PIC2 + 1, 0xff);
}

#endif
