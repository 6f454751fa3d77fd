/*
 * The measurements of bench.c once more without paging, in 32-bit mode: where the hypervisor must fetch the
 * instruction that left the guest, it need not walk the guest's page tables then. Called by entry.S before long mode;
 * bench.c reads the samples. Keeps ESI.
 */
#include "bench32.h"

	.section .text.entry, "ax"
	.code32

	/* Stores in row ROW how many ticks the operation takes, BENCH32_SAMPLES times. ECX, EBX are the operation's. */
	.macro SAMPLE row, operation:vararg
	movl $bench32_samples + 4 * BENCH32_SAMPLES * \row, %edi
1:	lfence
	rdtsc
	lfence
	movl %eax, %ebp
	\operation
	lfence
	rdtsc
	lfence
	subl %ebp, %eax
	stosl
	cmpl $bench32_samples + 4 * BENCH32_SAMPLES * (\row + 1), %edi
	jne 1b
	.endm

	.macro CPUID_0
	xorl %eax, %eax
	cpuid
	.endm
	.macro RDMSR_APIC_BASE
	movl $0x1b, %ecx
	rdmsr
	.endm
	.macro HYPERCALL number, command
	movl $\number, %eax
	movl $\command, %ebx
	xorl %ecx, %ecx
	vmmcall
	.endm
	.macro IN_0X61
	inb $0x61, %al
	.endm

	.globl bench32
bench32:
	pushl %esi
	cld
	SAMPLE BENCH32_NOTHING,
	SAMPLE BENCH32_CPUID, CPUID_0
	SAMPLE BENCH32_VERSION, HYPERCALL BENCH32_NR_VERSION, 0
	SAMPLE BENCH32_RDMSR, RDMSR_APIC_BASE
	SAMPLE BENCH32_IN, IN_0X61
	SAMPLE BENCH32_YIELD, HYPERCALL BENCH32_NR_SCHED, 0
	popl %esi
	ret

	.section .bss
	.balign 4
	.globl bench32_samples
bench32_samples:
	.skip 4 * BENCH32_SAMPLES * BENCH32_ROWS
	.section .note.GNU-stack, "", @progbits
