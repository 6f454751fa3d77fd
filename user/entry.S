/*
 * Where a process begins: RDI = its environment page, RSP = the top of its stack. Weak, since root begins with boot information and has
 * an entry of its own. And where its other threads begin.
 */
	.section .text._start, "ax", @progbits
	.weak _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	call start_main
	ud2
	.size _start, . - _start

	.section .text.thread_entry, "ax", @progbits
	.globl thread_entry
	.type thread_entry, @function
thread_entry:
	xorl %ebp, %ebp
	call thread_main
	ud2
	.size thread_entry, . - thread_entry

	.section .note.GNU-stack, "", @progbits
