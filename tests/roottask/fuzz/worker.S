/*
 * What threads under test run: pieces of 16 bytes, each a system call with whatever is in the registers, or a fault, or nothing but
 * time. A page of its own, which is all of the code that they have.
 */
	.section .text.worker, "ax"
	.balign 4096
	.global worker_code, worker_code_end
worker_code:
	.balign 16
	syscall
	ud2
	.balign 16
1:	syscall
	jmp 1b
	.balign 16
1:	jmp 1b
	.balign 16
	movq (%rax), %rax
	jmp worker_code
	.balign 16
	movq %rax, (%rax)
	jmp worker_code
	.balign 16
1:	syscall
	xchgq %rdi, %r12
	jmp 1b
	.balign 16
1:	syscall
	xchgq %r12, %r13
	xchgq %rdi, %rax
	jmp 1b
	.balign 16
	hlt
	jmp worker_code
	.balign 16
	int3
	jmp worker_code
	.balign 16
	int $0x80
	jmp worker_code
	.balign 16
1:	movdqa %xmm0, %xmm1
	syscall
	jmp 1b
	.balign 16
	wrfsbase %rax
	jmp worker_code
	.balign 16
	xorl %ecx, %ecx
	divl %ecx
	.balign 16
1:	syscall
	incq %r10
	movq %r10, %r8
	jmp 1b
	.balign 16
1:	pause
	decl %ebx
	jnz 1b
	syscall
	ud2
	.balign 16
	pushq $3	/* single step */
	popfq
	syscall
	ud2
	/* parties of a conversation: RBX is what they talk through, whatever comes in */
	.macro loop number
	.balign 16
1:	movq $\number, %rdx
	movq %rbx, %rdi
	syscall
	jmp 1b
	.endm
	.globl worker_call, worker_serve, worker_yield, worker_keep
worker_call:
	loop -1		/* Call */
	loop -1
worker_serve:
	loop -2		/* ReplyRecv */
	loop -2
	loop -2
	loop -3		/* NBSendRecv */
	loop -4		/* NBSendWait */
	loop -5		/* Send */
	loop -6		/* NBSend */
	loop -7		/* Recv */
	.balign 16
worker_keep:		/* one caller, who gets no answer */
	movq $-7, %rdx	/* Recv */
	movq %rbx, %rdi
	syscall
	loop -9		/* Wait */
worker_yield:
	loop -11	/* Yield */
	/* label after label on one object, with what the registers and the buffer hold */
	.balign 16
1:	movq $-1, %rdx
	movq %rbx, %rdi
	movq %r14, %rsi
	addq $0x1000, %r14
	syscall
	jmp 1b
	.globl worker_guest
worker_guest:
	loop -32	/* VMEnter */
	loop -32
worker_code_end:
	.balign 4096
	.section .note.GNU-stack, "", @progbits
