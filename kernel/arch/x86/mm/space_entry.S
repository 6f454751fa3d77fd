/* What the patch site of space_hw_use calls on CPUs with PCIDs: it has told the compiler of no register. Decides nothing. */
	.text
	.globl space_hw_call
	.type space_hw_call, @function
space_hw_call:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	call space_use_pcid
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	ret
	.size space_hw_call, . - space_hw_call

	.section .note.GNU-stack, "", @progbits
