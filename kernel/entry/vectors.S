/*
 * The code that the IDT points to: for each vector one piece of ENTRY_VECTOR_BYTES that makes the stack
 * alike (vector, error code, frame) and goes on to entry.S; and the four that come on stacks of their own,
 * at any place: NMI, machine check, double fault, debug.
 */
#include "asm_offsets.h"
#include "entry/patch.h"

#define MSR_GS_BASE 0xc0000101
#define VECTOR_DB   1
#define VECTOR_DF   8
#define VECTOR_NMI  2
#define VECTOR_MC   18

	.section .entry.vectors, "ax", @progbits
	.code64

	.balign 64
	.global entry_vectors
entry_vectors:
	.set v, 0
	.rept 256
	.balign 16
	.if v == VECTOR_NMI
	jmp entry_nmi
	.elseif v == VECTOR_DB
	jmp entry_debug
	.elseif v == VECTOR_MC
	jmp entry_machine_check
	.elseif v == VECTOR_DF
	jmp entry_double_fault
	.elseif v == 10 || v == 11 || v == 12 || v == 13 || v == 14 || v == 17 || v == 21 || v == 29 || v == 30
	pushq $v /* the CPU has pushed an error code */
	jmp entry_trap
	.elseif v < 32
	pushq $0
	pushq $v
	jmp entry_trap
	.elseif v == IRQ_SPURIOUS
	iretq /* nothing happened, nothing is acknowledged */
	.elseif v >= INT_FIRST && v != IRQ_TIMER && v != IRQ_KICK
	pushq $0
	pushq $v
	jmp entry_int
	.else
	pushq $0
	pushq $v
	jmp entry_interrupt
	.endif
	.set v, v + 1
	.endr
	.balign 16

/*
 * The per-CPU area's address lies at the top of each of these stacks, above the frame (cpu_init). GS is set
 * to it whatever it was, and set back: no test of the interrupted code is needed, and a user's base that
 * looks like the kernel's is harmless.
 */
	.macro ist_enter
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	cld
	movl $MSR_GS_BASE, %ecx
	rdmsr
	shlq $32, %rdx
	orq %rdx, %rax
	movq %rax, %rbx /* the base as it was */
	movq (5 + 5) * 8(%rsp), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	PATCH_SITE(PATCH_ENTRY_CLAC, 3)
	PATCH_SITE(PATCH_IST_ENTRY, 16)
	.endm

	.macro ist_leave
	PATCH_SITE(PATCH_IST_EXIT, 8)
	movq %rbx, %rax
	movq %rbx, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	ist_registers
	.endm

/* Not only off the stack, but out of it: what the kernel's registers held is nothing for user code's tables. */
	.macro ist_registers
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	movq $0, -8(%rsp)
	movq $0, -16(%rsp)
	movq $0, -24(%rsp)
	movq $0, -32(%rsp)
	movq $0, -40(%rsp)
	.endm

/* After ist_enter: C, on a stack that ends `top` bytes into the per-CPU area. RDI: the CS of what was interrupted. Its result is in EAX. */
	.macro ist_call function, top
	movq %rsp, %rax
	movq %gs:PERCPU_SELF, %rdx
	leaq \top(%rdx), %rsp
	pushq %rax
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq $0
	movq (5 + 1) * 8(%rax), %rdi
	call \function
	popq %rdi
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rsp
	.endm

/*
 * It may have come between any two instructions of the entry paths: it only counts, and never looks further. Another is held back until its IRET, or
 * that of an exception inside it: of those there is the machine check (see there); a debug exception comes only at an entry's first instruction.
 */
entry_nmi:
	ist_enter
	ist_call nmi_take, PERCPU_NMI_STACK_TOP
	ist_leave
	iretq

/*
 * From user mode as any other. In the kernel it means nothing: we set no breakpoints, and a step or
 * breakpoint of the user's that was held back until behind a SYSCALL (CVE-2018-8897, and Bochs) is dropped,
 * on a stack that the user has not chosen.
 */
entry_debug:
	testb $3, 8(%rsp)
	jz 1f
	pushq $0
	pushq $VECTOR_DB
	jmp entry_trap
1:	ist_enter
	andq $~0x100, (5 + 2) * 8(%rsp)
	incq %gs:PERCPU_COUNTER_DEBUG
	ist_leave
	iretq

/*
 * mce_exception says what becomes of it: back to what ran; the end of the thread, by an exception like any other; the end of all. If
 * an NMI was being handled, an IRET here would let in the next, on top of that one's frame: then it goes back by RET.
 */
entry_machine_check:
	ist_enter
	ist_call mce_exception, PERCPU_MCE_STACK_TOP
	cmpl $MCE_VERDICT_END, %eax
	je machine_check_end
	ja machine_check_stop
	testb $3, (5 + 1) * 8(%rsp)
	jnz 1f
	movq (5 + 3) * 8(%rsp), %rax
	movq %gs:PERCPU_NMI_FRAMES, %rdx
	xorq %rax, %rdx
	testq $-4096, %rdx
	jz 2f
	movq %gs:PERCPU_SELF, %rdx
	addq $PERCPU_NMI_STACK, %rdx
	movq %rax, %rcx
	subq %rdx, %rcx
	cmpq $PERCPU_NMI_STACK_TOP - PERCPU_NMI_STACK, %rcx
	jb 2f
1:	ist_leave
	iretq

2:	subq $16, %rax
	movq (5 + 0) * 8(%rsp), %rdx
	movq %rdx, 8(%rax)
	movq (5 + 2) * 8(%rsp), %rdx
	movq %rdx, (%rax)
	movq %rax, (5 + 3) * 8(%rsp)
	ist_leave
	movq 3 * 8(%rsp), %rsp
	popfq
	ret

machine_check_end:
	ist_leave
	pushq $0
	pushq $VECTOR_MC
	jmp entry_trap

machine_check_stop:
	ist_registers
	pushq $0
	pushq $VECTOR_MC
	jmp entry_kernel_fault

/* With an error code, always 0: taken away, so that the address is where the others have it. */
entry_double_fault:
	addq $8, %rsp
	ist_enter
	ist_registers
	pushq $0
	pushq $VECTOR_DF
	jmp entry_kernel_fault

	.section .note.GNU-stack, "", @progbits
