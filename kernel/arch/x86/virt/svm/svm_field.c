/*
 * ReadVMCS and WriteVMCS on SVM: VMCS fields by VT-x's encodings, found in the VMCB or kept beside it. The
 * list is what VT-x offers a VMM: guest state, controls, exit data. Fields without a counterpart read as the
 * value that they always have.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/virt_field.h"
#include "arch/x86/virt/virt_guest.h"

/* Segment number of field in a block that starts at first, or -1. */
static int svm_field_segment(uint32_t field, uint32_t first)
{
	uint32_t n = (field - first) / 2;

	return field >= first && !(field & 1) && n < INSULA_SEG_COUNT ? (int)n : -1;
}

static bool svm_read_segment(struct vcpu *v, uint32_t field, uint64_t *value)
{
	int n;

	if ((n = svm_field_segment(field, VTX_FIELD_ES_SELECTOR)) >= 0)
		*value = svm_segment(v, (unsigned)n)->selector;
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_LIMIT)) >= 0)
		*value = svm_segment(v, (unsigned)n)->limit;
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_AR)) >= 0)
		*value = svm_get_ar(v, (unsigned)n);
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_BASE)) >= 0)
		*value = svm_segment(v, (unsigned)n)->base;
	return n >= 0;
}

static bool svm_write_segment(struct vcpu *v, uint32_t field, uint64_t value)
{
	int n;

	if ((n = svm_field_segment(field, VTX_FIELD_ES_SELECTOR)) >= 0)
		svm_segment(v, (unsigned)n)->selector = (uint16_t)value;
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_LIMIT)) >= 0)
		svm_segment(v, (unsigned)n)->limit = (uint32_t)value;
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_AR)) >= 0)
		svm_put_ar(v, (unsigned)n, (uint32_t)value);
	else if ((n = svm_field_segment(field, VTX_FIELD_ES_BASE)) >= 0)
		svm_segment(v, (unsigned)n)->base = virt_guest_canonical(value);
	if (n < 0)
		return false;
	svm_dirty(v, SVM_CLEAN_SEG);
	return true;
}

/* Fields that are a whole word of the VMCB or of struct vcpu, the same in both directions. */
struct svm_field_word {
	uint64_t *word;
	uint64_t clean; /* groups of the VMCB that a write makes stale */
};

static struct svm_field_word svm_field_word(struct vcpu *v, uint32_t field)
{
	struct vmcb *b = svm_vmcb(v);

	switch (field) {
	case VTX_FIELD_TSC_OFFSET:
		return (struct svm_field_word){&b->tsc_offset, SVM_CLEAN_INTERCEPTS};
	case VTX_FIELD_SYSENTER_CS:
		return (struct svm_field_word){&b->sysenter_cs, 0};
	case VTX_FIELD_SYSENTER_ESP:
		return (struct svm_field_word){&b->sysenter_esp, 0};
	case VTX_FIELD_SYSENTER_EIP:
		return (struct svm_field_word){&b->sysenter_eip, 0};
	case VTX_FIELD_GDTR_BASE:
		return (struct svm_field_word){&b->gdtr.base, SVM_CLEAN_DT};
	case VTX_FIELD_IDTR_BASE:
		return (struct svm_field_word){&b->idtr.base, SVM_CLEAN_DT};
	case VTX_FIELD_RSP:
		return (struct svm_field_word){&b->rsp, 0};
	case VTX_FIELD_RIP:
		return (struct svm_field_word){&b->rip, 0};
	case VTX_FIELD_CR0_MASK:
		return (struct svm_field_word){&v->svm.cr0_mask, 0};
	case VTX_FIELD_CR4_MASK:
		return (struct svm_field_word){&v->svm.cr4_mask, 0};
	case VTX_FIELD_CR0_SHADOW:
		return (struct svm_field_word){&v->svm.cr0_shadow, 0};
	case VTX_FIELD_CR4_SHADOW:
		return (struct svm_field_word){&v->svm.cr4_shadow, 0};
	default:
		return (struct svm_field_word){NULL, 0};
	}
}

/* Fields whose value never changes here. */
static bool svm_field_constant(const struct vcpu *v, uint32_t field, uint64_t *value)
{
	const struct vmcb *b = (const void *)v->hw;

	switch (field) {
	case VTX_FIELD_PDPTE0: /* loaded from the guest's memory by the CPU */
	case VTX_FIELD_PDPTE0 + 2:
	case VTX_FIELD_PDPTE0 + 4:
	case VTX_FIELD_PDPTE0 + 6:
		*value = 0;
		return true;
	default:
		return virt_field_constant(field, b->efer & SVM_EFER_LMA, value);
	}
}

