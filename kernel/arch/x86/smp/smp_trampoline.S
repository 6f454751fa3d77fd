/*
 * Where another CPU begins: a copy of this in a page below 1 MiB, entered in real mode by the start-up interrupt with CS naming
 * the page. It goes through protected mode to 64-bit mode, on the kernel's tables, and jumps to where the words at its end say.
 * Only the CPU that finds smp_trampoline_open set, and takes it, goes on: one that comes too late stops.
 */
#define CR0_PE      (1 << 0)
#define CR0_ET      (1 << 4)
#define CR0_WP      (1 << 16)
#define CR0_PG      (1 << 31)
#define CR4_PAE     (1 << 5)
#define MSR_EFER    0xc0000080
#define EFER_LME    (1 << 8)
#define EFER_NXE    (1 << 11)
#define CPUID_NX    (1 << 20)
#define MSR_MISC_ENABLE 0x1a0 /* Intel; bit 34: firmware has switched NX off (start.S) */
#define CODE32      0x08
#define DATA32      0x10
#define AT(symbol)  symbol - smp_trampoline_start

	.section .rodata.smp_trampoline, "a"
	.balign 16
	.global smp_trampoline_start, smp_trampoline_end
	.code16
smp_trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movl $1, %eax
	xorl %ecx, %ecx
	lock cmpxchgl %ecx, AT(smp_trampoline_open)
	jne 2f
	xorl %ebx, %ebx
	movw %cs, %bx
	shll $4, %ebx /* EBX: the page */
	lgdtl AT(smp_trampoline_gdtr)
	movl $(CR0_ET | CR0_PE), %eax
	movl %eax, %cr0
	ljmpl *AT(smp_trampoline_far32)
2:	hlt
	jmp 2b

	.code32
smp_trampoline_32:
	movl $DATA32, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %ebx, %ebp /* CPUID takes EBX */
	movl $0x80000001, %eax
	cpuid
	movl %ebp, %ebx
	testl $CPUID_NX, %edx
	jnz 1f
	movl $MSR_MISC_ENABLE, %ecx
	rdmsr
	andl $~(1 << 2), %edx
	wrmsr
1:	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl (AT(smp_trampoline_cr3))(%ebx), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $(CR0_PG | CR0_WP | CR0_ET | CR0_PE), %eax
	movl %eax, %cr0
	ljmpl *(AT(smp_trampoline_far64))(%ebx)

	.code64
smp_trampoline_64:
	movl %ebx, %ebx
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movq (AT(smp_trampoline_stack))(%rbx), %rsp
	movq (AT(smp_trampoline_argument))(%rbx), %rdi
	movq (AT(smp_trampoline_target))(%rbx), %rax
	xorl %ebp, %ebp
	pushq %rbp /* no return address */
	jmp *%rax

	.balign 8
smp_trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* CODE32 */
	.quad 0x00cf93000000ffff /* DATA32 */
	.quad 0x00209b0000000000 /* 64-bit code */
smp_trampoline_gdt_end:

	/* struct smp_trampoline (smp_start.c), filled in the copy */
	.balign 8
	.global smp_trampoline_words
smp_trampoline_words:
smp_trampoline_stack:
	.quad 0
smp_trampoline_argument:
	.quad 0
smp_trampoline_target:
	.quad 0
smp_trampoline_cr3:
	.long 0
smp_trampoline_open:
	.long 0
smp_trampoline_far32:
	.long AT(smp_trampoline_32)
	.long CODE32
smp_trampoline_far64:
	.long AT(smp_trampoline_64)
	.long 0x18
	.short 0
smp_trampoline_gdtr:
	.short smp_trampoline_gdt_end - smp_trampoline_gdt - 1
	.long AT(smp_trampoline_gdt)
smp_trampoline_end:

	.section .note.GNU-stack, "", @progbits
