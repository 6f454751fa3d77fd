/*
 * Exits on VT-x that the kernel deals with itself, so that a VMM sees the same machine on both vendors: debug
 * registers loaded late, #DB and #AC, bits of CR0 and CR4 that a guest may not really set, CR8 where the CPU
 * has no TPR shadow, the system call MSRs (which neither VM entry nor exit switches), VT-x's own
 * instructions. Called by vmx_run. Intel SDM vol. 3C, chapters 26 and 28.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/vmx/vmx_hw.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/msr.h"

static vtx_event_t vmx_exit_event(uint64_t w)
{
	return (vtx_event_t){{w}};
}

/* Over the instruction, with which an STI's or MOV SS's shadow ends; a single step is one over it. */
static void vmx_exit_skip(struct vcpu *v)
{
	uint64_t block = vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY);

	vmx_hw_write(VTX_FIELD_RIP, vmx_hw_read(VTX_FIELD_RIP) + v->exit.length);
	vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY, block & ~(VTX_BLOCK_STI | VTX_BLOCK_MOV_SS));
	if (unlikely(vmx_hw_read(VTX_FIELD_RFLAGS) & VMX_RFLAGS_TF))
		vmx_hw_write(VTX_FIELD_PENDING_DEBUG, VMX_PENDING_STEP);
}

static enum virt_run vmx_exit_general_protection(struct vcpu *v)
{
	virt_guest_raise(v, 13, true, 0);
	return VIRT_RUN_AGAIN;
}

static bool vmx_exit_64bit_code(void)
{
	return (vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LMA) &&
	       vtx_ar_part_long((vtx_ar_t){{vmx_hw_read(VTX_FIELD_ES_AR + 2 * INSULA_CS)}});
}

uint64_t *vmx_exit_msr(struct vcpu *v, uint32_t msr)
{
	switch (msr) {
	case MSR_STAR:
		return &v->vmx.star;
	case MSR_LSTAR:
		return &v->vmx.lstar;
	case MSR_CSTAR:
		return &v->vmx.cstar;
	case MSR_SFMASK:
		return &v->vmx.sfmask;
	default:
		return NULL;
	}
}

/* The CPU has checked that the guest may execute it; what remains is the value. */
static bool vmx_exit_msr_legal(uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_LSTAR:
	case MSR_CSTAR:
		return virt_guest_canonical(value) == value;
	case MSR_SFMASK:
		return value >> 32 == 0;
	default:
		return true;
	}
}

static enum virt_run vmx_exit_rw_msr(struct vcpu *v, bool write)
{
	uint32_t msr = (uint32_t)v->gpr[INSULA_RCX];
	uint64_t *word = vmx_exit_msr(v, msr);
	uint64_t value = v->gpr[INSULA_RDX] << 32 | (v->gpr[INSULA_RAX] & 0xffffffffu);

	if (!word)
		return VIRT_RUN_EXIT;
	if (!write) {
		v->gpr[INSULA_RAX] = *word & 0xffffffffu;
		v->gpr[INSULA_RDX] = *word >> 32;
	} else if (!vmx_exit_msr_legal(msr, value)) {
		return vmx_exit_general_protection(v);
	} else {
		*word = value;
		if (msr != MSR_CSTAR) /* which VT-x's CPUs have but never use in 64-bit mode */
			cpu_wrmsr(msr, value);
	}
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

/*
 * A MOV to CR0 or CR4 that does more than we can do for it: with the shadow of our own bits as it wants them
 * it is no exit any more, and the CPU executes it.
 */
static enum virt_run vmx_exit_retry(struct vcpu *v)
{
	vmx_put_shadows(v);
	return VIRT_RUN_AGAIN;
}

/* CR0 as the guest reads it: what it owns, and what the shadow says of the rest. */
static uint64_t vmx_exit_guest_cr0(void)
{
	uint64_t mask = vmx_hw_read(VTX_FIELD_CR0_MASK);

	return (vmx_hw_read(VTX_FIELD_CR0) & ~mask) | (vmx_hw_read(VTX_FIELD_CR0_SHADOW) & mask);
}

/* What MOV to CR0 refuses (Intel SDM vol. 2B). */
static bool vmx_exit_cr0_legal(uint64_t value, uint64_t old)
{
	uint64_t cr4 = vmx_hw_read(VTX_FIELD_CR4);
	bool pg = value & VMX_CR0_PG, was = old & VMX_CR0_PG,
	     lme = vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LME;

	if (value >> 32 || (pg && !(value & VMX_CR0_PE)) || ((value & VMX_CR0_NW) && !(value & VMX_CR0_CD)))
		return false;
	if (pg && !was && lme)
		return (cr4 & VMX_CR4_PAE) &&
		       !vtx_ar_part_long((vtx_ar_t){{vmx_hw_read(VTX_FIELD_ES_AR + 2 * INSULA_CS)}});
	return pg || !was || (!vmx_exit_64bit_code() && !(cr4 & VMX_CR4_PCIDE));
}

/* MOV to CR0 that changes only bits that are ours, or bits that the guest may change besides. */
static enum virt_run vmx_exit_cr0(struct vcpu *v, uint64_t value)
{
	uint64_t old = vmx_exit_guest_cr0(), mask = v->vmx.cr0_mask;
	bool lme = vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LME;

