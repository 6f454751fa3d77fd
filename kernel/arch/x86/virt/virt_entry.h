/*
 * What both vendors' paths into and out of a guest do alike with the general registers. For assembler only.
 * RAX and RSP are the vendors'.
 */
#ifndef ARCH_X86_VIRT_ENTRY_H
#define ARCH_X86_VIRT_ENTRY_H

#include "kernel/entry/patch.h"

/* clang-format off */

	.macro virt_entry_push
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro virt_entry_pop
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	.endm

	/* the guest's, from the struct vcpu at RDI */
	.macro virt_entry_load
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
	.endm

	/* all of them but RDI, into the struct vcpu at RDI */
	.macro virt_entry_store
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
	.endm

	/* nothing of the guest stays where a wrong path could use it */
	.macro virt_entry_clear
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
	.endm

	/* before the first branch that the guest may have trained */
	.macro virt_entry_exit_sites
	PATCH_SITE(PATCH_VMEXIT_RSB, 5)
	PATCH_SITE(PATCH_VMEXIT_SPEC, 24)
	PATCH_SITE(PATCH_VMEXIT_UNTRAIN, 5)
	PATCH_SITE(PATCH_VMEXIT_BHB, 5)
	.endm

#endif
