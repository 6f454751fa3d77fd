/*
 * Guest state between the VMCB and the neutral words of the vCPU ABI. Called through the vendor contract, and
 * by svm_field.c. Every value on the way in is made one that VMRUN accepts by itself (AMD64 APM vol.
 * 2, 15.5.1); combinations are judged by svm_check before the next VMRUN. `s` may be a page that its owner
 * changes meanwhile: each word is read once.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/virt_guest.h"

#define ONCE(x) (*(const volatile __typeof__(x) *)&(x))

#define SVM_CR0_ET	BIT(4)
#define SVM_CR0_NW	BIT(29)
#define SVM_CR0_CD	BIT(30)
#define SVM_CR0_ALLOWED 0xe005003fu
#define SVM_CR0_PG	BIT(31)
#define SVM_DR6_FIXED	0xffff0ff0u
#define SVM_DR7_FIXED	BIT(10)

struct vmcb_segment *svm_segment(struct vcpu *v, unsigned seg)
{
	struct vmcb *b = svm_vmcb(v);

	switch ((enum insula_seg)seg) {
	case INSULA_ES:
		return &b->es;
	case INSULA_CS:
		return &b->cs;
	case INSULA_SS:
		return &b->ss;
	case INSULA_DS:
		return &b->ds;
	case INSULA_FS:
		return &b->fs;
	case INSULA_GS:
		return &b->gs;
	case INSULA_LDTR:
		return &b->ldtr;
	default:
		return &b->tr;
	}
}

/*
 * VT-x wants more of an access-rights word than SVM keeps: "unusable" is SVM's not-present; the granularity
 * bit must fit the limit; TR is always busy; SS's DPL is the CPL.
 */
uint32_t svm_get_ar(struct vcpu *v, unsigned seg)
{
	const struct vmcb_segment *m = svm_segment(v, seg);
	svm_attrib_t a = {{m->attrib}};
	vtx_ar_t ar =
	    vtx_ar_with_flags(vtx_ar_with_access((vtx_ar_t){{0}}, svm_attrib_access(a)), svm_attrib_flags(a));

	ar = vtx_ar_part_with_granularity(ar, m->limit > 0xfffff);
	if (seg == INSULA_TR)
		ar = vtx_ar_part_with_type(ar, vtx_ar_part_type(ar) | 2);
	else if (seg == INSULA_SS)
		ar = vtx_ar_part_with_dpl(ar, svm_vmcb(v)->cpl);
	if (seg != INSULA_TR && seg != INSULA_CS && !vtx_ar_part_present(ar))
		ar = vtx_ar_with_unusable(ar, 1);
	return (uint32_t)ar.w[0];
}

void svm_put_ar(struct vcpu *v, unsigned seg, uint32_t word)
{
	vtx_ar_t ar = {{word}};
	svm_attrib_t a = svm_attrib_with_access((svm_attrib_t){{0}}, vtx_ar_access(ar));

	a = svm_attrib_with_flags(a, vtx_ar_flags(ar));
	if (vtx_ar_unusable(ar))
		a = (svm_attrib_t){{0}};
	else if (seg == INSULA_TR)
		a = svm_attrib_with_access(a, svm_attrib_access(a) | 2);
	svm_segment(v, seg)->attrib = (uint16_t)a.w[0];
	if (seg == INSULA_SS)
		svm_vmcb(v)->cpl = (uint8_t)vtx_ar_part_dpl(ar);
	v->svm.check = true;
	svm_dirty(v, SVM_CLEAN_SEG);
}

/* SVM has one bit for both shadows; which it was shows in IF, since STI sets it. */
uint64_t svm_get_interruptibility(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);
	uint64_t word = v->svm.nmi_masked ? VTX_BLOCK_NMI : 0;

	if (b->shadow & 1)
		word |= b->rflags & SVM_RFLAGS_IF ? VTX_BLOCK_STI : VTX_BLOCK_MOV_SS;
	return word;
}

