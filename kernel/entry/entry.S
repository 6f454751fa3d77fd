/*
 * Entry from user mode and return to it; interrupts that are let in while the kernel waits. The order of the
 * sites is that of entry/patch.h. Registers go into the current thread's struct context, whose pages, like
 * all RAM, need not be mapped in the tables that user code runs with: between a CR3 site and the user's side
 * only the entry stack, the per-CPU area and this section may be touched.
 *
 * GS: in user mode the hidden base is the kernel's; SWAPGS is done exactly once each way. NMI, machine
 * check, debug and double fault may come anywhere, and go by the base's value (vectors.S).
 */
#include "asm_offsets.h"
#include "entry/patch.h"

	.section .entry, "ax", @progbits
	.code64

/* ---- system calls: RCX is the return address, R11 the flags, RDX the number ---- */
	.balign 64
	.global entry_syscall
entry_syscall:
	swapgs
	movq %rsp, %gs:PERCPU_USER_RSP
	PATCH_SITE(PATCH_SYSCALL_CR3, 13)
	movq %gs:PERCPU_CONTEXT, %rsp
	movq %rax, CONTEXT_RAX(%rsp)
	movq %rbx, CONTEXT_RBX(%rsp)
	movq %rcx, CONTEXT_RIP(%rsp)
	movq %rdx, CONTEXT_RDX(%rsp)
	movq %rsi, CONTEXT_RSI(%rsp)
	movq %rdi, CONTEXT_RDI(%rsp)
	movq %rbp, CONTEXT_RBP(%rsp)
	movq %r8, CONTEXT_R8(%rsp)
	movq %r9, CONTEXT_R9(%rsp)
	movq %r10, CONTEXT_R10(%rsp)
	movq %r11, CONTEXT_RFLAGS(%rsp)
	movq %r12, CONTEXT_R12(%rsp)
	movq %r13, CONTEXT_R13(%rsp)
	movq %r14, CONTEXT_R14(%rsp)
	movq %r15, CONTEXT_R15(%rsp)
	/* What the instruction left in RCX and R11 is not worth a store: the thread has lost them. */
	subq $2, %rcx
	movq %rcx, CONTEXT_RESTART_IP(%rsp)
	movq %gs:PERCPU_USER_RSP, %rcx
	movq %rcx, CONTEXT_RSP(%rsp)
	movq $1, CONTEXT_SYSCALL(%rsp)
	movq %gs:PERCPU_KERNEL_STACK, %rsp
	movq %rdx, %rdi
	PATCH_SITE(PATCH_ENTRY_PREDICTORS, 40)
	xorl %eax, %eax
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %ebp, %ebp
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	PATCH_SITE(PATCH_LOCK_SYSCALL, 5)
	call syscall_handle

/* ---- return to user mode with the registers at RAX ---- */
entry_return:
	PATCH_SITE(PATCH_EXIT_PREDICTORS, 40)
	cmpb $0, CONTEXT_SYSCALL(%rax)
	je entry_iret
	movq CONTEXT_RIP(%rax), %rcx
	movq %rcx, %rdx
	shrq $47, %rdx
	jnz entry_iret /* with such an RCX SYSRET faults, on Intel's CPUs in kernel mode (CVE-2012-0217) */
	movq CONTEXT_RSP(%rax), %rdx
	movq %rdx, %gs:PERCPU_USER_RSP
	movq CONTEXT_RBX(%rax), %rbx
	movq CONTEXT_RDX(%rax), %rdx
	movq CONTEXT_RSI(%rax), %rsi
	movq CONTEXT_RDI(%rax), %rdi
	movq CONTEXT_RBP(%rax), %rbp
	movq CONTEXT_R8(%rax), %r8
	movq CONTEXT_R9(%rax), %r9
	movq CONTEXT_R10(%rax), %r10
	movq CONTEXT_RFLAGS(%rax), %r11
	movq CONTEXT_R12(%rax), %r12
	movq CONTEXT_R13(%rax), %r13
	movq CONTEXT_R14(%rax), %r14
	movq CONTEXT_R15(%rax), %r15
	movq CONTEXT_RAX(%rax), %rax
	PATCH_SITE(PATCH_SYSRET_CR3, 23)
	movq %gs:PERCPU_USER_RSP, %rsp
	swapgs
	PATCH_SITE(PATCH_EXIT_VERW, 8)
	sysretq

/* ---- the end of what was not a system call ---- */
	.balign 16
entry_exit:
	call kernel_exit
	jmp entry_return

/*
 * ---- the kernel lock's way in (lock.h), called where more than one CPU runs. RDI, the handler's argument, is kept. If the
 * current thread was taken away while we waited, the handler is left out ----
 */
	.macro lock_stub name, kind, counted
	.global \name
