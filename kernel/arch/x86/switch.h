/*
 * From one thread to another on this CPU, for callers that make the switch part of their own code: the plain
 * case of arch_switch_to() (arch.h). switch.c has the others.
 */
#ifndef ARCH_X86_SWITCH_H
#define ARCH_X86_SWITCH_H

#include "arch/x86/arch.h"
#include "object/vspace.h"
#include "percpu.h"

#ifdef INSULA_HOST

static inline bool switch_is_plain(const struct tcb *from, const struct tcb *to)
{
	return !from->switch_unusual && !to->switch_unusual;
}

void switch_plain(struct percpu *p, struct tcb *from, struct tcb *to);

#else

#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu_hw.h"
#include "arch/x86/mm/space.h"
#include "arch/x86/switch_hw.h"

static inline __attribute__((always_inline)) void switch_space(struct percpu *p, uint64_t root)
{
	if (root == p->arch.root)
		return;
	switch_barrier();
	space_use(p, root);
}

/* Neither is the idle thread or uses its FPU in an unusual way, and `to` has a known address space. */
static inline bool switch_is_plain(const struct tcb *from, const struct tcb *to)
{
	return !from->switch_unusual && !to->switch_unusual && vspace_cr3_known(to);
}

/* Two threads for which switch_is_plain() holds. */
static inline __attribute__((always_inline)) void switch_plain(struct percpu *p, struct tcb *from,
							       struct tcb *to)
{
	p->context = &to->ctx;
	fpu_hw_save(from->fpu.area);
	switch_space(p, to->cr3);
	from->ctx.fs_base = cpu_rdfsbase();
	cpu_wrfsbase(to->ctx.fs_base);
	from->ctx.gs_base = cpu_exchange_user_gsbase(to->ctx.gs_base);
	fpu_hw_load(to->fpu.area);
}

#endif
#endif
