/*
 * Interrupts in the kernel: they are only let in at chosen places, one at a time, and noted in pending_vector
 * (entry.S). Who handles them is kernel/api's interrupt_handle.
 */
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/tlb.h"
#include "entry/entry.h"
#include "percpu.h"

bool irq_poll(void)
{
	struct percpu *p = percpu_self();

	if (p->arch.pending_vector < 0)
		cpu_interrupt_window();
	/* Written behind the compiler's back. */
	return *(volatile int32_t *)&p->arch.pending_vector >= 0;
}

void irq_eoi(void)
{
	apic_eoi();
}

void arch_idle(void)
{
	struct percpu *p = percpu_self();

	__atomic_store_n(&p->arch.idling, true, __ATOMIC_SEQ_CST);
	while (*(volatile int32_t *)&p->arch.pending_vector < 0)
		entry_wait();
	/* First we are awake, then we look: tlb.c does it in the other order. */
	__atomic_store_n(&p->arch.idling, false, __ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&p->arch.flush_wanted, __ATOMIC_RELAXED))) {
		__atomic_store_n(&p->arch.flush_wanted, false, __ATOMIC_SEQ_CST);
		tlb_flush_all();
	}
}

void arch_halt(void)
{
	cpu_stop();
}
