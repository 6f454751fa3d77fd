/*
 * Guest state between the VMCS and the neutral words of the vCPU ABI. Called through the vendor contract, and
 * by vmx_field.c. Single values are made legal on the way in; a combination that VM entry refuses (Intel SDM
 * vol. 3C 27.3.1) costs the guest only: the entry fails, with the host's state untouched. `s` may be a page
 * that its owner changes: words are read once.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/vmx/vmx_hw.h"

#define ONCE(x) (*(const volatile __typeof__(x) *)&(x))

#define VMX_BLOCK_TRAPS (VTX_BLOCK_STI | VTX_BLOCK_MOV_SS)
#define VMX_CR0_DEFINED 0xe005003fu
#define VMX_DR6_FIXED	0xffff0ff0u

/* ---- control registers ---- */

/* LMA, and the entry control that must agree with it, follow LME and PG. */
static void vmx_put_lma(struct vcpu *v)
{
	uint64_t efer = vmx_hw_read(VTX_FIELD_EFER), cr0 = vmx_hw_read(VTX_FIELD_CR0);
	bool lma = (efer & VMX_EFER_LME) && (cr0 & VMX_CR0_PG);

	vmx_hw_write(VTX_FIELD_EFER, (efer & ~VMX_EFER_LMA) | (lma ? VMX_EFER_LMA : 0));
	v->controls_dirty = true;
}

/* Shadows: what the guest reads of the bits that it does not own. */
void vmx_put_shadows(struct vcpu *v)
{
	const struct vcpu_vmx *x = &v->vmx;
	uint64_t own0 = VMX_CR0_OWN & ~x->cr0_mask, own4 = vmx_cr4_own() & ~x->cr4_mask;

	vmx_hw_write(VTX_FIELD_CR0_MASK, x->cr0_mask | VMX_CR0_OWN);
	vmx_hw_write(VTX_FIELD_CR0_SHADOW, (x->cr0_shadow & ~own0) | (x->cr0_own & own0));
	vmx_hw_write(VTX_FIELD_CR4_MASK, x->cr4_mask | vmx_cr4_own());
	vmx_hw_write(VTX_FIELD_CR4_SHADOW, (x->cr4_shadow & ~own4) | (x->cr4_own & own4));
}

uint64_t vmx_get_cr0(struct vcpu *v)
{
	return (vmx_hw_read(VTX_FIELD_CR0) & ~VMX_CR0_OWN) | v->vmx.cr0_own;
}

uint64_t vmx_get_cr4(struct vcpu *v)
{
	return (vmx_hw_read(VTX_FIELD_CR4) & ~vmx_cr4_own()) | v->vmx.cr4_own;
}

void vmx_put_cr0(struct vcpu *v, uint64_t value)
{
	/* unrestricted guests need neither PE nor PG (24.8) */
	uint64_t must = vmx_traits.cr0_must & ~(VMX_CR0_PG | BIT(0));

	value = (value & VMX_CR0_DEFINED) | VMX_CR0_ET;
	if (!(value & VMX_CR0_CD))
		value &= ~VMX_CR0_NW;
	v->vmx.cr0_own = value & VMX_CR0_OWN;
	/* as MOV to CR0 would forget translations (Intel SDM vol. 3A 4.10.4.1) */
	if ((value ^ vmx_hw_read(VTX_FIELD_CR0)) & VMX_CR0_PG)
		v->tag.tag = 0;
	vmx_hw_write(VTX_FIELD_CR0, ((value & ~(VMX_CR0_CD | VMX_CR0_NW)) | must) & vmx_traits.cr0_may);
	vmx_put_shadows(v);
	vmx_put_lma(v);
}

void vmx_put_cr3(struct vcpu *v, uint64_t value)
{
	value &= vmx_traits.cr3_allowed;
	/* no MOV to CR3 happens, so the guest's tagged translations would outlive it */
	if (value != vmx_hw_read(VTX_FIELD_CR3))
		v->tag.tag = 0;
	vmx_hw_write(VTX_FIELD_CR3, value);
}

