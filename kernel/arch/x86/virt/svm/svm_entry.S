/*
 * Guest entry and exit on SVM (AMD64 APM vol. 2, 15.5 to 15.8). Called as a C function by svm_run; returns like one.
 * It owns the GPR switch and the GIF; it must decide nothing and, between the exit and the last patch site, never branch.
 */
#include "asm_offsets.h"
#include "kernel/arch/x86/virt/virt_entry.h"
#include "kernel/entry/patch.h"

	.text
/* void svm_entry_run(struct vcpu *v, uint64_t vmcb_pa, uint64_t host_pa) */
	.globl svm_entry_run
	.type svm_entry_run, @function
svm_entry_run:
	virt_entry_push
	pushq %rdi
	pushq %rdx
	pushq %rsi
	clgi
	sti				/* host IF at VMRUN: an interrupt ends the guest's turn (15.21.1) */
	movq %rdx, %rax
	vmsave %rax
	PATCH_SITE(PATCH_VMENTER_L1D, 16)
	PATCH_SITE(PATCH_VMENTER_SPEC, 24)
	movq %rsi, %rax
	vmload %rax
	PATCH_SITE(PATCH_VMENTER_SCRUB, 16)
	virt_entry_load
	PATCH_SITE(PATCH_VMENTER_VERW, 8)
	vmrun %rax
	/* RAX and RSP are the host's again, all else is the guest's */
	vmsave %rax
	xchgq %rdi, 16(%rsp)
	virt_entry_store
	popq %rax
	popq %rax
	vmload %rax
	popq %rcx
	movq %rcx, VCPU_RDI(%rdi)
	xorl %eax, %eax
	virt_entry_clear
	virt_entry_exit_sites
	cli
	stgi
	virt_entry_pop
	ret
	.size svm_entry_run, . - svm_entry_run

	.section .note.GNU-stack, "", @progbits