void svm_put_interruptibility(struct vcpu *v, uint64_t value)
{
	struct vmcb *b = svm_vmcb(v);

	b->shadow = (value & VTX_BLOCK_MOV_SS) || ((value & VTX_BLOCK_STI) && (b->rflags & SVM_RFLAGS_IF));
	v->svm.nmi_masked = (value & VTX_BLOCK_NMI) != 0;
}

/* While we step over an IRET or out of a shadow, TF is ours and not the guest's. */
uint64_t svm_get_rflags(struct vcpu *v)
{
	return svm_vmcb(v)->rflags & ~(v->svm.nmi_step || v->svm.shadow_step ? SVM_RFLAGS_TF : 0);
}

void svm_put_rflags(struct vcpu *v, uint64_t value)
{
	svm_vmcb(v)->rflags = (value & SVM_RFLAGS_ALLOWED) | BIT(1) | (v->svm.nmi_step ? SVM_RFLAGS_TF : 0);
}

/* LMA is what LME and PG make it. */
static void svm_put_lma(struct vmcb *b)
{
	bool lma = (b->efer & SVM_EFER_LME) && (b->cr0 & SVM_CR0_PG);

	b->efer = (b->efer & ~SVM_EFER_LMA) | (lma ? SVM_EFER_LMA : 0);
}

void svm_put_cr0(struct vcpu *v, uint64_t value)
{
	struct vmcb *b = svm_vmcb(v);

	value = (value & SVM_CR0_ALLOWED) | SVM_CR0_ET;
	if (!(value & SVM_CR0_CD))
		value &= ~SVM_CR0_NW;
	/* as MOV to CR0 would forget translations (APM vol. 2, 5.5.2) */
	if ((value ^ b->cr0) & SVM_CR0_PG)
		v->tag.tag = 0;
	b->cr0 = value;
	svm_put_lma(b);
	v->svm.check = true;
	svm_dirty(v, SVM_CLEAN_CR);
}

void svm_put_cr3(struct vcpu *v, uint64_t value)
{
	struct vmcb *b = svm_vmcb(v);

	value &= svm_traits.cr3_allowed;
	/* no MOV to CR3 happens, so the guest's tagged translations would outlive it */
	if (value != b->cr3)
		v->tag.tag = 0;
	b->cr3 = value;
	svm_dirty(v, SVM_CLEAN_CR);
}

void svm_put_cr4(struct vcpu *v, uint64_t value)
{
	struct vmcb *b = svm_vmcb(v);

	value &= svm_traits.cr4_allowed;
	v->svm.cr4_own = value & SVM_CR4_MCE;
	value |= SVM_CR4_MCE;
	v->controls_dirty = true; /* whether reads exit */
	if (value != b->cr4)
		v->tag.tag = 0;
	b->cr4 = value;
	v->svm.check = true;
	svm_dirty(v, SVM_CLEAN_CR);
}

uint64_t svm_get_cr4(struct vcpu *v)
{
	return (svm_vmcb(v)->cr4 & ~SVM_CR4_MCE) | v->svm.cr4_own;
}

void svm_put_efer(struct vcpu *v, uint64_t value)
{
	svm_vmcb(v)->efer = (value & svm_traits.efer_allowed) | SVM_EFER_SVME;
	svm_put_lma(svm_vmcb(v));
	v->svm.check = true;
	svm_dirty(v, SVM_CLEAN_CR);
}

void svm_put_dr7(struct vcpu *v, uint64_t value)
{
	svm_vmcb(v)->dr7 = (value & 0xffff2bffu) | SVM_DR7_FIXED;
	svm_dirty(v, SVM_CLEAN_DR);
}

static void svm_put_segments(struct vcpu *v, const struct insula_vcpu_state *s)
{
	struct vmcb *b = svm_vmcb(v);
	struct vmcb_segment *m;

	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++) {
		m = svm_segment(v, i);
		m->selector = ONCE(s->seg[i].selector);
		m->limit = ONCE(s->seg[i].limit);
		m->base = virt_guest_canonical(ONCE(s->seg[i].base));
		svm_put_ar(v, i, ONCE(s->seg[i].ar));
	}
	b->gdtr.base = virt_guest_canonical(ONCE(s->gdtr.base));
	b->gdtr.limit = ONCE(s->gdtr.limit) & 0xffff;
	b->idtr.base = virt_guest_canonical(ONCE(s->idtr.base));
	b->idtr.limit = ONCE(s->idtr.limit) & 0xffff;
	svm_dirty(v, SVM_CLEAN_DT);
}

