/*
 * The boot loader's entry: multiboot 1 and 2, 32-bit protected mode, anywhere below 4 GiB. Finds where the
 * image lies, makes the boot page tables (low 4 GiB identically; the image at its linked address, each part
 * with its own rights), enters 64-bit mode and calls cpu_early(load_base), then boot_main(magic, info,
 * load_base), which never returns. It touches no memory but the image and, for four bytes and a moment, the
 * loader's information.
 */
#include "asm_offsets.h"

#define MULTIBOOT1_MAGIC  0x1badb002
#define MULTIBOOT1_FLAGS  3 /* modules on pages; memory information */
#define MULTIBOOT2_MAGIC  0xe85250d6
#define MULTIBOOT1_LOADED 0x2badb002 /* EAX at the entry */
#define MULTIBOOT2_LOADED 0x36d76289

#define CPUID_LONG_MODE (1 << 29)
#define CPUID_NX        (1 << 20)
#define MSR_MISC_ENABLE 0x1a0 /* Intel; bit 34: firmware has switched NX off */
#define MSR_EFER        0xc0000080
#define EFER_LME        (1 << 8)
#define EFER_NXE        (1 << 11)
#define MSR_GS_BASE     0xc0000101
#define CR0_PE          (1 << 0)
#define CR0_ET          (1 << 4)
#define CR0_WP          (1 << 16)
#define CR0_PG          (1 << 31)
#define CR4_PAE         (1 << 5)
#define PTE_PRESENT     (1 << 0)
#define PTE_WRITE       (1 << 1)
#define PTE_LARGE       (1 << 7)
#define PTE_NX_HIGH     (1 << 31) /* in an entry's upper half */

/* From the image's first byte; link-time constants. */
#define OFFSET(symbol)  symbol - 0xffffffff80100000
#define IMAGE_OFFSET    0x100000 /* of the image from KERNEL_BASE */
#define IMAGE_TABLES    4        /* page tables for it: 8 MiB (kernel.lds checks) */

	.section .multiboot, "a"
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0
	.long multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
	/* information wanted, all of it optional: command line, modules, map, framebuffer, EFI, RSDP */
	.balign 8
	.short 1, 1
	.long 8 + 7 * 4
	.long 1, 3, 6, 8, 12, 14, 15
	/* a framebuffer of any form if there is one, else text: without this GRUB warns that there will be no console */
	.balign 8
	.short 5, 1
	.long 20
	.long 0, 0, 0
	/* modules on page boundaries */
	.balign 8
	.short 6, 0
	.long 8
	/* may be loaded elsewhere: below 4 GiB, at 2 MiB steps, the lowest place preferred */
	.balign 8
	.short 10, 0
	.long 24
	.long 0x100000, 0xffffffff, 0x200000, 1
	.balign 8
	.short 0, 0
	.long 8
multiboot2_end:
	.balign 4
multiboot1_header:
	.long MULTIBOOT1_MAGIC, MULTIBOOT1_FLAGS, -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)

	.section .start, "ax"
	.code32
	.global _start
_start:
	cli
	cld
	movl %eax, %esi
	movl $0x100000, %edi /* what we say about a wrong loader is said from here */
	cmpl $MULTIBOOT1_LOADED, %eax
	je 1f
	cmpl $MULTIBOOT2_LOADED, %eax
	je 1f
	movl $(OFFSET(start_text_loader)), %ecx
	jmp start_stop
	/* There is no stack, and where we are only a CALL tells: borrow the information's first word. */
1:	movl (%ebx), %ebp
	leal 4(%ebx), %esp
	call 2f
2:	popl %edi
	movl %ebp, (%ebx)
	subl $(OFFSET(2b)), %edi /* EDI: where the image lies */
	leal (OFFSET(start_stack_top))(%edi), %esp
	movl %ebx, %ebp /* EBP: information, ESI: magic */

	movl $(OFFSET(start_text_cpu)), %ecx
	pushl %ecx
	movl $0x80000000, %eax
	cpuid
	popl %ecx
	cmpl $0x80000001, %eax
	jb start_stop
	pushl %ecx
	movl $0x80000001, %eax
	cpuid
	popl %ecx
	testl $CPUID_LONG_MODE, %edx
	jz start_stop
	testl $CPUID_NX, %edx
	jnz 3f
	/* On Intel's CPUs the firmware may have switched it off: switch it on and look again. */
	xorl %eax, %eax
	cpuid
	movl $(OFFSET(start_text_nx)), %ecx
	cmpl $0x756e6547, %ebx /* "Genu" */
	jne start_stop
	movl $MSR_MISC_ENABLE, %ecx
	rdmsr
	andl $~(1 << 2), %edx
	wrmsr
	movl $0x80000001, %eax
	cpuid
	movl $(OFFSET(start_text_nx)), %ecx
	testl $CPUID_NX, %edx
	jz start_stop
3:
	/* The low 4 GiB, in pages of 2 MiB: executable until we have left them. */
	leal (OFFSET(start_tables_low))(%edi), %ebx
	movl $(PTE_PRESENT | PTE_WRITE | PTE_LARGE), %eax
	movl $2048, %ecx
4:	movl %eax, (%ebx)
	addl $8, %ebx
	addl $0x200000, %eax
	loop 4b
	leal (OFFSET(start_tables_low) + PTE_PRESENT + PTE_WRITE)(%edi), %eax
	leal (OFFSET(start_pdpt_low))(%edi), %ebx
	movl $4, %ecx
