/*
 * Guest entry and exit on VT-x (Intel SDM vol. 3C, chapters 27 and 28). Called as a C function by vmx_run; returns like one,
 * whether the guest has run or not. It owns the GPR switch; it must decide nothing.
 */
#include "asm_offsets.h"
#include "kernel/entry/patch.h"

#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

	.text
/* enum vmx_entry vmx_entry_run(struct vcpu *v, bool launched) */
	.globl vmx_entry_run
	.type vmx_entry_run, @function
vmx_entry_run:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi
	movl $VMCS_HOST_RSP, %eax
	vmwrite %rsp, %rax
	leaq vmx_entry_exit(%rip), %rcx
	movl $VMCS_HOST_RIP, %eax
	vmwrite %rcx, %rax
	PATCH_SITE(PATCH_VMENTER_L1D, 16)
	PATCH_SITE(PATCH_VMENTER_SPEC, 24)
	PATCH_SITE(PATCH_VMENTER_SCRUB, 16)
	/* carry: launched; kept by moves, and by VERW */
	cmpb $1, %sil
	cmc
	movq VCPU_RAX(%rdi), %rax
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
	jc 1f
	vmlaunch
	jmp vmx_entry_failed
1:	vmresume
vmx_entry_failed:
	/* the guest has not run: its registers are still in v, and nothing of it is in ours but what we loaded */
	movl $1, %eax
	addq $8, %rsp
	jmp vmx_entry_clear

vmx_entry_exit:
	xchgq %rdi, (%rsp)
	movq %rax, VCPU_RAX(%rdi)
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
	popq %rcx
	movq %rcx, VCPU_RDI(%rdi)
	xorl %eax, %eax
vmx_entry_clear:
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
	movl %eax, %ebx
	PATCH_SITE(PATCH_VMEXIT_RSB, 5)
	PATCH_SITE(PATCH_VMEXIT_SPEC, 24)
	PATCH_SITE(PATCH_VMEXIT_UNTRAIN, 5)
	PATCH_SITE(PATCH_VMEXIT_BHB, 5)
	movl %ebx, %eax
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size vmx_entry_run, . - vmx_entry_run

	.globl vmx_entry_nmi
	.type vmx_entry_nmi, @function
vmx_entry_nmi:
	int $2
	ret
	.size vmx_entry_nmi, . - vmx_entry_nmi

	.section .note.GNU-stack, "", @progbits
