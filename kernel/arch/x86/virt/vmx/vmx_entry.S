/*
 * Guest entry and exit on VT-x (Intel SDM vol. 3C, chapters 27 and 28). Called as a C function by vmx_run; returns like one,
 * whether the guest has run or not. It owns the GPR switch; it must decide nothing.
 */
#include "asm_offsets.h"
#include "kernel/arch/x86/virt/virt_entry.h"
#include "kernel/entry/patch.h"

#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

	.text
/* enum vmx_entry vmx_entry_run(struct vcpu *v, bool launched) */
	.globl vmx_entry_run
	.type vmx_entry_run, @function
vmx_entry_run:
	virt_entry_push
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
	virt_entry_load
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
	virt_entry_store
	popq %rcx
	movq %rcx, VCPU_RDI(%rdi)
	xorl %eax, %eax
vmx_entry_clear:
	virt_entry_clear
	movl %eax, %ebx
	virt_entry_exit_sites
	movl %ebx, %eax
	virt_entry_pop
	ret
	.size vmx_entry_run, . - vmx_entry_run

	.globl vmx_entry_nmi
	.type vmx_entry_nmi, @function
vmx_entry_nmi:
	int $2
	ret
	.size vmx_entry_nmi, . - vmx_entry_nmi

	.section .note.GNU-stack, "", @progbits