void vmx_put_cr4(struct vcpu *v, uint64_t value)
{
	value &= vmx_traits.cr4_guest;
	v->vmx.cr4_own = value & VMX_CR4_MCE;
	value |= vmx_traits.cr4_must | VMX_CR4_MCE;
	if (value != vmx_hw_read(VTX_FIELD_CR4))
		v->tag.tag = 0;
	vmx_hw_write(VTX_FIELD_CR4, value);
	vmx_put_shadows(v);
}

void vmx_put_efer(struct vcpu *v, uint64_t value)
{
	vmx_hw_write(VTX_FIELD_EFER, value & vmx_traits.efer_allowed);
	vmx_put_lma(v);
}

/* ---- flags and interruptibility ---- */

/*
 * Not both shadows, STI's only with IF set; and in a shadow a step is pending just if TF is set (27.3.1.5).
 * One that is pending for that reason alone ends with the shadow.
 */
void vmx_put_interruptibility(struct vcpu *v, uint64_t value)
{
	uint64_t rflags = vmx_hw_read(VTX_FIELD_RFLAGS), step = rflags & VMX_RFLAGS_TF ? VMX_PENDING_STEP : 0;

	value &= VMX_BLOCK_TRAPS | VTX_BLOCK_NMI;
	if ((value & VTX_BLOCK_MOV_SS) || !(rflags & VMX_RFLAGS_IF))
		value &= ~VTX_BLOCK_STI;
	vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY, value);
	if (likely(!(value & VMX_BLOCK_TRAPS) && !v->vmx.step_made))
		return;
	if (!(value & VMX_BLOCK_TRAPS))
		step = 0;
	v->vmx.step_made = step && (v->vmx.step_made || !vmx_hw_read(VTX_FIELD_PENDING_DEBUG));
	vmx_hw_write(VTX_FIELD_PENDING_DEBUG, step);
}

void vmx_put_rflags(struct vcpu *v, uint64_t value)
{
	vmx_hw_write(VTX_FIELD_RFLAGS, (value & VMX_RFLAGS_ALLOWED) | BIT(1));
	vmx_put_interruptibility(v, vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY));
}

void vmx_put_pending_debug(struct vcpu *v, uint64_t value)
{
	v->vmx.step_made = false;
	vmx_hw_write(VTX_FIELD_PENDING_DEBUG, value & VMX_PENDING_STEP);
	vmx_put_interruptibility(v, vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY));
}

void vmx_put_dr7(struct vcpu *v, uint64_t value)
{
	(void)v;
	vmx_hw_write(VTX_FIELD_DR7, (value & 0xffff2bffu) | BIT(10));
}

/* ---- groups in ---- */

static void vmx_put_segments(const struct insula_vcpu_state *s)
{
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++) {
		vmx_hw_write(VTX_FIELD_ES_SELECTOR + 2 * i, ONCE(s->seg[i].selector));
		vmx_hw_write(VTX_FIELD_ES_LIMIT + 2 * i, ONCE(s->seg[i].limit));
		vmx_hw_write(VTX_FIELD_ES_AR + 2 * i, ONCE(s->seg[i].ar) & VMX_AR_DEFINED);
		vmx_hw_write(VTX_FIELD_ES_BASE + 2 * i, virt_guest_canonical(ONCE(s->seg[i].base)));
	}
	vmx_hw_write(VTX_FIELD_GDTR_BASE, virt_guest_canonical(ONCE(s->gdtr.base)));
	vmx_hw_write(VTX_FIELD_GDTR_LIMIT, ONCE(s->gdtr.limit) & 0xffff);
	vmx_hw_write(VTX_FIELD_IDTR_BASE, virt_guest_canonical(ONCE(s->idtr.base)));
	vmx_hw_write(VTX_FIELD_IDTR_LIMIT, ONCE(s->idtr.limit) & 0xffff);
}

