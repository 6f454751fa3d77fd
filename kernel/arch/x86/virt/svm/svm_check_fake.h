/* What the SVM fake thinks of a VMCB before VMRUN. Tests only. */
#ifndef SVM_CHECK_FAKE_H
#define SVM_CHECK_FAKE_H

#include "arch/x86/virt/svm/svm.h"

/* Fails the test on whatever would give the guest something of the host's, or keep the host from getting its
 * CPU back. */
void fake_svm_harmless(const struct vcpu *v, const struct vmcb *b);
/* VMRUN's consistency checks: true, it ends with VMEXIT_INVALID (APM vol. 2, 15.5.1). */
bool fake_svm_refuses(const struct vmcb *b);

#endif
