/*
 * CR4 on SVM: the guest's CR4.MCE is not the CPU's, where it is always set, so that a machine check in a
 * guest is an exit and not a shutdown. SVM has no masks: every write of CR4 comes out, and reads while the
 * guest has MCE clear. Where the CPU says which register it was (decode assists) and where the next
 * instruction is, it ends here, else it is the VMM's. Called by svm_run. AMD64 APM vol. 2, 15.33.1; vol. 3,
 * MOV CRn.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/virt_guest.h"

static bool svm_cr_64bit_code(const struct vmcb *b)
{
	return (b->efer & SVM_EFER_LMA) && (svm_attrib_flags((svm_attrib_t){{b->cs.attrib}}) & BIT(1));
}

static uint64_t *svm_cr_gpr(struct vcpu *v, unsigned n)
{
	return n == INSULA_RAX ? &svm_vmcb(v)->rax : n == INSULA_RSP_UNUSED ? &svm_vmcb(v)->rsp : &v->gpr[n];
}

/* Over the instruction, and its shadow; a guest that traces itself is told of the step. */
static enum virt_run svm_cr_done(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	b->rip += v->exit.length;
	b->shadow = 0;
	v->svm.pending_step = svm_get_rflags(v) & SVM_RFLAGS_TF;
	return VIRT_RUN_AGAIN;
}

enum virt_run svm_cr4(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);
	vtx_cr_t q = {{v->exit.qualification}};
	uint64_t *gpr = svm_cr_gpr(v, (unsigned)vtx_cr_gpr(q)), value;
	bool is64 = svm_cr_64bit_code(b);

	if (v->svm.cr4_mask)
		return VIRT_RUN_EXIT;
	if (vtx_cr_access(q) == 1) {
		*gpr = svm_get_cr4(v);
		return svm_cr_done(v);
	}
	value = is64 ? *gpr : *gpr & 0xffffffffu;
	if (!virt_guest_cr4_legal(value, svm_get_cr4(v), svm_traits.cr4_allowed, b->efer & SVM_EFER_LMA,
				  b->cr3)) {
		virt_guest_raise(v, 13, true, 0);
		return VIRT_RUN_AGAIN;
	}
	svm_put_cr4(v, value);
	return svm_cr_done(v);
}
