/* See virt_field.h. */
#include "arch/x86/virt/virt_field.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/vtx.h"

bool virt_field_read_exit(const struct vcpu *v, uint32_t field, uint64_t *value)
{
	switch (field) {
	case VTX_FIELD_GPA:
		*value = v->exit.gpa;
		return true;
	case VTX_FIELD_GLA:
		*value = v->exit.gla;
		return true;
	case VTX_FIELD_REASON:
		*value = v->exit.reason;
		return true;
	case VTX_FIELD_EXIT_INFO:
		*value = v->exit.info;
		return true;
	case VTX_FIELD_EXIT_ERROR:
		*value = v->exit.error;
		return true;
	case VTX_FIELD_IDT_INFO:
		*value = v->exit.idt;
		return true;
	case VTX_FIELD_IDT_ERROR:
		*value = v->exit.idt_error;
		return true;
	case VTX_FIELD_EXIT_LENGTH:
		*value = v->exit.length;
		return true;
	case VTX_FIELD_IO_RCX:
	case VTX_FIELD_IO_RCX + 2:
	case VTX_FIELD_IO_RCX + 4:
	case VTX_FIELD_IO_RCX + 6:
		*value = 0;
		return true;
	case VTX_FIELD_QUALIFICATION:
		*value = v->exit.qualification;
		return true;
	default:
		return false;
	}
}

bool virt_field_read_control(const struct vcpu *v, uint32_t field, uint64_t *value)
{
	switch (field) {
	case VTX_FIELD_PRIMARY:
		*value = v->primary;
		return true;
	case VTX_FIELD_SECONDARY:
		*value = VTX_SECONDARY_VALUE | (v->pause_loop ? VTX_SECONDARY_PAUSE_LOOP : 0);
		return true;
	case VTX_FIELD_EXCEPTIONS:
		*value = v->exceptions;
		return true;
	case VTX_FIELD_ENTRY_INFO:
		*value = v->entry_info;
		return true;
	case VTX_FIELD_ENTRY_ERROR:
		*value = v->entry_error;
		return true;
	case VTX_FIELD_ENTRY_LENGTH:
		*value = v->entry_length;
		return true;
	default:
		return false;
	}
}

bool virt_field_write_control(struct vcpu *v, uint32_t field, uint64_t value)
{
	switch (field) {
	case VTX_FIELD_PRIMARY:
		v->primary = ((uint32_t)value & (uint32_t)VTX_PRIMARY_FREE) | (uint32_t)VTX_PRIMARY_FORCED;
		return true;
	case VTX_FIELD_SECONDARY:
		v->pause_loop = (value & VTX_SECONDARY_PAUSE_LOOP) && (virt_features & INSULA_VIRT_PAUSE_LOOP);
		return true;
	case VTX_FIELD_EXCEPTIONS:
		v->exceptions = (uint32_t)value & ~(uint32_t)(BIT(2) | BIT(18));
		return true;
	case VTX_FIELD_ENTRY_INFO:
		v->entry_info = value & VTX_EVENT_MASK;
		return true;
	case VTX_FIELD_ENTRY_ERROR:
		v->entry_error = (uint32_t)value;
		return true;
	case VTX_FIELD_ENTRY_LENGTH:
		v->entry_length = (uint32_t)value & 15;
		return true;
	default:
		return false;
	}
}

bool virt_field_constant(uint32_t field, bool long_mode, uint64_t *value)
{
	switch (field) {
	case VTX_FIELD_PIN:
		*value = VTX_PIN_VALUE;
		return true;
	case VTX_FIELD_EXIT_CONTROLS:
		*value = VTX_EXIT_VALUE;
		return true;
	case VTX_FIELD_ENTRY_CONTROLS:
		*value = VTX_ENTRY_VALUE | (long_mode ? VTX_ENTRY_LONG_MODE : 0);
		return true;
	case VTX_FIELD_VMCS_LINK:
		*value = ~UINT64_C(0);
		return true;
	case VTX_FIELD_DEBUGCTL:
	case VTX_FIELD_PF_MASK:
	case VTX_FIELD_PF_MATCH:
	case VTX_FIELD_CR3_TARGETS:
	case VTX_FIELD_TPR_THRESHOLD:
	case VTX_FIELD_ACTIVITY:
	case VTX_FIELD_SMBASE:
	case VTX_FIELD_PERF_GLOBAL:
	case VTX_FIELD_PREEMPTION_TIMER:
		*value = 0;
		return true;
	default:
		return false;
	}
}
