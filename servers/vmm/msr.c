/*
 * Model-specific registers that exit. What a guest may have is listed; anything else is #GP, as real hardware
 * and Xen answer, and is logged once; or, if its toolstack says so, nothing.
 */
#include "servers/vmm/vmm.h"

#include "servers/vmm/xen/xen.h"

#define MSR_TSC		     0x10u
#define MSR_PLATFORM_ID	     0x17u
#define MSR_APIC_BASE	     0x1bu
#define MSR_TSC_ADJUST	     0x3bu
#define MSR_BIOS_SIGN	     0x8bu
#define MSR_MTRRCAP	     0xfeu
#define MSR_MCG_CAP	     0x179u
#define MSR_MCG_STATUS	     0x17au
#define MSR_MCG_CTL	     0x17bu
#define MSR_MISC_ENABLE	     0x1a0u
#define MSR_DEBUGCTL	     0x1d9u
#define MSR_PAT		     0x277u
#define MSR_MC0_CTL2	     0x280u
#define MSR_MTRR_DEF_TYPE    0x2ffu
#define MSR_MC0_CTL	     0x400u
#define MSR_TSC_DEADLINE     0x6e0u
#define MSR_X2APIC_FIRST     0x800u
#define MSR_X2APIC_LAST	     0x8ffu
#define MSR_XEN_HYPERCALL    0x40000000u
#define MSR_EFER	     0xc0000080u
#define MSR_TSC_AUX	     0xc0000103u
#define MSR_AMD_SYSCFG	     0xc0010010u
#define MSR_AMD_HWCR	     0xc0010015u
#define MSR_AMD_TOP_MEM	     0xc001001au
#define MSR_AMD_TOP_MEM2     0xc001001du
#define MSR_AMD_NB_CFG	     0xc001001fu
#define MSR_AMD_PATCH_LOADER 0xc0010020u
#define MSR_AMD_DE_CFG	     0xc0011029u

#define MCG_COUNT  0xffu
#define MCG_CTL_P  (1u << 8)
#define MCG_CMCI_P (1u << 10)

#define EFER_GUEST 0x4d01ull /* SCE LME LMA NXE FFXSR */

static struct lapic_action apic_access(struct vcpu *v, uint32_t msr, bool write, uint64_t *value)
{
	struct lapic_action a = {.kind = LAPIC_NOTHING};
	bool bad = false;

	if (v->lapic.mode != LAPIC_X2APIC) {
		a.kind = LAPIC_FAULT;
		return a;
	}
	if (write)
		return lapic_write(&v->lapic, (msr - MSR_X2APIC_FIRST) << 4, *value, time_system_ns());
	*value = lapic_read(&v->lapic, (msr - MSR_X2APIC_FIRST) << 4, time_system_ns(), &bad);
	if (bad)
		a.kind = LAPIC_FAULT;
	return a;
}

/* Machine-check banks: only of a domain that Xen has saved, which gives some to every guest. None of them
 * ever has an error. */
static bool is_bank(const struct vcpu *v, uint32_t msr)
{
	uint32_t count = (uint32_t)v->vmce[0] & MCG_COUNT;

	return (msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + 4 * count) ||
	       (msr == MSR_MCG_CTL && v->vmce[0] & MCG_CTL_P);
}

static bool is_bank_control(const struct vcpu *v, uint32_t msr)
{
	return v->vmce[0] & MCG_CMCI_P && msr >= MSR_MC0_CTL2 &&
	       msr < MSR_MC0_CTL2 + ((uint32_t)v->vmce[0] & MCG_COUNT);
}

static bool read_single(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_TSC:
		*value = cpu_tsc() + v->s->tsc_offset;
		return true;
	case MSR_APIC_BASE:
		*value = lapic_base_read(&v->lapic);
		return true;
	case MSR_EFER:
		*value = v->s->efer & EFER_GUEST;
		return true;
	case MSR_PAT:
		*value = v->s->pat;
		return true;
	case MSR_TSC_AUX:
		*value = v->s->tsc_aux;
		return true;
	case MSR_TSC_ADJUST:
		*value = v->tsc_adjust;
		return true;
	case MSR_TSC_DEADLINE:
		*value = v->lapic.tsc_deadline;
		return true;
	case MSR_MTRRCAP:
		return true; /* no variable, no fixed ranges: all is write-back */
	case MSR_MTRR_DEF_TYPE:
		*value = (1u << 11) | 6u;
		return true;
	case MSR_MISC_ENABLE:
		*value = vmm.is_amd ? 0 : (1u << 11) | (1u << 12); /* no BTS, no PEBS */
		return !vmm.is_amd;
	case MSR_BIOS_SIGN:
		*value = vmm.is_amd ? 0 : 0xffffffffull << 32; /* newer than any known: guests load none */
		return true;
	case MSR_PLATFORM_ID:
		return !vmm.is_amd;
	case MSR_MCG_CAP:
		*value = v->vmce[0];
		return true;
	case MSR_MCG_STATUS:
	case MSR_DEBUGCTL:
		return true;
	case MSR_AMD_SYSCFG:
	case MSR_AMD_HWCR:
	case MSR_AMD_NB_CFG:
	case MSR_AMD_TOP_MEM:
	case MSR_AMD_TOP_MEM2:
		return vmm.is_amd;
	case MSR_AMD_DE_CFG:
		*value = 1u << 1; /* LFENCE is dispatch-serialising */
		return vmm.is_amd;
	default:
		return vmm.start->flags & VMM_START_MSR_RELAXED;
	}
}

