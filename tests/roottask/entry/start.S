/*
 * The first thread's entry: a stack, then entry_main(bootinfo). And pieces of code that the tests run as
 * they are.
 */
	.text
	.global _start
_start:
	leaq stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call entry_main
	ud2

/*
 * entry_registers(in, out): loads all registers from the 16 words at RDI (RSP among them), makes system call
 * RDX, stores all into the 16 words at RSI. Order: rax rbx rcx rdx rsi rdi rbp rsp r8-r15.
 */
	.global entry_registers
entry_registers:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsi, saved_out(%rip)
	movq %rsp, saved_rsp(%rip)
	movq 0(%rdi), %rax
	movq 8(%rdi), %rbx
	movq 16(%rdi), %rcx
	movq 24(%rdi), %rdx
	movq 32(%rdi), %rsi
	movq 48(%rdi), %rbp
	movq 56(%rdi), %rsp
	movq 64(%rdi), %r8
	movq 72(%rdi), %r9
	movq 80(%rdi), %r10
	movq 88(%rdi), %r11
	movq 96(%rdi), %r12
	movq 104(%rdi), %r13
	movq 112(%rdi), %r14
	movq 120(%rdi), %r15
	movq 40(%rdi), %rdi
	syscall
	.global entry_registers_return
entry_registers_return:
	xchgq %rdi, saved_out(%rip)
	movq %rax, 0(%rdi)
	movq %rbx, 8(%rdi)
	movq %rcx, 16(%rdi)
	movq %rdx, 24(%rdi)
	movq %rsi, 32(%rdi)
	movq saved_out(%rip), %rax
	movq %rax, 40(%rdi)
	movq %rbp, 48(%rdi)
	movq %rsp, 56(%rdi)
	movq %r8, 64(%rdi)
	movq %r9, 72(%rdi)
	movq %r10, 80(%rdi)
	movq %r11, 88(%rdi)
	movq %r12, 96(%rdi)
	movq %r13, 104(%rdi)
	movq %r14, 112(%rdi)
	movq %r15, 120(%rdi)
	movq saved_rsp(%rip), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	cld
	ret

/*
 * A thread that holds a pattern in every register and looks whether it stays: RDI is its base. Counts rounds
 * at (RSI); stores 1 at 8(RSI) if a register ever differs. Uses RSP as one more. No memory but (RSI) is
 * touched.
 */
	.global entry_spinner
entry_spinner:
	movq %rdi, %rax
	leaq 1(%rdi), %rbx
	leaq 2(%rdi), %rcx
	leaq 3(%rdi), %rdx
	leaq 4(%rdi), %rbp
	leaq 5(%rdi), %rsp
	leaq 8(%rdi), %r8
	leaq 9(%rdi), %r9
	leaq 10(%rdi), %r10
	leaq 11(%rdi), %r11
	leaq 12(%rdi), %r12
	leaq 13(%rdi), %r13
	leaq 14(%rdi), %r14
	movq %rdi, %xmm0
	movq %rbx, %xmm7
	movq %r14, %xmm15
	stc
1:	cmpq %rdi, %rax
	jne 9f
	.macro expect register, n
	leaq \n(%rdi), %r15
	cmpq %r15, \register
	jne 9f
	.endm
	expect %rbx, 1
	expect %rcx, 2
	expect %rdx, 3
	expect %rbp, 4
	expect %rsp, 5
	expect %r8, 8
	expect %r9, 9
	expect %r10, 10
	expect %r11, 11
	expect %r12, 12
	expect %r13, 13
	expect %r14, 14
	movq %xmm0, %r15
	cmpq %rdi, %r15
	jne 9f
	movq %xmm7, %r15
	cmpq %rbx, %r15
	jne 9f
	movq %xmm15, %r15
	cmpq %r14, %r15
	jne 9f
	incq (%rsi)
	jmp 1b
9:	movq $1, 8(%rsi)
	jmp 9b

/* Code whose only purpose is to fault at its first instruction; and what comes behind it. */
	.macro faulting name, instruction:vararg
	.balign 16
	.global \name
\name:
	\instruction
	jmp entry_done
	.endm
	faulting fault_divide, divl %edi
	faulting fault_breakpoint, int3
	faulting fault_undefined, ud2
	faulting fault_hlt, hlt
	faulting fault_in, inb $0x80, %al
	faulting fault_int_low, int $0x80
	faulting fault_int_timer, int $0xf0
	faulting fault_int_device, int $0x30
	faulting fault_int_open, int $0xa5
	faulting fault_read, movq (%rdi), %rax
	faulting fault_write, movq %rax, (%rdi)
	faulting fault_jump, jmp *%rdi
	faulting fault_stack, pushq %rax
	faulting fault_cr, movq %cr0, %rax
	faulting fault_segment, movl %edi, %fs
	faulting fault_syscall, syscall
	faulting fault_fpu, fld1
	faulting fault_far, lretq

/*
 * Single step: sets TF; the trap comes behind the NOP. Likewise with a system call in between, which must not be
 * stepped in the kernel.
 */
	.global fault_step, fault_step_at, fault_step_syscall
fault_step:
	pushfq
	orq $0x100, (%rsp)
	popfq
	nop
fault_step_at:
	jmp entry_done
fault_step_syscall:
	movq $-11, %rdx
	pushfq
	orq $0x100, (%rsp)
	popfq
	syscall
	jmp entry_done

/* Odd flags (NT, AC, DF, ID) over a system call and a while of interrupts; then RAX says which did not stay. */
	.global entry_odd_flags
entry_odd_flags:
	pushfq
	popq %rbx
	orq $0x244400, %rbx
	pushq %rbx
	popfq
	movq $-11, %rdx
	syscall
	rdtsc
	shlq $32, %rdx
	leaq 30000000(%rax,%rdx), %r14
1:	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	cmpq %r14, %rax
	jb 1b
	pushfq
	popq %rax
	xorq %rbx, %rax
	andq $0x244400, %rax
	pushq $2
	popfq
	/* Here faults, so that RAX is seen. */
	.global entry_odd_flags_end
entry_odd_flags_end:
	ud2

entry_done:
	ud2

	.bss
	.balign 8
saved_out:
	.skip 8
saved_rsp:
	.skip 8
	.balign 16
	.skip 16384
stack_top:
	.section .note.GNU-stack, "", @progbits