	if ((value ^ old) & mask)
		return VIRT_RUN_EXIT;
	if (!vmx_exit_cr0_legal(value, old))
		return vmx_exit_general_protection(v);
	/* entering PAE paging loads the PDPTEs from the guest's memory: the CPU's to do, and to refuse */
	if ((value & VMX_CR0_PG) && !(old & VMX_CR0_PG) && !lme &&
	    (vmx_hw_read(VTX_FIELD_CR4) & VMX_CR4_PAE)) {
		v->vmx.cr0_own = value & VMX_CR0_OWN;
		return vmx_exit_retry(v);
	}
	vmx_put_cr0(v, (value & ~mask) | (vmx_hw_read(VTX_FIELD_CR0) & mask));
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

/* MOV to CR4 that changes CR4.MCE, or sets what no guest may set. */
static enum virt_run vmx_exit_cr4(struct vcpu *v, uint64_t value)
{
	uint64_t mask = v->vmx.cr4_mask, real = vmx_hw_read(VTX_FIELD_CR4);
	uint64_t old = (vmx_get_cr4(v) & ~mask) | (v->vmx.cr4_shadow & mask), changed = value ^ old;
	bool pae = (vmx_hw_read(VTX_FIELD_CR0) & VMX_CR0_PG) && !(vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LMA);

	if (changed & mask)
		return VIRT_RUN_EXIT;
	if (!virt_guest_cr4_legal(value, old, vmx_traits.cr4_guest,
				  vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LMA, vmx_hw_read(VTX_FIELD_CR3)))
		return vmx_exit_general_protection(v);
	/* these load the PDPTEs */
	if (pae && (value & VMX_CR4_PAE) &&
	    (changed & (VMX_CR4_PAE | VMX_CR4_PSE | VMX_CR4_PGE | VMX_CR4_SMEP))) {
		v->vmx.cr4_own = value & VMX_CR4_MCE;
		return vmx_exit_retry(v);
	}
	vmx_put_cr4(v, (value & ~mask) | (real & mask));
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

/* Without a TPR shadow all accesses to CR8 come here; the virtual TPR is what they are to. */
static enum virt_run vmx_exit_cr8(struct vcpu *v, unsigned gpr, bool write)
{
	uint64_t value = gpr == 4 ? vmx_hw_read(VTX_FIELD_RSP) : v->gpr[gpr];

	if (v->primary & (write ? VTX_PRIMARY_CR8_LOAD : VTX_PRIMARY_CR8_STORE))
		return VIRT_RUN_EXIT;
	if (write && value > 15)
		return vmx_exit_general_protection(v);
	if (write)
		v->virtual_tpr[0] = (uint8_t)(value << 4);
	else if (gpr == 4)
		vmx_hw_write(VTX_FIELD_RSP, v->virtual_tpr[0] >> 4);
	else
		v->gpr[gpr] = v->virtual_tpr[0] >> 4;
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

static enum virt_run vmx_exit_cr(struct vcpu *v)
{
	vtx_cr_t q = {{v->exit.qualification}};
	unsigned gpr = (unsigned)vtx_cr_gpr(q), access = (unsigned)vtx_cr_access(q);
	uint64_t value = gpr == 4 ? vmx_hw_read(VTX_FIELD_RSP) : v->gpr[gpr];

	if (access > 1)
		return VIRT_RUN_EXIT;
	if (!vmx_exit_64bit_code())
		value &= 0xffffffffu;
	switch (vtx_cr_number(q)) {
	case 0:
		return access == 0 ? vmx_exit_cr0(v, value) : VIRT_RUN_EXIT;
	case 4:
		return access == 0 ? vmx_exit_cr4(v, value) : VIRT_RUN_EXIT;
	case 8:
		return vmx_exit_cr8(v, gpr, access == 0);
	default:
		return VIRT_RUN_EXIT;
	}
}

/*
 * #DB that the VMM has not asked for: DR6 is not updated by an exit, and DR7.GD not cleared (28.1); the bits
 * are in the qualification.
 */
static enum virt_run vmx_exit_debug(struct vcpu *v)
{
	uint64_t dr6 = cpu_read_dr(6) & ~UINT64_C(0xf);

