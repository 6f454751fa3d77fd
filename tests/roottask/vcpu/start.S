/* The root task's entry: RDI is bootinfo's address, RSP is 0. runtime_thread_start: a thread, RDI its function, RSP set. */
	.section .text.start, "ax"
	.global _start, runtime_thread_start
_start:
	leaq start_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call runtime_main
1:	jmp 1b

runtime_thread_start:
	xorl %ebp, %ebp
	call *%rdi
1:	jmp 1b

	.bss
	.balign 16
	.skip 32768
start_stack_top:
	.section .note.GNU-stack, "", @progbits