static bool svm_read_exit(const struct vcpu *v, uint32_t field, uint64_t *value)
{
	if (field != VTX_FIELD_INSTRUCTION_ERROR && field != VTX_FIELD_EXIT_INSTRUCTION)
		return virt_field_read_exit(v, field, value);
	*value = 0;
	return true;
}

/* Fields that are made, not stored. */
static bool svm_read_made(struct vcpu *v, uint32_t field, uint64_t *value)
{
	const struct vmcb *b = svm_vmcb(v);

	switch (field) {
	case VTX_FIELD_GDTR_LIMIT:
		*value = b->gdtr.limit;
		return true;
	case VTX_FIELD_IDTR_LIMIT:
		*value = b->idtr.limit;
		return true;
	case VTX_FIELD_INTERRUPTIBILITY:
		*value = svm_get_interruptibility(v);
		return true;
	case VTX_FIELD_PAT:
		*value = b->g_pat;
		return true;
	case VTX_FIELD_EFER:
		*value = b->efer & ~SVM_EFER_SVME;
		return true;
	case VTX_FIELD_CR0:
		*value = b->cr0;
		return true;
	case VTX_FIELD_CR3:
		*value = b->cr3;
		return true;
	case VTX_FIELD_CR4:
		*value = svm_get_cr4(v);
		return true;
	case VTX_FIELD_DR7:
		*value = b->dr7;
		return true;
	case VTX_FIELD_RFLAGS:
		*value = svm_get_rflags(v);
		return true;
	case VTX_FIELD_PENDING_DEBUG:
		*value = v->svm.pending_step ? SVM_DR6_STEP : 0;
		return true;
	default:
		return false;
	}
}

bool svm_read_field(struct vcpu *v, uint32_t field, uint64_t *value)
{
	struct svm_field_word w = svm_field_word(v, field);

	if (w.word) {
		*value = *w.word;
		return true;
	}
	return virt_field_read_control(v, field, value) || svm_read_made(v, field, value) ||
	       svm_read_segment(v, field, value) || svm_read_exit(v, field, value) ||
	       svm_field_constant(v, field, value);
}

static bool svm_write_made(struct vcpu *v, uint32_t field, uint64_t value)
{
	struct vmcb *b = svm_vmcb(v);

	switch (field) {
	case VTX_FIELD_GDTR_LIMIT:
		b->gdtr.limit = value & 0xffff;
		svm_dirty(v, SVM_CLEAN_DT);
		break;
	case VTX_FIELD_IDTR_LIMIT:
		b->idtr.limit = value & 0xffff;
		svm_dirty(v, SVM_CLEAN_DT);
		break;
	case VTX_FIELD_INTERRUPTIBILITY:
		svm_put_interruptibility(v, value);
		break;
	case VTX_FIELD_PAT:
		b->g_pat = virt_guest_pat(value, b->g_pat);
		svm_dirty(v, SVM_CLEAN_NP);
		break;
	case VTX_FIELD_EFER:
		svm_put_efer(v, value);
		break;
	case VTX_FIELD_CR0:
		svm_put_cr0(v, value);
		break;
	case VTX_FIELD_CR3:
		svm_put_cr3(v, value);
		break;
	case VTX_FIELD_CR4:
		svm_put_cr4(v, value);
		break;
	case VTX_FIELD_DR7:
		svm_put_dr7(v, value);
		break;
	case VTX_FIELD_RFLAGS:
		svm_put_rflags(v, value);
		break;
	case VTX_FIELD_PENDING_DEBUG:
		v->svm.pending_step = (value & SVM_DR6_STEP) != 0;
		break;
	default:
		return false;
	}
	return true;
}

static uint64_t svm_field_legal(uint32_t field, uint64_t value)
{
	switch (field) {
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

bool svm_write_field(struct vcpu *v, uint32_t field, uint64_t *value)
{
	struct svm_field_word w = svm_field_word(v, field);
	uint64_t fixed;

	v->controls_dirty = true;
	if (w.word) {
		*w.word = *value = svm_field_legal(field, *value);
		svm_dirty(v, w.clean);
		return true;
	}
	if (virt_field_write_control(v, field, *value) || svm_write_made(v, field, *value) ||
	    svm_write_segment(v, field, *value))
		return svm_read_field(v, field, value);
	if (!svm_field_constant(v, field, &fixed))
		return false; /* exit data is read-only */
	*value = fixed;
	return true;
}
