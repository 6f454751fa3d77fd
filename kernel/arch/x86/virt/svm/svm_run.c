/*
 * One entry into a guest and its exit on SVM: which event goes in and how, which windows to watch for, and
 * what the kernel deals with itself. Called by vcpu_run through the vendor contract with interrupts off. It
 * must never let a guest run with stale intercepts, and never lose an event that was handed over: what was
 * not delivered is in v->entry_info or v->exit.idt.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/svm/svm_hw.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/virt_tag.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/mm/window.h"
#include "percpu.h"

#define SVM_MSR_PAT 0x277

/* ---- controls ---- */

/* VT-x's choices as SVM's intercepts. The windows and IRET change with every entry: svm_windows. */
static void svm_controls(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	uint32_t p = v->primary;
	uint64_t misc1 = SVM_MISC1_INTR | SVM_MISC1_NMI | SVM_MISC1_SMI | SVM_MISC1_INIT | SVM_MISC1_RDPMC |
			 SVM_MISC1_CPUID | SVM_MISC1_RSM | SVM_MISC1_INVD | SVM_MISC1_INVLPGA |
			 SVM_MISC1_IOIO | SVM_MISC1_MSR | SVM_MISC1_TASK_SWITCH | SVM_MISC1_SHUTDOWN;
	unsigned cr_read = 0, cr_write = 0;

	misc1 |= p & VTX_PRIMARY_HLT ? SVM_MISC1_HLT : 0;
	misc1 |= p & VTX_PRIMARY_INVLPG ? SVM_MISC1_INVLPG : 0;
	misc1 |= p & VTX_PRIMARY_RDTSC ? SVM_MISC1_RDTSC : 0;
	misc1 |= v->pause_loop || p & VTX_PRIMARY_PAUSE ? SVM_MISC1_PAUSE : 0;
	b->pause_count = v->pause_loop && !(p & VTX_PRIMARY_PAUSE) ? SVM_PAUSE_COUNT : 0;
	b->pause_threshold = b->pause_count && cpu.svm_pause_threshold ? SVM_PAUSE_THRESHOLD : 0;
	b->misc1 = (uint32_t)misc1;
	b->misc2 = SVM_MISC2_VMRUN | SVM_MISC2_VMMCALL | SVM_MISC2_VMLOAD | SVM_MISC2_VMSAVE |
		   SVM_MISC2_STGI | SVM_MISC2_CLGI | SVM_MISC2_SKINIT | SVM_MISC2_WBINVD | SVM_MISC2_MONITOR |
		   SVM_MISC2_MWAIT | SVM_MISC2_XSETBV | SVM_MISC2_RDPRU |
		   (p & VTX_PRIMARY_RDTSC ? SVM_MISC2_RDTSCP : 0);
	b->exceptions = v->exceptions | (uint32_t)(BIT(1) | BIT(17) | BIT(18));
	cr_write |= p & VTX_PRIMARY_CR3_LOAD ? 1u << 3 : 0;
	cr_read |= p & VTX_PRIMARY_CR3_STORE ? 1u << 3 : 0;
	cr_write |= p & VTX_PRIMARY_CR8_LOAD ? 1u << 8 : 0;
	cr_read |= p & VTX_PRIMARY_CR8_STORE ? 1u << 8 : 0;
	/* SVM has no shadows: every access to a register of which the VMM owns bits is the VMM's */
	if (v->svm.cr0_mask) {
		cr_read |= 1;
		cr_write |= 1;
	}
	/* CR4.MCE is set whatever the guest thinks of it: a machine check would shut the machine down */
	cr_write |= 1u << 4;
	if (v->svm.cr4_mask || !v->svm.cr4_own)
		cr_read |= 1u << 4;
	b->cr_read = (uint16_t)cr_read;
	b->cr_write = (uint16_t)cr_write;
	b->dr_read = b->dr_write = v->dr_live && !(p & VTX_PRIMARY_MOV_DR) ? 0 : 0xffff;
	v->controls_dirty = false;
	svm_dirty(v, SVM_CLEAN_INTERCEPTS);
}

