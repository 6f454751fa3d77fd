/*
 * Where a root task begins (RDI: its boot information, every other register 0) and where its other threads do (RDI and RSI:
 * thread_begin's arguments, RSP set). The system sets nothing else up.
 */
	.section .text.start, "ax"
	.global _start, thread_start
_start:
	leaq start_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call runtime_begin
	ud2

thread_start:
	xorl %ebp, %ebp
	call thread_begin
	ud2

	.bss
	.balign 16
	.skip 16384
start_stack_top:
	.section .note.GNU-stack, "", @progbits
