/*
 * A thread in registers only, so that hundreds need no stack: RDX is a system call, with its arguments in place; behind it the thread
 * signals R14, and waits on R13 for ever.
 */
	.text
	.global long_thread
long_thread:
	syscall
	movq %r14, %rdi
	movl $1, %esi
	movq $-5, %rdx
	syscall
1:	movq %r13, %rdi
	movq $-9, %rdx
	syscall
	jmp 1b
	.section .note.GNU-stack, "", @progbits