static void svm_set_misc1(struct vcpu *v, uint64_t bit, bool on)
{
	struct vmcb *b = svm_vmcb(v);
	uint32_t misc1 = on ? b->misc1 | (uint32_t)bit : b->misc1 & ~(uint32_t)bit;

	if (misc1 != b->misc1) {
		b->misc1 = misc1;
		svm_dirty(v, SVM_CLEAN_INTERCEPTS);
	}
}

static void svm_set_vintr(struct vcpu *v, bool irq, uint64_t vector)
{
	struct vmcb *b = svm_vmcb(v);
	svm_vintr_t i = {{b->vintr}};

	i = svm_vintr_with_prio(svm_vintr_with_ign_tpr(svm_vintr_with_irq(i, irq), irq), irq ? 15 : 0);
	i = svm_vintr_with_masking(svm_vintr_with_vector(i, vector), 1);
	if (i.w[0] != b->vintr) {
		b->vintr = i.w[0];
		svm_dirty(v, SVM_CLEAN_VINTR);
	}
}

/* ---- entry ---- */

/* Can the guest take an external interrupt before its next instruction? */
static bool svm_open(const struct vmcb *b)
{
	return (b->rflags & SVM_RFLAGS_IF) && !(b->shadow & 1);
}

static bool svm_open_nmi(struct vcpu *v)
{
	return !v->svm.nmi_masked && !(svm_vmcb(v)->shadow & 1);
}

/*
 * A software event's return address is behind its instruction. A CPU with NRIP-save takes it from the VMCB
 * (but Bochs 2.7 does not); others push RIP. So both say where it is, and RIP is moved back if the delivery
 * does not come to its end.
 */
static void svm_inject_software(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	b->rip += v->entry_length;
	b->nrip = b->rip;
	v->entry_length_moved = true;
}

/* Starts the delivery of entry_info. False: no CPU would accept it. */
static bool svm_inject(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	svm_event_t i;
	vtx_event_t e;
	bool exists;

	if (!virt_guest_event(v, b->cr0 & 1, &exists))
		return true;
	e = (vtx_event_t){{v->entry_info}};
	/* a software event has an instruction behind which it returns: VT-x insists */
	if (!exists || (vtx_event_type(e) >= VTX_EVENT_SOFTWARE && v->entry_length == 0))
		return false;
	i = svm_event_with_valid(svm_event_with_vector((svm_event_t){{0}}, vtx_event_vector(e)), 1);
	v->svm.injecting = SVM_INJECT_EVENT;
	switch ((enum vtx_event_type)vtx_event_type(e)) {
	case VTX_EVENT_EXTERNAL:
		if (svm_traits.inject_virq) {
			v->svm.injecting = SVM_INJECT_VIRQ;
			return true;
		}
		if (!svm_open(b)) {
			v->svm.injecting = SVM_INJECT_HOLD;
			return true;
		}
		break;
	case VTX_EVENT_NMI:
		if (!svm_open_nmi(v)) {
			v->svm.injecting = SVM_INJECT_HOLD;
			return true;
		}
		i = svm_event_with_type(i, 2);
		v->svm.nmi_masked = true;
		break;
	case VTX_EVENT_EXCEPTION:
		i = svm_event_with_error_valid(svm_event_with_type(i, 3), vtx_event_error_valid(e));
		i = svm_event_with_error(i, vtx_event_error_valid(e) ? v->entry_error : 0);
		break;
	case VTX_EVENT_SOFTWARE:
		svm_inject_software(v);
		i = svm_event_with_type(i, 4);
		break;
	case VTX_EVENT_PRIVILEGED:
	case VTX_EVENT_SOFT_EXCEPTION:
		svm_inject_software(v);
		i = svm_event_with_type(i, 3);
		break;
	default:
		return false;
	}
	b->event_inj = i.w[0];
	return true;
}

