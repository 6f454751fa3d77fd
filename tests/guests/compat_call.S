/*
 * int32_t compat_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d): a hypercall out of 32-bit code, by the 32-bit
 * ABI: EAX, EBX, ECX, EDX, ESI. Code, stack and what is passed are below 4 GiB. 0x18 is entry.S's 32-bit code segment.
 */
	.text
	.code64
	.globl compat_call
compat_call:
	pushq %rbx
	movl %edi, %eax
	movl %esi, %ebx
	xchgl %ecx, %edx
	movl %r8d, %esi
	lcall *compat_far(%rip)
	popq %rbx
	ret

	.code32
compat_32:
	vmmcall
	lret

	.section .rodata
	.balign 4
compat_far:
	.long compat_32
	.word 0x18
	.section .note.GNU-stack, "", @progbits
