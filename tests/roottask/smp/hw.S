/* See smp_hw.h. */
	.text
	.global hw_count, hw_count_start, hw_count_end
hw_count:
	movq $0x1122334455667788, %rbx
	movq $0x99aabbccddeeff00, %r13
	xorl %r12d, %r12d
hw_count_start:
1:	incq %r12
	movq %r12, (%rdi)
	movq %r12, %r14
	pause /* an emulator that runs one CPU after the other goes on to the next */
	jmp 1b
hw_count_end:

	.global hw_fpu
hw_fpu:
	movq %rdi, %rax
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movq %rax, %xmm\n
	incq %rax
	.endr
2:	pause
	movl $200, %ecx
3:	movq %rdi, %rax
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movq %xmm\n, %rdx
	cmpq %rax, %rdx
	jne 4f
	incq %rax
	.endr
	decl %ecx
	jnz 3b
	incq (%rsi)
	jmp 2b
4:	incq 8(%rsi)
	jmp hw_fpu

	.section .note.GNU-stack, "", @progbits