	cpu_write_dr(6, dr6 | (v->exit.qualification & 0x600f));
	vmx_put_dr7(v, vmx_hw_read(VTX_FIELD_DR7) & ~BIT(13));
	virt_guest_raise(v, 1, false, 0);
	/* INT1 is at RIP still: its handler returns behind it */
	if (vtx_event_type(vmx_exit_event(v->exit.info)) == VTX_EVENT_PRIVILEGED) {
		v->entry_info = vtx_event_make(VTX_EVENT_PRIVILEGED, 1, false);
		v->entry_length = v->exit.length;
	}
	return VIRT_RUN_AGAIN;
}

static enum virt_run vmx_exit_exception(struct vcpu *v)
{
	vtx_event_t e = vmx_exit_event(v->exit.info);
	unsigned vector = (unsigned)vtx_event_vector(e);

	if (vtx_event_type(e) == VTX_EVENT_NMI) {
		vmx_entry_nmi();
		return VIRT_RUN_AGAIN;
	}
	if (vector == 18)
		return mce_guest() ? VIRT_RUN_AGAIN : VIRT_RUN_EXIT;
	if ((v->exceptions & BIT(vector)) || v->exit.idt)
		return VIRT_RUN_EXIT;
	if (vector == 1)
		return vmx_exit_debug(v);
	if (vector == 17) {
		virt_guest_raise(v, 17, true, v->exit.error);
		return VIRT_RUN_AGAIN;
	}
	return VIRT_RUN_EXIT;
}

/* The guest was in an IRET that ends NMI blocking when it faulted: it still is (28.2.3). */
static void vmx_exit_block_nmi(struct vcpu *v)
{
	bool unblocked = v->exit.reason == VTX_REASON_EPT_VIOLATION
			     ? vmx_violation_nmi_unblock((vmx_violation_t){{v->exit.qualification}})
			     : v->exit.reason == VTX_REASON_EXCEPTION &&
				   vtx_event_nmi_unblock(vmx_exit_event(v->exit.info)) &&
				   vtx_event_vector(vmx_exit_event(v->exit.info)) != 8;

	if (unlikely(unblocked) && !v->exit.idt)
		vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY,
			     vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY) | VTX_BLOCK_NMI);
	v->exit.info &= VTX_EVENT_MASK;
}

enum virt_run vmx_exit(struct vcpu *v)
{
	uint32_t reason = (uint32_t)v->exit.reason;

	vmx_exit_block_nmi(v);
	switch (reason) {
	case VTX_REASON_EXCEPTION:
		return vmx_exit_exception(v);
	case VTX_REASON_INTERRUPT:
		return irq_poll() ? VIRT_RUN_INTERRUPT : VIRT_RUN_AGAIN;
	case VTX_REASON_INTERRUPT_WINDOW:
		return v->primary & VTX_PRIMARY_INTERRUPT_WINDOW ? VIRT_RUN_EXIT : VIRT_RUN_AGAIN;
	case VTX_REASON_NMI_WINDOW:
		return v->primary & VTX_PRIMARY_NMI_WINDOW ? VIRT_RUN_EXIT : VIRT_RUN_AGAIN;
	case VTX_REASON_INIT:
	case VTX_REASON_SIPI:
		return VIRT_RUN_AGAIN;
	case VTX_REASON_CR:
		return vmx_exit_cr(v);
	case VTX_REASON_DR:
		if (v->primary & VTX_PRIMARY_MOV_DR)
			return VIRT_RUN_EXIT;
		virt_guest_load_dr(v);
		return VIRT_RUN_AGAIN;
	case VTX_REASON_RDMSR:
		return vmx_exit_rw_msr(v, false);
	case VTX_REASON_WRMSR:
		return vmx_exit_rw_msr(v, true);
	case VTX_REASON_GETSEC:
	case VTX_REASON_INVEPT:
	case VTX_REASON_INVVPID:
	case VTX_REASON_VMFUNC:
		virt_guest_raise(v, 6, false, 0);
		return VIRT_RUN_AGAIN;
	default:
		if (reason >= VTX_REASON_VMX_FIRST && reason <= VTX_REASON_VMX_LAST) {
			virt_guest_raise(v, 6, false, 0);
			return VIRT_RUN_AGAIN;
		}
		return VIRT_RUN_EXIT;
	}
}
