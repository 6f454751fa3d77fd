/* The root task's entry: RDI is bootinfo's address, RSP is 0. hello_thread_start, process_thread_start: a second thread, RDI its argument, RSP set. */
	.section .text.start, "ax"
	.global _start, hello_thread_start, process_thread_start
_start:
	leaq hello_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call hello_main
1:	jmp 1b

hello_thread_start:
	xorl %ebp, %ebp
	call hello_thread
1:	jmp 1b

process_thread_start:
	xorl %ebp, %ebp
	call process_thread
1:	jmp 1b

	.bss
	.balign 16
	.skip 16384
hello_stack_top:
	.section .note.GNU-stack, "", @progbits