/*
 * V_IRQ, VINTR and IRET intercepts for this entry. V_IRQ with the VINTR intercept is the interrupt window;
 * V_IRQ without is an injection. Both cannot be at once, so a window wanted behind an injection through V_IRQ
 * is looked for at the IRET of its handler. SVM has no window for NMIs: behind a handler it is the IRET,
 * behind a shadow a single step, which a guest that steps by itself gives anyway.
 */
static void svm_windows(struct vcpu *v)
{
	bool wanted = v->primary & VTX_PRIMARY_INTERRUPT_WINDOW;
	bool virq = v->svm.injecting == SVM_INJECT_VIRQ;
	vtx_event_t e = {
	    {v->svm.injecting == SVM_INJECT_EVENT ? v->held_info : v->entry_info}}; /* what waits */
	bool hold = !virq && vtx_event_valid(e);
	bool window = !virq && (wanted || (hold && vtx_event_type(e) == VTX_EVENT_EXTERNAL));
	bool iret = (v->svm.nmi_masked && !v->svm.nmi_step) || (virq && wanted);
	bool nmi = (v->primary & VTX_PRIMARY_NMI_WINDOW) || (hold && vtx_event_type(e) == VTX_EVENT_NMI);

	if (nmi && !v->svm.nmi_masked && (svm_vmcb(v)->shadow & 1) &&
	    !(svm_vmcb(v)->rflags & SVM_RFLAGS_TF)) {
		v->svm.shadow_step = true;
		svm_vmcb(v)->rflags |= SVM_RFLAGS_TF;
	}
	v->svm.armed = window || virq || iret;
	svm_set_vintr(v, window || virq, virq ? vtx_event_vector(e) : 0);
	svm_set_misc1(v, SVM_MISC1_VINTR, window);
	svm_set_misc1(v, SVM_MISC1_IRET, iret && !v->svm.iret_skip);
	v->svm.iret_skip = false;
}

/* A window that is open already: an exit before the guest has run (Bochs does not look at V_IRQ at VMRUN). */
static bool svm_window_open(struct vcpu *v)
{
	if ((v->primary & VTX_PRIMARY_NMI_WINDOW) && svm_open_nmi(v)) {
		v->exit.reason = VTX_REASON_NMI_WINDOW;
		return true;
	}
	if ((v->primary & VTX_PRIMARY_INTERRUPT_WINDOW) && svm_open(svm_vmcb(v))) {
		v->exit.reason = VTX_REASON_INTERRUPT_WINDOW;
		return true;
	}
	return false;
}

/* ---- exit ---- */

/* What became of the event that was to be injected, and of one that the guest itself was taking. */
static void svm_settle_event(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	uint64_t idt = svm_exit_vectoring(b->exit_int_info);
	vtx_event_t e = {{v->entry_info}};
	bool waiting = v->svm.injecting == SVM_INJECT_HOLD;

	if (v->svm.injecting == SVM_INJECT_VIRQ)
		/* TCG leaves V_IRQ set when the delivery faults */
		waiting = svm_vintr_irq((svm_vintr_t){{b->vintr}}) &&
			  !(idt && vtx_event_vector((vtx_event_t){{idt}}) == vtx_event_vector(e));
	if (v->svm.injecting == SVM_INJECT_EVENT && v->entry_length_moved &&
	    svm_event_valid((svm_event_t){{b->exit_int_info}}))
		b->rip -= v->entry_length;
	v->entry_length_moved = false;
	b->event_inj = 0;
	if (!waiting)
		v->entry_info = 0;
	v->svm.injecting = SVM_INJECT_NONE;
	if (unlikely(idt)) {
		v->exit.idt = idt;
		v->exit.idt_error = (uint32_t)svm_event_error((svm_event_t){{b->exit_int_info}});
		if (vtx_event_type((vtx_event_t){{idt}}) == VTX_EVENT_NMI)
			v->svm.nmi_masked = false;
	}
}