static void vmx_put_msrs(struct vcpu *v, const struct insula_vcpu_state *s)
{
	v->vmx.star = ONCE(s->star);
	v->vmx.lstar = virt_guest_canonical(ONCE(s->lstar));
	v->vmx.cstar = virt_guest_canonical(ONCE(s->cstar));
	v->vmx.sfmask = ONCE(s->sfmask) & 0xffffffffu;
	v->vmx.kernel_gs_base = virt_guest_canonical(ONCE(s->kernel_gs_base));
	vmx_hw_write(VTX_FIELD_SYSENTER_CS, ONCE(s->sysenter_cs) & 0xffffffffu);
	vmx_hw_write(VTX_FIELD_SYSENTER_ESP, virt_guest_canonical(ONCE(s->sysenter_esp)));
	vmx_hw_write(VTX_FIELD_SYSENTER_EIP, virt_guest_canonical(ONCE(s->sysenter_eip)));
	vmx_hw_write(VTX_FIELD_PAT, virt_guest_pat(ONCE(s->pat), vmx_hw_read(VTX_FIELD_PAT)));
}

void vmx_put(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s)
{
	if (groups & INSULA_VS_GPR)
		virt_guest_copy_gpr(v->gpr, s->gpr);
	if (!(groups & ~(uint64_t)INSULA_VS_GPR))
		return;
	vmx_activate(v);
	if (groups & INSULA_VS_IP) {
		vmx_hw_write(VTX_FIELD_RIP, ONCE(s->rip));
		vmx_hw_write(VTX_FIELD_RSP, ONCE(s->rsp));
		vmx_hw_write(VTX_FIELD_RFLAGS, (ONCE(s->rflags) & VMX_RFLAGS_ALLOWED) | BIT(1));
		vmx_put_interruptibility(v, ONCE(s->interruptibility));
		vmx_hw_write(VTX_FIELD_ACTIVITY, 0);
	}
	if (groups & INSULA_VS_CR) {
		vmx_put_efer(v, ONCE(s->efer));
		vmx_put_cr0(v, ONCE(s->cr0));
		vmx_put_cr3(v, ONCE(s->cr3));
		vmx_put_cr4(v, ONCE(s->cr4));
		v->vmx.cr2 = ONCE(s->cr2);
	}
	if (groups & INSULA_VS_SEG)
		vmx_put_segments(s);
	if (groups & INSULA_VS_MSR)
		vmx_put_msrs(v, s);
	if (groups & INSULA_VS_DEBUG) {
		vmx_put_dr7(v, ONCE(s->dr7));
		v->vmx.dr6 = (ONCE(s->dr6) & 0xffffffffu) | VMX_DR6_FIXED;
		for (unsigned i = 0; i < 4; i++)
			v->dr[i] = ONCE(s->dr[i]);
	}
	if (groups & INSULA_VS_CTL) {
		vmx_hw_write(VTX_FIELD_TSC_OFFSET, ONCE(s->tsc_offset));
		virt_guest_put_ctl(v, ONCE(s->xcr0), ONCE(s->tsc_aux));
	}
}

/* ---- groups out ---- */

static void vmx_get_segment(unsigned i, struct insula_vcpu_state *s)
{
	s->seg[i] = (struct insula_segment){
	    .base = vmx_hw_read(VTX_FIELD_ES_BASE + 2 * i),
	    .limit = (uint32_t)vmx_hw_read(VTX_FIELD_ES_LIMIT + 2 * i),
	    .selector = (uint16_t)vmx_hw_read(VTX_FIELD_ES_SELECTOR + 2 * i),
	    .ar = (uint32_t)vmx_hw_read(VTX_FIELD_ES_AR + 2 * i),
	};
}

static void vmx_get_segments(struct insula_vcpu_state *s)
{
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		vmx_get_segment(i, s);
	s->gdtr = (struct insula_segment){.base = vmx_hw_read(VTX_FIELD_GDTR_BASE),
					  .limit = (uint32_t)vmx_hw_read(VTX_FIELD_GDTR_LIMIT)};
	s->idtr = (struct insula_segment){.base = vmx_hw_read(VTX_FIELD_IDTR_BASE),
					  .limit = (uint32_t)vmx_hw_read(VTX_FIELD_IDTR_LIMIT)};
}

