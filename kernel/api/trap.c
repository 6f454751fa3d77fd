/*
 * Exceptions from user mode, interrupts, and the common way out of the kernel. Called by the entry path. It
 * must never decide who runs (sched_exit) or what a fault means (ipc/fault.c).
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "entry/entry.h"
#include "ipc/fault.h"
#include "object/irq.h"
#include "object/vcpu.h"
#include "sched/sched.h"

#define TRAP_PAGE_FAULT 14u
#define TRAP_EXCEPTIONS 32u
#define TRAP_CODE_FETCH BIT(4) /* page-fault error code: instruction fetch */

static struct fault trap_fault(const struct tcb *t, unsigned vector)
{
	word_t code = t->ctx.error_code;

	if (vector == TRAP_PAGE_FAULT)
		return (struct fault){.type = seL4_Fault_VMFault,
				      .address = cpu_read_cr2(),
				      .code = code,
				      .fetch = code & TRAP_CODE_FETCH};
	if (vector < TRAP_EXCEPTIONS)
		return (struct fault){.type = seL4_Fault_UserException, .number = vector, .code = code};
	return (struct fault){.type = seL4_Fault_UnknownSyscall,
			      .number = (word_t)vector << 24 | (t->ctx.rax & MASK(24))};
}

void trap_handle(unsigned vector)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	p->fault = trap_fault(t, vector);
	sched_update_time();
	if (likely(sched_check_budget_restart()))
		fault_handle(t);
}

void interrupt_handle(void)
{
	struct percpu *p = percpu_self();
	int32_t vector = p->arch.pending_vector;

	p->arch.pending_vector = -1;
	if (vector < 0 || vector == IRQ_VECTOR_SPURIOUS)
		return;
	sched_update_time();
	sched_check_budget();
	if (vector >= IRQ_VECTOR_FIRST && vector < IRQ_VECTOR_FIRST + IRQ_VECTOR_COUNT) {
		irq_dispatch((unsigned)vector - IRQ_VECTOR_FIRST);
		return;
	}
	irq_eoi();
	if (vector == IRQ_VECTOR_TIMER)
		sched_tick();
	else if (vector == IRQ_VECTOR_KICK)
		sched_reschedule();
}

struct context *kernel_exit(void)
{
	struct percpu *p = percpu_self();
	struct tcb *t;

	for (;;) {
		while (unlikely(p->arch.pending_vector >= 0))
			interrupt_handle();
		t = sched_undisturbed(p) ? p->current : sched_exit(p);
		if (likely(t->state == THREAD_RUNNING))
			return &t->ctx;
		if (t->state == THREAD_RUNNING_VM)
			vcpu_run(t);
		else
			arch_idle();
	}
}
