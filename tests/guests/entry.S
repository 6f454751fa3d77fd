/*
 * Entry of the test payload: PVH starts it in flat 32-bit protected mode with the start_info's address in EBX
 * (Xen docs/misc/pvh.pandoc). Goes to long mode with 4 GiB mapped one to one, and calls main_c(start_info).
 * Also the interrupt stubs: every vector saves the registers and calls trap_c(vector, error, rip); and a second CPU's
 * way from its SIPI (of which ap_trampoline is to be copied to the page) to ap_entry, with the same tables and gates.
 */
#include <xen/elfnote.h>

#define CR0_WP_EM_CLEAR 0x80000011
#define CR4_PAE (1 << 5)
#define CR4_SSE (3 << 9)
#define EFER 0xc0000080
#define EFER_LME (1 << 8)
#define START_INFO_CMDLINE 24 /* xen/arch-x86/hvm/start_info.h */

	.section .note.xen, "a", @note
	.align 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long _start

	.section .text.entry, "ax"
	/* paging on, with the tables that _start fills */
	.macro LONG_MODE
	movl $CR4_PAE | CR4_SSE, %eax
	movl %eax, %cr4
	movl $page_ml4, %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $CR0_WP_EM_CLEAR, %eax
	movl %eax, %cr0
	.endm

	.code32
	.globl _start
_start:
	cld
	movl $stack_top, %esp
	movl %ebx, %esi

	movl START_INFO_CMDLINE(%esi), %eax
	testl %eax, %eax
	jz 1f
	cmpl $0x636e6562, (%eax) /* "benc" */
	jne 1f
	call bench32
1:
	/* PML4[0] -> PDPT, PDPT[0..3] -> four page directories of 2 MiB pages */
	movl $page_dpt + 3, page_ml4
	movl $page_dir + 3, %eax
	movl $page_dpt, %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 1b
	movl $0x83, %eax
	movl $page_dir, %edi
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 2b

	LONG_MODE
	lgdt gdt_pointer
	ljmp $8, $entry_64

	.code64
entry_64:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %esi, %edi
	xorl %ebp, %ebp
	call main_c
1:	cli
	hlt
	jmp 1b

	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdt_pointer - ap_trampoline
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x18, $ap_entry_32
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
ap_trampoline_end:

	.code32
ap_entry_32:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $ap_stack_top, %esp
	LONG_MODE
	ljmp $8, $ap_entry_64

	.code64
ap_entry_64:
	lidt payload_idt_pointer
	call *ap_entry
1:	cli
	hlt
	jmp 1b

	/* 256 stubs of 16 bytes: the vectors at which the CPU pushes no error code push a zero */
	.macro STUB vector
	.balign 16
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
	.else
	pushq $0
	.endif
	pushq $\vector
	jmp trap_entry
	.endm

	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	STUB vector
	.set vector, vector + 1
	.endr

trap_entry:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movq 72(%rsp), %rdi
	movq 80(%rsp), %rsi
	leaq 88(%rsp), %rdx
	cld
	call trap_c
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.section .data
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cf9b000000ffff
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt

	.globl ap_entry
	.balign 8
ap_entry:
	.quad 0

	.section .bss
	.balign 4096
	.globl page_ml4
page_ml4:
	.skip 4096
page_dpt:
	.skip 4096
page_dir:
	.skip 4 * 4096
	.globl hypercall_page
hypercall_page:
	.skip 4096
	.skip 16384
	.globl stack_top
stack_top:
	.skip 16384
ap_stack_top:
	.section .note.GNU-stack, "", @progbits
