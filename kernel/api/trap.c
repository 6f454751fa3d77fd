/*
 * Exceptions from user mode, interrupts, and the common way out of the kernel. Called by the entry path. It
 * must never decide who runs (sched_exit) or what a fault means (ipc/fault.c).
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/nmi.h"
#include "arch/x86/smp/smp.h"
#include "entry/entry.h"
#include "entry/lock.h"
#include "ipc/fault.h"
#include "object/irq.h"
#include "object/vcpu.h"
#include "sched/sched.h"

#define TRAP_PAGE_FAULT 14u
#define TRAP_MACHINE_CHECK 18u
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
	if (unlikely(vector == TRAP_MACHINE_CHECK)) { /* it does not come again when there is budget */
		fault_handle(t);
		sched_check_budget();
		return;
	}
	if (likely(sched_has_budget(p))) {
		fault_handle(t);
		return;
	}
	sched_hold_trap(t, vector);
	sched_check_budget_restart();
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
	if (vector == IRQ_VECTOR_TIMER) {
		mce_poll(p->now);
		sched_tick();
	} else if (vector == IRQ_VECTOR_KICK) {
		smp_kick_taken(); /* who sent it has said in the plans what is to be done */
		/* Or NMI or machine check sent it to its own CPU. */
		mce_report();
		nmi_report(p->now);
	}
}

/* An exception whose handling was put off when its thread was taken away. */
static void trap_resume(struct tcb *t)
{
	unsigned vector = t->held_trap;

	t->held_trap = 0;
	sched_set_state(t, THREAD_RUNNING);
	percpu_self()->fault = trap_fault(t, vector);
	fault_handle(t);
}

/*
 * Without the lock: guest mode, or waiting. True: the thread goes on in user mode. Else the lock is held again,
 * and the current thread may be another.
 */
static bool trap_leave_kernel(struct percpu *p, struct tcb *t)
{
	bool guest = t->state == THREAD_RUNNING_VM;

	lock_pass();
	if (guest) {
		if (vcpu_run(t))
			return true;
	} else {
		arch_idle();
	}
	lock_enter();
	if (guest && p->current == t)
		vcpu_take_signal(t);
	return false;
}

struct context *kernel_exit(void)
{
	struct percpu *p = percpu_self();
	struct tcb *t;

	for (;;) {
		while (unlikely(p->arch.pending_vector >= 0))
			interrupt_handle();
		t = sched_undisturbed(p) ? p->current : sched_exit(p);
		if (likely(t->state == THREAD_RUNNING)) {
			lock_pass();
			return &t->ctx;
		}
		if (unlikely(t->state == THREAD_RESTART))
			trap_resume(t);
		else if (trap_leave_kernel(p, t))
			return &t->ctx;
	}
}

struct context *vmenter_handle(void)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	vcpu_enter_syscall();
	if (t->state == THREAD_RUNNING || vcpu_run(t))
		return &t->ctx;
	lock_enter();
	if (p->current == t)
		vcpu_take_signal(t);
	return kernel_exit();
}
