/*
 * Exits on VT-x that the kernel deals with itself, so that a VMM sees the same machine on both vendors: debug
 * registers loaded late, #DB and #AC, bits of CR0 that a guest may not really set, the system call MSRs
 * (which neither VM entry nor exit switches), VT-x's own instructions. Called by vmx_run. Intel SDM vol. 3C,
 * chapters 26 and 28.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/vmx/vmx_hw.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/msr.h"

static vtx_event_t vmx_exit_event(uint64_t w)
{
	return (vtx_event_t){{w}};
}

void vmx_exit_reflect(struct vcpu *v, unsigned vector, bool error_valid, uint32_t error)
{
	v->entry_info = vtx_event_make(VTX_EVENT_EXCEPTION, vector, error_valid);
	v->entry_error = error;
}

/* Over the instruction, with which an STI's or MOV SS's shadow ends. */
static void vmx_exit_skip(struct vcpu *v)
{
	uint64_t block = vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY);

	vmx_hw_write(VTX_FIELD_RIP, vmx_hw_read(VTX_FIELD_RIP) + v->exit.length);
	vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY, block & ~(VTX_BLOCK_STI | VTX_BLOCK_MOV_SS));
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
		return (uint64_t)((int64_t)(value << 16) >> 16) == value;
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
		vmx_exit_reflect(v, 13, true, 0);
		return VIRT_RUN_AGAIN;
	} else {
		*word = value;
		if (msr != MSR_CSTAR) /* which VT-x's CPUs have but never use in 64-bit mode */
			cpu_wrmsr(msr, value);
	}
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

/* CR0 as the guest reads it: what it owns, and what the shadow says of the rest. */
static uint64_t vmx_exit_guest_cr0(void)
{
	uint64_t mask = vmx_hw_read(VTX_FIELD_CR0_MASK);

	return (vmx_hw_read(VTX_FIELD_CR0) & ~mask) | (vmx_hw_read(VTX_FIELD_CR0_SHADOW) & mask);
}

/* MOV to CR0 that changes only bits that are ours, or bits that the guest may change besides. */
static enum virt_run vmx_exit_cr0(struct vcpu *v, uint64_t value)
{
	uint64_t old = vmx_exit_guest_cr0(), efer = vmx_hw_read(VTX_FIELD_EFER);
	bool pg = value & VMX_CR0_PG, lme = efer & VMX_EFER_LME;

	if ((value ^ old) & v->vmx.cr0_mask)
		return VIRT_RUN_EXIT;
	if (value >> 32 || (pg && !(value & BIT(0))) || ((value & VMX_CR0_NW) && !(value & VMX_CR0_CD)) ||
	    (pg && !(old & VMX_CR0_PG) && lme && !(vmx_hw_read(VTX_FIELD_CR4) & BIT(5)))) {
		vmx_exit_reflect(v, 13, true, 0);
		return VIRT_RUN_AGAIN;
	}
	/* entering PAE paging needs the PDPTEs, which are in the guest's memory */
	if (pg && !(old & VMX_CR0_PG) && !lme && (vmx_hw_read(VTX_FIELD_CR4) & BIT(5)))
		return VIRT_RUN_EXIT;
	vmx_put_cr0(v, (value & ~v->vmx.cr0_mask) | (vmx_hw_read(VTX_FIELD_CR0) & v->vmx.cr0_mask));
	if ((value ^ old) & VMX_CR0_PG)
		v->tag.tag = 0;
	vmx_exit_skip(v);
	return VIRT_RUN_AGAIN;
}

static enum virt_run vmx_exit_cr(struct vcpu *v)
{
	vtx_cr_t q = {{v->exit.qualification}};
	unsigned gpr = (unsigned)vtx_cr_gpr(q);
	uint64_t value = gpr == 4 ? vmx_hw_read(VTX_FIELD_RSP) : v->gpr[gpr];

	if (vtx_cr_access(q) != 0)
		return VIRT_RUN_EXIT;
	if (vtx_cr_number(q) == 0)
		return vmx_exit_cr0(v, value);
	if (vtx_cr_number(q) == 4 && (value & VMX_CR4_VMXE) && !(v->vmx.cr4_mask & VMX_CR4_VMXE)) {
		vmx_exit_reflect(v, 13, true, 0); /* the guest has no VT-x */
		return VIRT_RUN_AGAIN;
	}
	return VIRT_RUN_EXIT;
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
	vmx_exit_reflect(v, 1, false, 0);
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
	if (vector == 18) {
		vmx_entry_machine_check();
		return VIRT_RUN_AGAIN;
	}
	if ((v->exceptions & BIT(vector)) || v->exit.idt)
		return VIRT_RUN_EXIT;
	if (vector == 1)
		return vmx_exit_debug(v);
	if (vector == 17) {
		vmx_exit_reflect(v, 17, true, v->exit.error);
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
	case VTX_REASON_INVEPT:
	case VTX_REASON_INVVPID:
	case VTX_REASON_VMFUNC:
		vmx_exit_reflect(v, 6, false, 0);
		return VIRT_RUN_AGAIN;
	default:
		if (reason >= VTX_REASON_VMX_FIRST && reason <= VTX_REASON_VMX_LAST) {
			vmx_exit_reflect(v, 6, false, 0);
			return VIRT_RUN_AGAIN;
		}
		return VIRT_RUN_EXIT;
	}
}