static void svm_put_msrs(struct vcpu *v, const struct insula_vcpu_state *s)
{
	struct vmcb *b = svm_vmcb(v);

	b->star = ONCE(s->star);
	b->lstar = virt_guest_canonical(ONCE(s->lstar));
	b->cstar = virt_guest_canonical(ONCE(s->cstar));
	b->sfmask = ONCE(s->sfmask) & 0xffffffffu;
	b->kernel_gs_base = virt_guest_canonical(ONCE(s->kernel_gs_base));
	b->sysenter_cs = ONCE(s->sysenter_cs) & 0xffffffffu;
	b->sysenter_esp = virt_guest_canonical(ONCE(s->sysenter_esp));
	b->sysenter_eip = virt_guest_canonical(ONCE(s->sysenter_eip));
	b->g_pat = virt_guest_pat(ONCE(s->pat), b->g_pat);
	svm_dirty(v, SVM_CLEAN_NP);
}

void svm_put(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s)
{
	struct vmcb *b = svm_vmcb(v);

	if (groups & INSULA_VS_GPR) {
		b->rax = ONCE(s->gpr[INSULA_RAX]);
		virt_guest_copy_gpr(v->gpr, s->gpr);
	}
	if (groups & INSULA_VS_IP) {
		b->rip = ONCE(s->rip);
		b->rsp = ONCE(s->rsp);
		svm_put_rflags(v, ONCE(s->rflags));
		svm_put_interruptibility(v, ONCE(s->interruptibility));
	}
	if (likely(!(groups & ~(uint64_t)(INSULA_VS_GPR | INSULA_VS_IP))))
		return;
	if (groups & INSULA_VS_CR) {
		svm_put_efer(v, ONCE(s->efer));
		svm_put_cr0(v, ONCE(s->cr0));
		svm_put_cr3(v, ONCE(s->cr3));
		svm_put_cr4(v, ONCE(s->cr4));
		b->cr2 = ONCE(s->cr2);
		svm_dirty(v, SVM_CLEAN_CR2);
	}
	if (groups & INSULA_VS_SEG)
		svm_put_segments(v, s);
	if (groups & INSULA_VS_MSR)
		svm_put_msrs(v, s);
	if (groups & INSULA_VS_DEBUG) {
		svm_put_dr7(v, ONCE(s->dr7));
		b->dr6 = (ONCE(s->dr6) & 0xffffffffu) | SVM_DR6_FIXED;
		for (unsigned i = 0; i < 4; i++)
			v->dr[i] = ONCE(s->dr[i]);
	}
	if (groups & INSULA_VS_CTL) {
		b->tsc_offset = ONCE(s->tsc_offset);
		svm_dirty(v, SVM_CLEAN_INTERCEPTS);
		virt_guest_put_ctl(v, ONCE(s->xcr0), ONCE(s->tsc_aux));
	}
}

static void svm_get_segment(struct vcpu *v, unsigned i, struct insula_vcpu_state *s)
{
	const struct vmcb_segment *m = svm_segment(v, i);

	s->seg[i] = (struct insula_segment){.base = m->base, .limit = m->limit, .selector = m->selector};
	s->seg[i].ar = svm_get_ar(v, i);
}

static void svm_get_segments(struct vcpu *v, struct insula_vcpu_state *s)
{
	const struct vmcb *b = svm_vmcb(v);

	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		svm_get_segment(v, i, s);
	s->gdtr = (struct insula_segment){.base = b->gdtr.base, .limit = b->gdtr.limit};
	s->idtr = (struct insula_segment){.base = b->idtr.base, .limit = b->idtr.limit};
}

