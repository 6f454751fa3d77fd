/*
 * Guest entry and exit on SVM (AMD64 APM vol. 2, 15.5 to 15.8). Called as a C function by svm_run; returns like one.
 * It owns the GPR switch and the GIF; it must decide nothing and, between the exit and the last patch site, never branch.
 */
#include "asm_offsets.h"
#include "kernel/entry/patch.h"

	.text
/* void svm_entry_run(struct vcpu *v, uint64_t vmcb_pa, uint64_t host_pa) */
	.globl svm_entry_run
	.type svm_entry_run, @function
svm_entry_run:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
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
	movq VCPU_RCX(%rdi), %rcx
	movq VCPU_RDX(%rdi), %rdx
	movq VCPU_RBX(%rdi), %rbx
	movq VCPU_RBP(%rdi), %rbp
	movq VCPU_RSI(%rdi), %rsi
	movq VCPU_R8(%rdi), %r8
	movq VCPU_R9(%rdi), %r9
	movq VCPU_R10(%rdi), %r10
	movq VCPU_R11(%rdi), %r11
	movq VCPU_R12(%rdi), %r12
	movq VCPU_R13(%rdi), %r13
	movq VCPU_R14(%rdi), %r14
	movq VCPU_R15(%rdi), %r15
	movq VCPU_RDI(%rdi), %rdi
	PATCH_SITE(PATCH_VMENTER_VERW, 8)
	vmrun %rax
	/* RAX and RSP are the host's again, all else is the guest's */
	vmsave %rax
	xchgq %rdi, 16(%rsp)
	movq %rcx, VCPU_RCX(%rdi)
	movq %rdx, VCPU_RDX(%rdi)
	movq %rbx, VCPU_RBX(%rdi)
	movq %rbp, VCPU_RBP(%rdi)
	movq %rsi, VCPU_RSI(%rdi)
	movq %r8, VCPU_R8(%rdi)
	movq %r9, VCPU_R9(%rdi)
	movq %r10, VCPU_R10(%rdi)
	movq %r11, VCPU_R11(%rdi)
	movq %r12, VCPU_R12(%rdi)
	movq %r13, VCPU_R13(%rdi)
	movq %r14, VCPU_R14(%rdi)
	movq %r15, VCPU_R15(%rdi)
	popq %rax
	popq %rax
	vmload %rax
	popq %rcx
	movq %rcx, VCPU_RDI(%rdi)
	/* nothing of the guest stays where a wrong path could use it */
	xorl %eax, %eax
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %ebp, %ebp
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	PATCH_SITE(PATCH_VMEXIT_RSB, 5)
	PATCH_SITE(PATCH_VMEXIT_SPEC, 24)
	PATCH_SITE(PATCH_VMEXIT_UNTRAIN, 5)
	PATCH_SITE(PATCH_VMEXIT_BHB, 5)
	cli
	stgi
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size svm_entry_run, . - svm_entry_run

	.section .note.GNU-stack, "", @progbits
