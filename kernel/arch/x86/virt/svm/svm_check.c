/*
 * The consistency checks of VMRUN (AMD64 APM vol. 2, 15.5.1), made before it: a refused VMRUN leaves
 * different things in the VMCB on different CPUs, and the host's own RIP and RAX on one. Single registers are
 * made legal when they are put (svm_state.c); here are the combinations. Pure.
 */
#include "arch/x86/virt/svm/svm.h"

/*
 * SVM takes any task register; VT-x insists on a busy TSS (Intel SDM vol. 3C 27.3.1.2), and so do we on a TSS,
 * for an ABI that is one: what a CPU does at the next change of privilege without one is nowhere written (QEMU
 * ends).
 */
static bool svm_check_tr(const struct vmcb *b)
{
	vtx_ar_t ar = {{svm_attrib_access((svm_attrib_t){{b->tr.attrib}})}};
	uint64_t type = vtx_ar_part_type(ar) | 2; /* QEMU's LTR does not set the busy bit in the register */

	return vtx_ar_part_present(ar) && !vtx_ar_part_s(ar) &&
	       (type == 11 || (type == 3 && !(b->efer & SVM_EFER_LMA)));
}

bool svm_check(const struct vmcb *b)
{
	bool pe = b->cr0 & BIT(0), pg = b->cr0 & BIT(31), pae = b->cr4 & BIT(5), lme = b->efer & SVM_EFER_LME;
	uint64_t flags = svm_attrib_flags((svm_attrib_t){{b->cs.attrib}});
	bool cs_long = flags & BIT(1), cs_big = flags & BIT(2);

	if (pg && !pe)
		return false;
	if (lme && pg && (!pae || (cs_long && cs_big)))
		return false;
	return svm_check_tr(b) && (b->efer & SVM_EFER_SVME) && (b->misc2 & SVM_MISC2_VMRUN);
}
