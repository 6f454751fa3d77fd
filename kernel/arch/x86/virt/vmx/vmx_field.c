/*
 * ReadVMCS and WriteVMCS on VT-x: the allow-list. Guest state, controls with the bits that a VMM may choose,
 * exit data. Never host state, EPTP, VPID, addresses. The same list with the same constants as on SVM
 * (svm_field.c).
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_field.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/vmx/vmx_hw.h"

/* Is field the number of one of `count` fields from first on, in steps of 2? */
static bool vmx_field_in(uint32_t field, uint32_t first, unsigned count)
{
	return field >= first && field < first + 2 * count && !(field & 1);
}

/* Fields that VM entry checks, if at all, so that a wrong value costs the guest only: passed through. */
static bool vmx_field_plain(uint32_t field)
{
	if (vmx_field_in(field, VTX_FIELD_ES_SELECTOR, INSULA_SEG_COUNT) ||
	    vmx_field_in(field, VTX_FIELD_ES_LIMIT, INSULA_SEG_COUNT) ||
	    vmx_field_in(field, VTX_FIELD_ES_AR, INSULA_SEG_COUNT) ||
	    vmx_field_in(field, VTX_FIELD_ES_BASE, INSULA_SEG_COUNT) ||
	    vmx_field_in(field, VTX_FIELD_PDPTE0, 4))
		return true;
	switch (field) {
	case VTX_FIELD_TSC_OFFSET:
	case VTX_FIELD_SYSENTER_CS:
	case VTX_FIELD_SYSENTER_ESP:
	case VTX_FIELD_SYSENTER_EIP:
	case VTX_FIELD_GDTR_BASE:
	case VTX_FIELD_IDTR_BASE:
	case VTX_FIELD_GDTR_LIMIT:
	case VTX_FIELD_IDTR_LIMIT:
	case VTX_FIELD_RSP:
	case VTX_FIELD_RIP:
		return true;
	default:
		return false;
	}
}

static bool vmx_field_constant(uint32_t field, uint64_t *value)
{
	bool lma = field == VTX_FIELD_ENTRY_CONTROLS && (vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LMA);

	return virt_field_constant(field, lma, value);
}

static bool vmx_read_exit(const struct vcpu *v, uint32_t field, uint64_t *value)
{
	if (field != VTX_FIELD_INSTRUCTION_ERROR && field != VTX_FIELD_EXIT_INSTRUCTION)
		return virt_field_read_exit(v, field, value);
	*value = vmx_hw_read(field);
	return true;
}

/* Fields with a kernel's part in them, or kept in struct vcpu. */
static bool vmx_read_made(struct vcpu *v, uint32_t field, uint64_t *value)
{
	switch (field) {
	case VTX_FIELD_CR0_MASK:
		*value = v->vmx.cr0_mask;
		return true;
	case VTX_FIELD_CR4_MASK:
		*value = v->vmx.cr4_mask;
		return true;
	case VTX_FIELD_CR0_SHADOW:
		*value = v->vmx.cr0_shadow;
		return true;
	case VTX_FIELD_CR4_SHADOW:
		*value = v->vmx.cr4_shadow;
		return true;
	case VTX_FIELD_CR0:
		*value = vmx_get_cr0(v);
		return true;
	case VTX_FIELD_CR4:
		*value = vmx_get_cr4(v);
		return true;
	case VTX_FIELD_PENDING_DEBUG:
		*value = vmx_hw_read(field) & VMX_PENDING_STEP;
		return true;
	case VTX_FIELD_INTERRUPTIBILITY:
	case VTX_FIELD_PAT:
	case VTX_FIELD_EFER:
	case VTX_FIELD_CR3:
	case VTX_FIELD_DR7:
	case VTX_FIELD_RFLAGS:
		*value = vmx_hw_read(field);
		return true;
	default:
		return false;
	}
}

bool vmx_read_field(struct vcpu *v, uint32_t field, uint64_t *value)
{
	vmx_activate(v);
	if (vmx_field_plain(field)) {
		*value = vmx_hw_read(field);
		return true;
	}
	return virt_field_read_control(v, field, value) || vmx_read_made(v, field, value) ||
	       vmx_read_exit(v, field, value) || vmx_field_constant(field, value);
}

static bool vmx_write_shadow(struct vcpu *v, uint32_t field, uint64_t value)
{
	switch (field) {
	case VTX_FIELD_CR0_MASK:
		v->vmx.cr0_mask = value;
		break;
	case VTX_FIELD_CR4_MASK:
		v->vmx.cr4_mask = value;
		break;
	case VTX_FIELD_CR0_SHADOW:
		v->vmx.cr0_shadow = value;
		break;
	case VTX_FIELD_CR4_SHADOW:
		v->vmx.cr4_shadow = value;
		break;
	default:
		return false;
	}
	vmx_put_shadows(v);
	return true;
}

static bool vmx_write_made(struct vcpu *v, uint32_t field, uint64_t value)
{
	switch (field) {
	case VTX_FIELD_CR0:
		vmx_put_cr0(v, value);
		return true;
	case VTX_FIELD_CR3:
		vmx_put_cr3(v, value);
		return true;
	case VTX_FIELD_CR4:
		vmx_put_cr4(v, value);
		return true;
	case VTX_FIELD_EFER:
		vmx_put_efer(v, value);
		return true;
	case VTX_FIELD_RFLAGS:
		vmx_put_rflags(v, value);
		return true;
	case VTX_FIELD_INTERRUPTIBILITY:
		vmx_put_interruptibility(v, value);
		return true;
	case VTX_FIELD_DR7:
		vmx_put_dr7(v, value);
		return true;
	case VTX_FIELD_PENDING_DEBUG:
		vmx_put_pending_debug(v, value);
		return true;
	case VTX_FIELD_PAT:
		vmx_hw_write(field, virt_guest_pat(value, vmx_hw_read(field)));
		return true;
	default:
		return false;
	}
}

static uint64_t vmx_field_legal(uint32_t field, uint64_t value)
{
	if (vmx_field_in(field, VTX_FIELD_ES_BASE, INSULA_SEG_COUNT))
		return virt_guest_canonical(value);
	if (vmx_field_in(field, VTX_FIELD_ES_AR, INSULA_SEG_COUNT))
		return value & VMX_AR_DEFINED;
	if (vmx_field_in(field, VTX_FIELD_PDPTE0, 4))
		return value & vmx_traits.cr3_allowed & ~VMX_PDPTE_RESERVED;
	switch (field) {
	case VTX_FIELD_GDTR_LIMIT:
	case VTX_FIELD_IDTR_LIMIT:
		return value & 0xffff;
	case VTX_FIELD_SYSENTER_CS:
		return value & 0xffffffffu;
	case VTX_FIELD_SYSENTER_ESP:
	case VTX_FIELD_SYSENTER_EIP:
	case VTX_FIELD_GDTR_BASE:
	case VTX_FIELD_IDTR_BASE:
		return virt_guest_canonical(value);
	default:
		return value;
	}
}

bool vmx_write_field(struct vcpu *v, uint32_t field, uint64_t *value)
{
	vmx_activate(v);
	v->controls_dirty = true;
	if (vmx_field_plain(field)) {
		vmx_hw_write(field, vmx_field_legal(field, *value));
		return vmx_read_field(v, field, value);
	}
	if (virt_field_write_control(v, field, *value) || vmx_write_shadow(v, field, *value) ||
	    vmx_write_made(v, field, *value))
		return vmx_read_field(v, field, value);
	return vmx_field_constant(field, value); /* exit data is read-only */
}