static inline void svm_settle(struct vcpu *v)
{
	if (unlikely(v->svm.injecting != SVM_INJECT_NONE) || unlikely(svm_vmcb(v)->exit_int_info & BIT(31)))
		svm_settle_event(v);
}

static enum virt_run svm_again(struct vcpu *v, enum virt_run r)
{
	virt_guest_again(v);
	return r;
}

static enum virt_run svm_reflect(struct vcpu *v, unsigned vector, bool error)
{
	virt_guest_raise(v, vector, error, error ? (uint32_t)svm_vmcb(v)->exit_info1 : 0);
	return VIRT_RUN_AGAIN;
}

/*
 * #DB: either our own step over an NMI handler's IRET, or the guest's, which gets it with DR6 as the CPU has
 * set it and DR7.GD clear, as a delivery by the CPU leaves them (APM vol. 2, 13.1.1.3).
 */
static enum virt_run svm_debug(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	if (v->svm.nmi_step || v->svm.shadow_step) {
		v->svm.nmi_masked = v->svm.nmi_masked && !v->svm.nmi_step;
		v->svm.nmi_step = false;
		if (v->exit.idt)
			return svm_again(v, VIRT_RUN_AGAIN);
		/* B0-B3 are the guest's breakpoints; the single step was ours */
		b->dr6 &= ~(uint64_t)BIT(14);
		svm_dirty(v, SVM_CLEAN_DR);
		if (!(b->dr6 & 0xf))
			return VIRT_RUN_AGAIN;
	}
	svm_put_dr7(v, b->dr7 & ~(uint64_t)BIT(13));
	return svm_reflect(v, 1, false);
}

/* IRET intercepted: the end of an NMI handler, once it is executed, or the end of an injected interrupt's. */
static enum virt_run svm_iret(struct vcpu *v)
{
	if (v->svm.nmi_masked && !v->svm.nmi_step) {
		v->svm.nmi_step = true;
		svm_vmcb(v)->rflags |= SVM_RFLAGS_TF;
	}
	v->svm.iret_skip = true;
	return svm_again(v, VIRT_RUN_AGAIN);
}

static enum virt_run svm_vintr(struct vcpu *v)
{
	if (!(v->primary & VTX_PRIMARY_INTERRUPT_WINDOW))
		return svm_again(v, VIRT_RUN_AGAIN);
	v->exit.reason = VTX_REASON_INTERRUPT_WINDOW;
	return VIRT_RUN_EXIT;
}

static enum virt_run svm_failed(struct vcpu *v)
{
	v->entry_info = 0;
	v->exit.reason = VTX_REASON_FAILED | VTX_REASON_ENTRY_STATE;
	v->svm.injecting = SVM_INJECT_NONE;
	svm_vmcb(v)->event_inj = 0;
	return VIRT_RUN_FAILED;
}

/* Whatever came of it, one step out of a shadow is enough. */
static void svm_end_step(struct vcpu *v)
{
	v->svm.shadow_step = false;
	svm_vmcb(v)->rflags &= ~SVM_RFLAGS_TF;
}

static enum virt_run svm_handle_own(struct vcpu *v, struct percpu *p, enum svm_do d)
{
	switch (d) {
	case SVM_DO_INTERRUPT:
		return svm_again(v, irq_poll() ? VIRT_RUN_INTERRUPT : VIRT_RUN_AGAIN);
	case SVM_DO_UNDEFINED:
		return svm_reflect(v, 6, false);
	case SVM_DO_MC:
		return mce_guest() ? svm_again(v, VIRT_RUN_AGAIN) : VIRT_RUN_EXIT;
	case SVM_DO_DEBUG:
		return svm_debug(v);
	case SVM_DO_ALIGNMENT:
		return svm_reflect(v, 17, true);
	case SVM_DO_DR:
		virt_guest_load_dr(v);
		return svm_again(v, VIRT_RUN_AGAIN);
	case SVM_DO_CR4:
		return svm_cr4(v);
	case SVM_DO_VINTR:
		return svm_vintr(v);
	case SVM_DO_IRET:
		return svm_iret(v);
	case SVM_DO_FAILED:
		/* what is in the VMCB now may be the host's; and nothing was flushed */
		svm_reset(v);
		virt_tag_lost(p);
		return svm_failed(v);
	default:
		return svm_again(v, VIRT_RUN_AGAIN);
	}
}

