/* Where the machine's first thread begins: RDI = boot information, no stack, no thread-local storage. */
	.section .text._start, "ax", @progbits
	.globl _start
	.type _start, @function
_start:
	leaq root_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call boot_start
	ud2
	.size _start, . - _start

	.section .bss.root_stack, "aw", @nobits
	.balign 4096
	.skip 65536
root_stack_top:

	.section .note.GNU-stack, "", @progbits
