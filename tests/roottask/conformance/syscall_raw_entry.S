/*
 * void syscall_raw(struct syscall_raw *): the words of syscall_raw.h in their registers, SYSCALL, and back. The kernel need not
 * preserve RSP, so all is kept in memory: one thread uses it at a time.
 */
	.text
	.global syscall_raw
syscall_raw:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rdi, raw_block(%rip)
	movq %rsp, raw_stack(%rip)
	movq 0(%rdi), %rax
	movq 8(%rdi), %rbx
	movq 16(%rdi), %rcx
	movq 24(%rdi), %rdx
	movq 32(%rdi), %rsi
	movq 48(%rdi), %rbp
	movq 56(%rdi), %r8
	movq 64(%rdi), %r9
	movq 72(%rdi), %r10
	movq 80(%rdi), %r11
	movq 88(%rdi), %r12
	movq 96(%rdi), %r13
	movq 104(%rdi), %r14
	movq 112(%rdi), %r15
	movq 40(%rdi), %rdi
	syscall
	movq %rdi, raw_rdi(%rip)
	movq raw_block(%rip), %rdi
	movq %rax, 0(%rdi)
	movq %rbx, 8(%rdi)
	movq %rcx, 16(%rdi)
	movq %rdx, 24(%rdi)
	movq %rsi, 32(%rdi)
	movq %rbp, 48(%rdi)
	movq %r8, 56(%rdi)
	movq %r9, 64(%rdi)
	movq %r10, 72(%rdi)
	movq %r11, 80(%rdi)
	movq %r12, 88(%rdi)
	movq %r13, 96(%rdi)
	movq %r14, 104(%rdi)
	movq %r15, 112(%rdi)
	movq raw_rdi(%rip), %rax
	movq %rax, 40(%rdi)
	movq raw_stack(%rip), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.bss
	.balign 8
raw_block:
	.skip 8
raw_stack:
	.skip 8
raw_rdi:
	.skip 8
	.section .note.GNU-stack, "", @progbits