static bool read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = 0;
	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return apic_access(v, msr, false, value).kind != LAPIC_FAULT;
	if (is_bank(v, msr))
		return true;
	if (is_bank_control(v, msr)) {
		*value = msr - MSR_MC0_CTL2 < 2 ? v->vmce[1 + msr - MSR_MC0_CTL2] : 0;
		return true;
	}
	return read_single(v, msr, value);
}

static bool efer_write(struct vcpu *v, uint64_t value)
{
	uint64_t old = v->s->efer;

	if (value & ~cpuid_efer_mask())
		return false;
	if (((value ^ old) & EFER_LME) && (v->s->cr0 & CR0_PG))
		return false;
	v->s->efer = (value & ~EFER_LMA) | (old & EFER_LMA);
	v->s->dirty |= INSULA_VS_CR;
	return true;
}

/* Its TSC and IA32_TSC_ADJUST change by so much. */
static void tsc_move(struct vcpu *v, uint64_t by)
{
	v->s->tsc_offset += by;
	v->tsc_adjust += by;
	v->s->dirty |= INSULA_VS_CTL;
	xen_update_time(v); /* pvclock is relative to the guest's TSC */
}

/* Eight memory types that exist (SDM volume 3, 11.12). */
static bool pat_legal(uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t t = value >> i & 0xff;

		if (t > 7 || t == 2 || t == 3)
			return false;
	}
	return true;
}

static bool write_single(struct vcpu *v, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_TSC:
		tsc_move(v, value - cpu_tsc() - v->s->tsc_offset);
		return true;
	case MSR_TSC_ADJUST:
		tsc_move(v, value - v->tsc_adjust);
		return true;
	case MSR_APIC_BASE:
		if (!lapic_base_write(&v->lapic, value))
			return false;
		timer_update(v);
		return true;
	case MSR_EFER:
		return efer_write(v, value);
	case MSR_PAT:
		if (!pat_legal(value))
			return false;
		v->s->pat = value;
		v->s->dirty |= INSULA_VS_MSR;
		return true;
	case MSR_TSC_AUX:
		if (value >> 32)
			return false;
		v->s->tsc_aux = value;
		v->s->dirty |= INSULA_VS_CTL;
		return true;
	case MSR_XEN_HYPERCALL:
		/* CPUID 0x40000002: the low bits are the page's index; there is one */
		return (value & (PAGE - 1)) == 0 && hypercall_page(v, gpa(value));
	case MSR_BIOS_SIGN:
	case MSR_MTRR_DEF_TYPE:
	case MSR_MCG_STATUS:
		return true; /* accepted without effect: nothing that a guest could see depends on it */
	case MSR_MISC_ENABLE:
		return !vmm.is_amd;
	case MSR_DEBUGCTL:
		return value == 0;
	case MSR_AMD_HWCR:
	case MSR_AMD_NB_CFG:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_PATCH_LOADER:
	case MSR_AMD_DE_CFG:
		return vmm.is_amd;
	default:
		return vmm.start->flags & VMM_START_MSR_RELAXED;
	}
}

static bool write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST) {
		struct lapic_action a = apic_access(v, msr, true, &value);

		if (a.kind == LAPIC_FAULT)
			return false;
		vcpu_apic_action(v, a);
		return true;
	}
	if (is_bank(v, msr))
		return true;
	if (is_bank_control(v, msr)) {
		if (msr - MSR_MC0_CTL2 < 2)
			v->vmce[1 + msr - MSR_MC0_CTL2] = value;
		return true;
	}
	return write_single(v, msr, value);
}

void msr_read_exit(struct vcpu *v)
{
	uint32_t msr = (uint32_t)v->s->gpr[INSULA_RCX];
	uint64_t value;

	if (!read(v, msr, &value)) {
		xen_log_once("read of MSR", msr);
		vcpu_raise(v, X86_GP, true, 0);
		return;
	}
	if (!vcpu_skip(v))
		return;
	vcpu_set_gpr(v, INSULA_RAX, (uint32_t)value);
	vcpu_set_gpr(v, INSULA_RDX, value >> 32);
}

void msr_write_exit(struct vcpu *v)
{
	uint32_t msr = (uint32_t)v->s->gpr[INSULA_RCX];
	uint64_t value = (v->s->gpr[INSULA_RDX] << 32) | (uint32_t)v->s->gpr[INSULA_RAX];

	if (!write(v, msr, value)) {
		xen_log_once("write of MSR", msr);
		vcpu_raise(v, X86_GP, true, 0);
		return;
	}
	(void)vcpu_skip(v);
}