\name:
	.if \kind == LOCK_SYSCALL
	cmpq $SYSCALL_VMENTER, %rdi
	je entry_vmenter
	.endif
	movl $1, %eax
	lock xaddl %eax, lock_next(%rip)
	cmpl %eax, lock_owner(%rip)
	jne 1f
	.if \counted
	call entry_lock_taken
	.endif
	ret
1:	pushq %rdi
	movl %edi, %esi /* a trap's vector */
	movl %eax, %edi
	movl $\kind, %edx
	call lock_wait
	popq %rdi
	.if \counted
	movl %eax, %esi
	call entry_lock_taken
	movl %esi, %eax
	xorl %esi, %esi
	.endif
	testb %al, %al
	jnz 2f
	ret
2:	addq $8, %rsp
	jmp entry_exit
	.endm

	lock_stub entry_lock_syscall, LOCK_SYSCALL, 0
	lock_stub entry_lock_trap, LOCK_TRAP, 0
	lock_stub entry_lock_interrupt, LOCK_NOTHING, 0
	lock_stub entry_lock_syscall_counted, LOCK_SYSCALL, 1
	lock_stub entry_lock_trap_counted, LOCK_TRAP, 1
	lock_stub entry_lock_interrupt_counted, LOCK_NOTHING, 1

/*
 * What counting adds, at the lock's begin and end. bench/lock.py knows how many instructions lie between the two readings of the clock: nine
 * of these.
 */
	.global entry_lock_taken, entry_lock_leave_counted
entry_lock_taken:
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movq %rax, %gs:PERCPU_LOCK_SINCE
	incq %gs:PERCPU_LOCK_ACQUISITIONS
	ret
entry_lock_leave_counted:
	pushq %rax
	pushq %rdx
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	subq %gs:PERCPU_LOCK_SINCE, %rax
	addq %rax, %gs:PERCPU_LOCK_TICKS
	popq %rdx
	popq %rax
	incl lock_owner(%rip)
	ret

/* VMEnter does without it as long as it can. */
entry_vmenter:
	addq $8, %rsp
	call vmenter_handle
	jmp entry_return

/* All registers, by IRET from the entry stack. */
entry_iret:
	movq CONTEXT_RIP(%rax), %rcx
	movq %rcx, %rdx
	shlq $16, %rdx
	sarq $16, %rdx
	cmpq %rcx, %rdx
	je 1f
	xorl %ecx, %ecx /* IRET would fault here: let the thread fault there */
	movq %rcx, CONTEXT_RIP(%rax)
1:	movq %gs:PERCPU_ENTRY_STACK_TOP, %rsp
	pushq CONTEXT_SS(%rax)
	pushq CONTEXT_RSP(%rax)
	pushq CONTEXT_RFLAGS(%rax)
	pushq CONTEXT_CS(%rax)
	pushq %rcx
	pushq CONTEXT_RAX(%rax)
	movq CONTEXT_RBX(%rax), %rbx
	movq CONTEXT_RCX(%rax), %rcx
	movq CONTEXT_RDX(%rax), %rdx
	movq CONTEXT_RSI(%rax), %rsi
	movq CONTEXT_RDI(%rax), %rdi
	movq CONTEXT_RBP(%rax), %rbp
	movq CONTEXT_R8(%rax), %r8
	movq CONTEXT_R9(%rax), %r9
	movq CONTEXT_R10(%rax), %r10
	movq CONTEXT_R11(%rax), %r11
	movq CONTEXT_R12(%rax), %r12
	movq CONTEXT_R13(%rax), %r13
	movq CONTEXT_R14(%rax), %r14
	movq CONTEXT_R15(%rax), %r15
	PATCH_SITE(PATCH_IRET_CR3, 23)
	popq %rax
	movq $0, -8(%rsp)
	swapgs
	PATCH_SITE(PATCH_EXIT_VERW, 8)
	.global entry_iret_instruction
entry_iret_instruction:
	iretq

	.global entry_first_exit
entry_first_exit:
	cli
	movq %gs:PERCPU_KERNEL_STACK, %rsp
	xorl %ebp, %ebp
	jmp entry_exit

/*
 * ---- exceptions and interrupts from user mode: on the entry stack lie vector, error code, RIP, CS, RFLAGS,
 * RSP, SS. CS and SS are always ours: there is no other user segment. ----
 */
	.balign 64
	.global entry_trap, entry_interrupt
entry_interrupt:
	testb $3, 24(%rsp)
	jz entry_kernel_interrupt
	call entry_save
	movl %esi, %gs:PERCPU_PENDING_VECTOR
	xorl %esi, %esi
	PATCH_SITE(PATCH_LOCK_INTERRUPT, 5)
	call interrupt_handle
	jmp entry_exit

