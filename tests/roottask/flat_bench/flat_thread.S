/*
 * A thread without a stack: it answers every call on the endpoint in RBX with an empty message, by the reply
 * object in R12. Alone in its page, which is all that its address space has to show.
 */
#define SYS_REPLY_RECV -2

	.section .text.flat_thread, "ax"
	.balign 4096
	.globl flat_thread
flat_thread:
	movq %rbx, %rdi
	xorl %esi, %esi
	movq $SYS_REPLY_RECV, %rdx
	syscall
	jmp flat_thread
	.balign 4096

	.section .note.GNU-stack, "", @progbits