static enum virt_run svm_handle(struct vcpu *v, struct percpu *p)
{
	enum svm_do d = svm_exit(v);
	enum virt_run r = VIRT_RUN_EXIT;

	if (unlikely(d != SVM_DO_VMM))
		r = svm_handle_own(v, p, d);
	if (unlikely(v->svm.shadow_step))
		svm_end_step(v);
	return r;
}

/* ---- the run ---- */

/* VT-x's pending debug exceptions: one that is pending comes first, but is lost behind an event (27.7.3). */
static void svm_pending_step(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	v->svm.pending_step = false;
	if (vtx_event_valid((vtx_event_t){{v->entry_info}}))
		return;
	b->dr6 |= SVM_DR6_STEP;
	svm_dirty(v, SVM_CLEAN_DR);
	svm_put_dr7(v, b->dr7 & ~(uint64_t)BIT(13));
	virt_guest_raise(v, 1, false, 0);
}

enum virt_run svm_run(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	struct percpu *p = percpu_self();

	virt_guest_clear_exit(v);
	if (unlikely((b->dr7 & 0xff) && !v->dr_live))
		virt_guest_load_dr(v);
	if (unlikely(v->controls_dirty))
		svm_controls(v);
	if (unlikely(v->svm.check)) {
		if (!svm_check(b))
			return svm_failed(v);
		v->svm.check = false;
	}
	if (unlikely(v->svm.pending_step))
		svm_pending_step(v);
	if (unlikely(v->entry_info | v->held_info)) {
		if (!svm_inject(v))
			return svm_failed(v);
	} else if (v->primary & (VTX_PRIMARY_INTERRUPT_WINDOW | VTX_PRIMARY_NMI_WINDOW)) {
		if (svm_window_open(v))
			return VIRT_RUN_EXIT;
	}
	b->tlb_control = virt_tag_assign(&v->tag, p, v->ept_root, svm_traits.asids) == VIRT_TAG_FLUSH ? SVM_TLB_FLUSH_ALL : 0;
	if (unlikely(b->asid != v->tag.tag)) {
		b->asid = v->tag.tag;
		svm_dirty(v, SVM_CLEAN_ASID);
	}
	if (unlikely(v->svm.armed | v->svm.nmi_masked | (v->svm.injecting != SVM_INJECT_NONE)) ||
	    unlikely(v->primary & (uint32_t)(VTX_PRIMARY_INTERRUPT_WINDOW | VTX_PRIMARY_NMI_WINDOW)))
		svm_windows(v);
	if (unlikely(v->svm.run_cpu != p->cpu) || !svm_traits.clean) {
		v->svm.run_cpu = p->cpu;
		b->clean = 0;
	}
	svm_entry_run(v, window_pa(b).v, p->arch.host_state.v);
	b->clean = SVM_CLEAN_ALL;
	svm_settle(v);
	return svm_handle(v, p);
}

/* ---- a stretch of runs ---- */

void svm_load(struct vcpu *v)
{
	if (svm_traits.pat_shared)
		cpu_wrmsr(SVM_MSR_PAT, svm_vmcb(v)->g_pat);
}

void svm_unload(struct vcpu *v)
{
	if (svm_traits.pat_shared) {
		svm_vmcb(v)->g_pat = cpu_rdmsr(SVM_MSR_PAT);
		cpu_wrmsr(SVM_MSR_PAT, svm_traits.host_pat);
	}
}