5:	movl %eax, (%ebx)
	addl $8, %ebx
	addl $0x1000, %eax
	loop 5b
	leal (OFFSET(start_pdpt_low) + PTE_PRESENT + PTE_WRITE)(%edi), %eax
	movl %eax, (OFFSET(start_pml4))(%edi)

	/* The image: three runs of pages with their rights. */
	leal (OFFSET(start_tables_image) + (IMAGE_OFFSET >> 12) * 8)(%edi), %ebx
	leal PTE_PRESENT(%edi), %eax
	xorl %edx, %edx
	leal (OFFSET(kernel_text_end) + PTE_PRESENT)(%edi), %ecx
	call start_map
	movl $PTE_NX_HIGH, %edx
	leal (OFFSET(kernel_rodata_end) + PTE_PRESENT)(%edi), %ecx
	call start_map
	orl $PTE_WRITE, %eax
	leal (OFFSET(kernel_image_end) + PTE_PRESENT + PTE_WRITE)(%edi), %ecx
	call start_map
	leal (OFFSET(start_tables_image) + PTE_PRESENT + PTE_WRITE)(%edi), %eax
	leal (OFFSET(start_pd_image))(%edi), %ebx
	movl $IMAGE_TABLES, %ecx
6:	movl %eax, (%ebx)
	addl $8, %ebx
	addl $0x1000, %eax
	loop 6b
	leal (OFFSET(start_pd_image) + PTE_PRESENT + PTE_WRITE)(%edi), %eax
	movl %eax, (OFFSET(start_pdpt_image) + 510 * 8)(%edi)
	leal (OFFSET(start_pdpt_image) + PTE_PRESENT + PTE_WRITE)(%edi), %eax
	movl %eax, (OFFSET(start_pml4) + 511 * 8)(%edi)

	/* 64-bit mode (SDM 3A, 10.8.5). */
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	leal (OFFSET(start_pml4))(%edi), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $(CR0_PG | CR0_WP | CR0_ET | CR0_PE), %eax
	movl %eax, %cr0
	leal (OFFSET(start_gdt))(%edi), %eax
	pushl %eax
	pushl $((start_gdt_end - start_gdt - 1) << 16)
	lgdt 2(%esp)
	leal (OFFSET(start_long))(%edi), %eax
	pushl $SELECTOR_KERNEL_CS
	pushl %eax
	lret

/* Entries at EBX: from EAX | EDX << 32 up to, not including, ECX. */
start_map:
	cmpl %ecx, %eax
	jae 1f
	movl %eax, (%ebx)
	movl %edx, 4(%ebx)
	addl $8, %ebx
	addl $0x1000, %eax
	jmp start_map
1:	ret

/* The text at image offset ECX on COM1 and VGA, then nothing more. */
start_stop:
	addl %edi, %ecx
	movl $0xb8000, %ebx
1:	movb (%ecx), %al
	testb %al, %al
	jz 3f
	movb $0x07, %ah
	cmpb $' ', %al
	jb 2f
	movw %ax, (%ebx)
	addl $2, %ebx
2:	movl $0x3f8, %edx
	outb %al, %dx
	incl %ecx
	jmp 1b
3:	cli
	hlt
	jmp 3b

start_text_loader:
	.asciz "Insula: not started by a multiboot 1 or multiboot 2 boot loader\r\n"
start_text_cpu:
	.asciz "Insula: this CPU has no 64-bit mode\r\n"
start_text_nx:
	.asciz "Insula: this CPU cannot protect pages from being executed (no NX)\r\n"

	.balign 8
start_gdt:
	.quad 0
	.quad 0x00209b0000000000 /* SELECTOR_KERNEL_CODE */
	.quad 0x0000930000000000 /* SELECTOR_KERNEL_DATA */
start_gdt_end:

	.code64
start_long:
	movl $SELECTOR_KERNEL_SS, %eax
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movq $start_high, %rax
	jmp *%rax
start_high:
	movq $start_stack_top, %rsp
	movl %esi, %r12d
	movl %ebp, %r13d
	movl %edi, %r14d
	xorl %ebp, %ebp
	/* Nothing is executed below any more. */
	movq $start_tables_low, %rbx
	movl $2048, %ecx
1:	orb $0x80, 7(%rbx)
	addq $8, %rbx
	decl %ecx
	jnz 1b
	movq %cr3, %rax
	movq %rax, %cr3
	/* Per-CPU data from here on. */
	movq $percpu_early, %rax
	movq %rax, PERCPU_SELF(%rax)
	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr

	movq %r14, %rdi
	call cpu_early
	movl %r12d, %edi
	movl %r13d, %esi
	movq %r14, %rdx
	call boot_main
	ud2

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
start_pml4:
	.skip 4096
start_pdpt_low:
	.skip 4096
start_tables_low:
	.skip 4 * 4096
start_pdpt_image:
	.skip 4096
start_pd_image:
	.skip 4096
start_tables_image:
	.skip IMAGE_TABLES * 4096
	.global kernel_stack_guard, start_stack_top
kernel_stack_guard:
	.skip 4096
	.skip 16384
start_stack_top:

	.section .note.GNU-stack, "", @progbits
