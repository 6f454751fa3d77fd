// The generated accessors of the vCPU ABI's words, of the VMCB's and nested page tables', and of VT-x's, all of them. Contracts: hw/fields.py --acsl.
#include "arch/x86/virt/vtx_fields.h"
#include "arch/x86/virt/svm/svm_fields.h"
#include "arch/x86/virt/vmx/vmx_fields.h"
