/*
 * From one thread to another on this CPU: FPU, FS and GS bases, address space, and where the entry path
 * stores the registers. Called by the scheduler (arch.h) and by operations on the running thread. It knows
 * nothing of why.
 *
 * The idle thread has no registers and no address space: it runs in the tables of the thread before it. A CPU
 * that idles is therefore one where a flush of an address space must look too.
 */
#include "arch/x86/switch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu.h"
#include "arch/x86/fpu_hw.h"
#include "arch/x86/msr.h"
#include "object/tcb.h"
#include "object/vspace.h"
#include "percpu.h"

/* ---- FS and GS bases. Everything that is written to a context is canonical. ---- */

/* Without FSGSBASE only we change them, and an MSR costs more than to look. */
static void switch_bases_msr(struct percpu *p, const struct context *to)
{
	if (to->fs_base != p->arch.loaded_fs_base)
		cpu_wrmsr(MSR_FS_BASE, to->fs_base);
	if (to->gs_base != p->arch.loaded_gs_base)
		cpu_wrmsr(MSR_KERNEL_GS_BASE, to->gs_base);
	p->arch.loaded_fs_base = to->fs_base;
	p->arch.loaded_gs_base = to->gs_base;
}

static inline void switch_save_bases(struct context *from)
{
	if (!cpu.fsgsbase)
		return;
	from->fs_base = cpu_rdfsbase();
	from->gs_base = cpu_read_user_gsbase();
}

static inline void switch_load_bases(struct percpu *p, const struct context *to)
{
	if (unlikely(!cpu.fsgsbase)) {
		switch_bases_msr(p, to);
		return;
	}
	cpu_wrfsbase(to->fs_base);
	cpu_exchange_user_gsbase(to->gs_base);
}

/* ---- address space, FPU ---- */

static inline void switch_load_space(struct percpu *p, struct tcb *t)
{
	switch_space(p, vspace_cr3(t));
}

static inline void switch_load_fpu(struct tcb *t)
{
	if (likely(!t->fpu_disabled)) {
		fpu_hw_load(t->fpu.area);
		return;
	}
	/* Nothing of another's registers stays behind the trap (CVE-2018-3665). */
	fpu_clear();
	fpu_forbid(true);
}

static inline void switch_save_fpu(struct tcb *t)
{
	if (likely(!t->fpu_disabled))
		fpu_hw_save(t->fpu.area);
	else
		fpu_forbid(false);
}

/* From or to the idle thread, or at the start from none; an FPU that is not to be used; a CPU without
 * FSGSBASE. */
static __attribute__((noinline)) void switch_unusual(struct percpu *p, struct tcb *from, struct tcb *to)
{
	if (from == to)
		return;
	if (from != NULL && from != p->idle) {
		switch_save_bases(&from->ctx);
		switch_save_fpu(from);
	}
	p->context = &to->ctx;
	if (to == p->idle)
		return;
	switch_load_space(p, to);
	switch_load_bases(p, &to->ctx);
	switch_load_fpu(to);
}

void arch_switch_to(struct tcb *from, struct tcb *to)
{
	struct percpu *p = percpu_self();

	if (likely(from != NULL && switch_is_plain(from, to)))
		switch_plain(p, from, to);
	else
		switch_unusual(p, from, to);
}

/* ---- changes of a thread that may be the running one ---- */

static bool switch_is_loaded(const struct percpu *p, const struct tcb *t)
{
	return p->context == &t->ctx && t != p->idle;
}

void arch_thread_sync(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (switch_is_loaded(p, t))
		switch_save_bases(&t->ctx);
}

void arch_thread_changed(struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (!switch_is_loaded(p, t))
		return;
	switch_load_space(p, t);
	switch_load_bases(p, &t->ctx);
}

/* The plain switch saves and loads an FPU that may be used, and the bases by FSGSBASE. */
static void switch_classify(struct tcb *t)
{
	t->switch_unusual = t->fpu_disabled || !cpu.fsgsbase;
}

void arch_fpu_init(struct tcb *t)
{
	fpu_init_state(&t->fpu);
	switch_classify(t);
}

void arch_fpu_changed(struct tcb *t)
{
	struct percpu *p = percpu_self();

	switch_classify(t);
	if (!switch_is_loaded(p, t))
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
