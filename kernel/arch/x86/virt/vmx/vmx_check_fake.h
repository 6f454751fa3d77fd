/* What the VT-x fake thinks of a VMCS before VM entry. Tests only. */
#ifndef VMX_CHECK_FAKE_H
#define VMX_CHECK_FAKE_H

#include "arch/x86/virt/vmx/vmx.h"

/* Fails the test on whatever would give the guest something of the host's, keep the host from getting its CPU
 * back, or make VM entry fail before it has looked at the guest (27.2): the kernel alone writes these fields.
 * `f`: by encoding. */
void fake_vmx_harmless(const struct vcpu *v, const uint64_t *f);
/* The checks of the guest's state (27.3.1): true, VM entry fails with reason 33. */
bool fake_vmx_refuses(const uint64_t *f);

#endif
