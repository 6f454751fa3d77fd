/*
 * From one thread to another on this CPU: FPU, FS and GS bases, address space, and where the entry path stores the
 * registers. Called by the scheduler (arch.h) and by operations on the running thread. It knows nothing of why.
 *
 * The idle thread has no registers and no address space: it runs in the tables of the thread before it. A CPU
 * that idles is therefore one where a flush of an address space must look too.
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu.h"
#include "arch/x86/msr.h"
#include "arch/x86/switch_hw.h"
#include "object/tcb.h"
#include "object/vspace.h"
#include "percpu.h"

/* With FSGSBASE user code may have changed them; without, the CPU has what we loaded. */
static void switch_save_bases(struct percpu *p, struct context *c)
{
	if (!cpu.fsgsbase)
		return;
	c->fs_base = p->arch.loaded_fs_base = cpu_rdfsbase();
	c->gs_base = p->arch.loaded_gs_base = cpu_read_user_gsbase();
}

static void switch_load_bases(struct percpu *p, const struct context *c)
{
	uint64_t fs = c->fs_base, gs = c->gs_base;

	if (fs != p->arch.loaded_fs_base) {
		if (unlikely(!context_canonical(fs)))
			fs = 0;
		if (cpu.fsgsbase)
			cpu_wrfsbase(fs);
		else
			cpu_wrmsr(MSR_FS_BASE, fs);
		p->arch.loaded_fs_base = fs;
	}
	if (gs != p->arch.loaded_gs_base) {
		if (unlikely(!context_canonical(gs)))
			gs = 0;
		if (cpu.fsgsbase)
			cpu_write_user_gsbase(gs);
		else
			cpu_wrmsr(MSR_KERNEL_GS_BASE, gs);
		p->arch.loaded_gs_base = gs;
	}
}

static void switch_load_space(struct percpu *p, struct tcb *t)
{
	uint64_t cr3 = vspace_cr3(t);

	if (cr3 == p->arch.cr3)
		return;
	switch_barrier();
	cpu_write_cr3(cr3);
	p->arch.cr3 = cr3;
}

static void switch_load_fpu(struct tcb *t)
{
	if (likely(!t->fpu_disabled)) {
		fpu_load(&t->fpu);
		return;
	}
	/* Nothing of another's registers stays behind the trap (CVE-2018-3665). */
	fpu_clear();
	fpu_forbid(true);
}

static void switch_save_fpu(struct tcb *t)
{
	if (likely(!t->fpu_disabled))
		fpu_save(&t->fpu);
	else
		fpu_forbid(false);
}

void arch_switch_to(struct tcb *from, struct tcb *to)
{
	struct percpu *p = percpu_self();

	if (from == to)
		return;
	if (from != NULL && from != p->idle) {
		switch_save_bases(p, &from->ctx);
		switch_save_fpu(from);
	}
	p->context = &to->ctx;
	if (to == p->idle)
		return;
	switch_load_space(p, to);
	switch_load_bases(p, &to->ctx);
	switch_load_fpu(to);
}

void arch_thread_sync(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (p->context == &t->ctx && t != p->idle)
		switch_save_bases(p, &t->ctx);
}

void arch_thread_changed(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (p->context != &t->ctx || t == p->idle)
		return;
	switch_load_space(p, t);
	switch_load_bases(p, &t->ctx);
}

void arch_fpu_init(struct tcb *t)
{
	fpu_init_state(&t->fpu);
}

void arch_fpu_changed(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (p->context != &t->ctx || t == p->idle)
		return;
	/* The flag has changed already: what is in the registers belongs to the other setting. */
	if (t->fpu_disabled) {
		fpu_save(&t->fpu);
		switch_load_fpu(t);
	} else {
		fpu_forbid(false);
		fpu_load(&t->fpu);
	}
}
