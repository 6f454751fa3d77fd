/* The SVM driver under a hostile VMM and guest (virt_fuzz_fake.h), on CPUs of three kinds. */
// links: kernel/arch/x86/smp/smp_fake.c kernel/arch/x86/virt/virt_fuzz_fake.c kernel/arch/x86/virt/virt_fake.c
// links: kernel/arch/x86/virt/virt_guest.c kernel/arch/x86/virt/virt_field.c kernel/arch/x86/virt/virt_tag.c
// links: kernel/arch/x86/virt/virt_tlb_fake.c kernel/arch/x86/virt/svm/svm_check_fake.c
// links: kernel/arch/x86/virt/vmx/vmx_check_fake.c kernel/arch/x86/virt/svm/svm_fake.c kernel/arch/x86/virt/svm/svm.c
// links: kernel/arch/x86/virt/svm/svm_state.c kernel/arch/x86/virt/svm/svm_field.c
// links: kernel/arch/x86/virt/svm/svm_run.c kernel/arch/x86/virt/svm/svm_exit.c kernel/arch/x86/virt/svm/svm_cr.c
// links: kernel/arch/x86/virt/svm/svm_check.c kernel/arch/x86/virt/svm/svm_npt.c
// links: kernel/arch/x86/virt/vmx/vmx_fake.c kernel/arch/x86/virt/vmx/vmx.c
// links: kernel/arch/x86/virt/vmx/vmx_state.c kernel/arch/x86/virt/vmx/vmx_field.c
// links: kernel/arch/x86/virt/vmx/vmx_run.c kernel/arch/x86/virt/vmx/vmx_exit.c
// links: kernel/arch/x86/virt/vmx/vmx_ept.c
// libs: -lcmocka
#include "arch/x86/virt/virt_fuzz_fake.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	memset(&fake, 0, sizeof(fake));
	if (size < 2)
		return 0;
	fake.svm_virq = (data[0] & 3) == 0; /* as QEMU */
	fake.svm_nrip = (data[0] & 3) > 1;
	fake.svm_decode = (data[0] & 3) > 2;
	fake.pause_loop = data[0] & 4;
	fake_svm_reset();
	virt_fuzz_run(&virt_svm, data + 1, size - 1);
	return 0;
}