/* Vectors that INT n reaches, and a device whose message was programmed wrongly. */
	.global entry_int
entry_int:
	testb $3, 24(%rsp)
	jz entry_kernel_interrupt
	call entry_save
	movl %esi, %edi
	xorl %esi, %esi
	call entry_int_handle
	jmp entry_exit

entry_trap:
	testb $3, 24(%rsp)
	jz entry_kernel_fault
	call entry_save
	movl %esi, %edi
	xorl %esi, %esi
	PATCH_SITE(PATCH_LOCK_TRAP, 5)
	call trap_handle
	jmp entry_exit

/* Saves the user's registers and changes to the kernel stack, returns with the vector in ESI and all others 0. */
entry_save:
	swapgs
	PATCH_SITE(PATCH_ENTRY_FENCE, 3)
	PATCH_SITE(PATCH_ENTRY_CLAC, 3)
	cld
	pushq %rdi
	PATCH_SITE(PATCH_TRAP_CR3, 13)
	movq %gs:PERCPU_CONTEXT, %rdi
	movq %rax, CONTEXT_RAX(%rdi)
	movq %rbx, CONTEXT_RBX(%rdi)
	movq %rcx, CONTEXT_RCX(%rdi)
	movq %rdx, CONTEXT_RDX(%rdi)
	movq %rsi, CONTEXT_RSI(%rdi)
	movq %rbp, CONTEXT_RBP(%rdi)
	movq %r8, CONTEXT_R8(%rdi)
	movq %r9, CONTEXT_R9(%rdi)
	movq %r10, CONTEXT_R10(%rdi)
	movq %r11, CONTEXT_R11(%rdi)
	movq %r12, CONTEXT_R12(%rdi)
	movq %r13, CONTEXT_R13(%rdi)
	movq %r14, CONTEXT_R14(%rdi)
	movq %r15, CONTEXT_R15(%rdi)
	popq %rax /* RDI */
	movq $0, -8(%rsp) /* other processes' tables show this stack too (mm/user_tables.h) */
	popq %rbx /* our return address */
	popq %rsi /* vector */
	popq %rcx /* error code */
	movq %rax, CONTEXT_RDI(%rdi)
	movq %rcx, CONTEXT_ERROR_CODE(%rdi)
	popq %rax
	movq %rax, CONTEXT_RIP(%rdi)
	movq %rax, CONTEXT_RESTART_IP(%rdi)
	movq 8(%rsp), %rax
	movq %rax, CONTEXT_RFLAGS(%rdi)
	movq 16(%rsp), %rax
	movq %rax, CONTEXT_RSP(%rdi)
	movq $0, CONTEXT_SYSCALL(%rdi)
	movq %gs:PERCPU_KERNEL_STACK, %rsp
	pushq %rbx
	PATCH_SITE(PATCH_ENTRY_PREDICTORS, 40)
	xorl %eax, %eax
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %edi, %edi
	xorl %ebp, %ebp
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	ret

/*
 * ---- an interrupt that the kernel let in (irq_poll, entry_wait): noted, and no further one until it has been
 * handled: the interrupted code goes on with interrupts off ----
 */
entry_kernel_interrupt:
	pushq %rax
	movl 8(%rsp), %eax
	movl %eax, %gs:PERCPU_PENDING_VECTOR
	andl $~0x200, 40(%rsp)
	leaq entry_wait_hlt(%rip), %rax
	cmpq %rax, 24(%rsp)
	jne 1f
	incq 24(%rsp) /* an NMI had ended STI's shadow before HLT: it must not wait now */
1:	popq %rax
	addq $16, %rsp
	iretq

	.global entry_wait
entry_wait:
	PATCH_SITE(PATCH_IDLE_ENTER, 32)
	sti
entry_wait_hlt:
	hlt
	cli
	PATCH_SITE(PATCH_IDLE_LEAVE, 24)
	ret

/* ---- an exception in the kernel: the end, with a dump. The frame is struct panic_frame ---- */
	.global entry_kernel_fault
entry_kernel_fault:
	cld
	pushq %r15
	pushq %r14
	pushq %r13
	pushq %r12
	pushq %r11
	pushq %r10
	pushq %r9
	pushq %r8
	pushq %rbp
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rbx
	pushq %rax
	PATCH_SITE(PATCH_FAULT_CR3, 13)
	movq %rsp, %rdi
	movq $panic_stack_top, %rsp /* where we are may be the entry stack, of a few words */
	xorl %eax, %eax
	call panic_exception
	ud2

	.section .bss.panic_stack, "aw", @nobits
	.balign 16
	.skip 8192
panic_stack_top:

	.section .note.GNU-stack, "", @progbits
