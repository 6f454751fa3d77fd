/*
 * Programs that the guest runs, each a few instructions that end in an exit. Copied to GUEST_CODE; position independent. The
 * first ones run in real mode, the others in 64-bit mode.
 */
	.section .rodata
	.macro program name
	.globl guest_\name
guest_\name:
	.endm

	.balign 16
program start
	.code16
program cpuid
	cpuid
program hlt
	hlt
program hlt2
	hlt
	hlt
program out80
	outb %al, $0x80
	hlt
program in_dx
	movw $0x3f8, %dx
	inw %dx, %ax
	hlt
program rdmsr
	movl $0x1b, %ecx
	rdmsr
	hlt
program wrmsr
	movl $0x10, %ecx
	wrmsr
	hlt
program load_hole
	movw %ds:(0), %ax
	hlt
program store_hole
	movw %ax, %ds:(0)
	hlt
program jump_hole
	ljmpl $0x1000, $0xf0000
program sti_hlt
	sti
	hlt
	hlt
program cli_sti
	cli
	nop
	sti
	nop
	nop
	hlt
program iret
	iretw
program nmi_handler
	nop
	iretw
program vmmcall
	vmmcall
	hlt
program vmcall
	vmcall
	hlt
program ud2
	ud2

	.code32
program pae
	movl %ecx, %cr3
	movl %cr0, %eax
	orl $0xc0000020, %eax
	movl %eax, %cr0
	movl 0x40006000, %ebx
	movl $0xb001, 0x9010
	movl %cr4, %eax
	orl $0xc0, %eax
	movl %eax, %cr4
	movl 0x80006000, %edx
	hlt
program unaligned
	movl 1(%eax), %ebx
	hlt

	.code64
program spin
	jmp guest_spin
program vmrun
	vmrun
	hlt
program sse
	movq %rax, %xmm0
	hlt
program read_sse
	movq %xmm0, %rax
	hlt
program xsetbv
	xorl %ecx, %ecx
	xorl %edx, %edx
	xsetbv
	hlt
program dr
	movq %rax, %dr0
	movq %rbx, %dr3
	hlt
program read_dr
	movq %dr0, %rax
	movq %dr3, %rbx
	hlt
program cr3
	movq %cr3, %rax
	movq %rax, %cr3
	hlt
program cr4
	movq %cr4, %rax
	orq $0x40, %rax
	movq %rax, %cr4
	movq %cr4, %rax
	hlt
	xorq $0x40, %rax
	movq %rax, %cr4
	movq %cr4, %rax
	hlt
program cr8
	movq %rax, %cr8
	xorl %eax, %eax
	movq %cr8, %rax
	hlt
program step
	pushfq
	orq $0x100, (%rsp)
	popfq
	nop
	nop
	hlt
program db_handler
	incq %r8
	iretq
program db_loop
	movq $0x8000, %rsp
	sti
	pushfq
	orq $0x100, (%rsp)
	popfq
	nop
	nop
	jmp guest_db_loop
program int1_loop
	movq $0x8000, %rsp
	sti
	nop
	.byte 0xf1
	hlt
program watch_loop
	movq $0x8000, %rsp
	sti
	nop
	pushq %rcx
	jmp guest_watch_loop
program int3
	.byte 0xf3
	int3
	hlt
program cpuid_loop
	cpuid
	jmp guest_cpuid_loop
program msrs
	movl $0xc0000102, %ecx
	wrmsr
	movl $0xc0000082, %ecx
	wrmsr
	movl $0x176, %ecx
	wrmsr
	hlt
program invlpg
	invlpg (%rax)
	hlt
program wbinvd
	wbinvd
	hlt
program pause
	pause
	hlt
program wait
	movl $200000, %ecx
1:	pause
	loop 1b
	hlt
program monitor
	monitor
	hlt
program rdtsc
	rdtsc
	hlt
program rep_outs
	cld
	rep outsb
	hlt
program int80
	int $0x30
	hlt
program touch
	movq %rbx, (%rax)
	hlt
program count
	incq (%rax)
	jmp guest_count

program end
	.section .note.GNU-stack, "", @progbits