static void vmx_get_msrs(const struct vcpu *v, struct insula_vcpu_state *s)
{
	s->star = v->vmx.star;
	s->lstar = v->vmx.lstar;
	s->cstar = v->vmx.cstar;
	s->sfmask = v->vmx.sfmask;
	s->kernel_gs_base = v->vmx.kernel_gs_base;
	s->sysenter_cs = vmx_hw_read(VTX_FIELD_SYSENTER_CS);
	s->sysenter_esp = vmx_hw_read(VTX_FIELD_SYSENTER_ESP);
	s->sysenter_eip = vmx_hw_read(VTX_FIELD_SYSENTER_EIP);
	s->pat = vmx_hw_read(VTX_FIELD_PAT);
}

void vmx_get(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s)
{
	vmx_activate(v);
	if (groups & INSULA_VS_GPR)
		virt_guest_copy_gpr(s->gpr, v->gpr);
	if (groups & INSULA_VS_IP) {
		s->rip = vmx_hw_read(VTX_FIELD_RIP);
		s->rsp = vmx_hw_read(VTX_FIELD_RSP);
		s->rflags = vmx_hw_read(VTX_FIELD_RFLAGS);
		s->interruptibility = vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY);
		s->activity = 0;
		vmx_get_segment(INSULA_CS, s);
		vmx_get_segment(INSULA_SS, s);
	}
	if (groups & INSULA_VS_CR) {
		s->cr0 = vmx_get_cr0(v);
		s->cr3 = vmx_hw_read(VTX_FIELD_CR3);
		s->cr4 = vmx_get_cr4(v);
		s->efer = vmx_hw_read(VTX_FIELD_EFER);
		s->cr2 = v->vmx.cr2;
		s->xcr0 = v->xcr0;
	}
	if (groups & INSULA_VS_EXIT)
		virt_guest_get_exit(v, s);
	if (groups & INSULA_VS_SEG)
		vmx_get_segments(s);
	if (groups & INSULA_VS_MSR)
		vmx_get_msrs(v, s);
	if (groups & INSULA_VS_DEBUG) {
		s->dr7 = vmx_hw_read(VTX_FIELD_DR7);
		s->dr6 = v->vmx.dr6;
		for (unsigned i = 0; i < 4; i++)
			s->dr[i] = v->dr[i];
	}
	if (groups & INSULA_VS_CTL) {
		s->tsc_offset = vmx_hw_read(VTX_FIELD_TSC_OFFSET);
		s->xcr0 = v->xcr0;
		s->tsc_aux = v->tsc_aux;
	}
}

/* Power-on state (Intel SDM vol. 3A, table 10-1), with caches enabled as on SVM. */
void vmx_reset(struct vcpu *v)
{
	static const struct insula_vcpu_state reset = {
	    .rip = 0xfff0,
	    .rflags = 2,
	    .cr0 = VMX_CR0_ET,
	    .seg =
		{
		    [INSULA_ES] = {.limit = 0xffff, .ar = 0x93},
		    [INSULA_CS] = {.limit = 0xffff, .ar = 0x9b, .selector = 0xf000, .base = 0xffff0000},
		    [INSULA_SS] = {.limit = 0xffff, .ar = 0x93},
		    [INSULA_DS] = {.limit = 0xffff, .ar = 0x93},
		    [INSULA_FS] = {.limit = 0xffff, .ar = 0x93},
		    [INSULA_GS] = {.limit = 0xffff, .ar = 0x93},
		    [INSULA_LDTR] = {.limit = 0xffff, .ar = 0x82},
		    [INSULA_TR] = {.limit = 0xffff, .ar = 0x8b},
		},
	    .gdtr = {.limit = 0xffff},
	    .idtr = {.limit = 0xffff},
	    .pat = VIRT_PAT_RESET,
	    .dr7 = 0x400,
	};

	vmx_put(v, INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG, &reset);
	vmx_hw_write(VTX_FIELD_VMCS_LINK, ~UINT64_C(0));
	vmx_hw_write(VTX_FIELD_DEBUGCTL, 0);
	vmx_hw_write(VTX_FIELD_PENDING_DEBUG, 0);
	vmx_hw_write(VTX_FIELD_TSC_OFFSET, 0);
}