static void svm_get_msrs(const struct vmcb *b, struct insula_vcpu_state *s)
{
	s->star = b->star;
	s->lstar = b->lstar;
	s->cstar = b->cstar;
	s->sfmask = b->sfmask;
	s->kernel_gs_base = b->kernel_gs_base;
	s->sysenter_cs = b->sysenter_cs;
	s->sysenter_esp = b->sysenter_esp;
	s->sysenter_eip = b->sysenter_eip;
	s->pat = b->g_pat;
}

void svm_get(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s)
{
	const struct vmcb *b = svm_vmcb(v);

	if (groups & INSULA_VS_GPR) {
		virt_guest_copy_gpr(s->gpr, v->gpr);
		s->gpr[INSULA_RAX] = b->rax;
	}
	if (groups & INSULA_VS_IP) {
		s->rip = b->rip;
		s->rsp = b->rsp;
		s->rflags = svm_get_rflags(v);
		s->interruptibility = svm_get_interruptibility(v);
		s->activity = 0;
		svm_get_segment(v, INSULA_CS, s);
		svm_get_segment(v, INSULA_SS, s);
	}
	if (groups & INSULA_VS_CR) {
		s->xcr0 = v->xcr0;
		s->cr0 = b->cr0;
		s->cr3 = b->cr3;
		s->cr4 = svm_get_cr4(v);
		s->efer = b->efer & ~SVM_EFER_SVME;
		s->cr2 = b->cr2;
	}
	if (groups & INSULA_VS_EXIT)
		virt_guest_get_exit(v, s);
	if (likely(!(groups & (INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL))))
		return;
	if (groups & INSULA_VS_SEG)
		svm_get_segments(v, s);
	if (groups & INSULA_VS_MSR)
		svm_get_msrs(b, s);
	if (groups & INSULA_VS_DEBUG) {
		s->dr7 = b->dr7;
		s->dr6 = b->dr6;
		for (unsigned i = 0; i < 4; i++)
			s->dr[i] = v->dr[i];
	}
	if (groups & INSULA_VS_CTL) {
		s->tsc_offset = b->tsc_offset;
		s->xcr0 = v->xcr0;
		s->tsc_aux = v->tsc_aux;
	}
}

/* Power-on state (APM vol. 2, 14.1.3), but with caches enabled: on SVM a guest's CR0.CD would make its memory
 * uncached. */
void svm_reset(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	static const uint32_t ar[INSULA_SEG_COUNT] = {
	    [INSULA_ES] = 0x93, [INSULA_CS] = 0x9b, [INSULA_SS] = 0x93,	  [INSULA_DS] = 0x93,
	    [INSULA_FS] = 0x93, [INSULA_GS] = 0x93, [INSULA_LDTR] = 0x82, [INSULA_TR] = 0x8b,
	};

	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++) {
		*svm_segment(v, i) = (struct vmcb_segment){.limit = 0xffff};
		svm_put_ar(v, i, ar[i]);
	}
	b->cs.selector = 0xf000;
	b->cs.base = 0xffff0000;
	b->gdtr = b->idtr = (struct vmcb_segment){.limit = 0xffff};
	b->cpl = 0;
	b->rip = 0xfff0;
	b->rsp = b->rax = 0;
	b->rflags = BIT(1);
	b->cr0 = SVM_CR0_ET;
	b->cr2 = b->cr3 = 0;
	b->cr4 = SVM_CR4_MCE;
	v->svm.cr4_own = 0;
	v->controls_dirty = true;
	b->efer = SVM_EFER_SVME;
	b->dr6 = SVM_DR6_FIXED;
	b->dr7 = SVM_DR7_FIXED;
	b->star = b->lstar = b->cstar = b->sfmask = b->kernel_gs_base = 0;
	b->sysenter_cs = b->sysenter_esp = b->sysenter_eip = 0;
	b->g_pat = VIRT_PAT_RESET;
	b->dbgctl = 0;
	b->shadow = 0;
	v->svm.nmi_masked = v->svm.nmi_step = v->svm.iret_skip = false;
	v->svm.pending_step = v->svm.shadow_step = false;
	v->svm.check = true;
	b->clean = 0;
}
