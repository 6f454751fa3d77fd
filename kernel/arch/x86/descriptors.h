/*
 * GDT, TSS and IDT of a CPU: segments of selectors.h, the entry stack, the stacks of NMI, machine check,
 * double fault and debug. The IDT is one for all CPUs.
 */
#ifndef ARCH_X86_DESCRIPTORS_H
#define ARCH_X86_DESCRIPTORS_H

#include "types.h"

struct percpu;

/* Interrupt stack table slots, from 1; each stack's top word is the per-CPU area's address (entry/vectors.S).
 */
enum descriptors_ist {
	DESCRIPTORS_IST_NONE,
	DESCRIPTORS_IST_NMI,
	DESCRIPTORS_IST_DF,
	DESCRIPTORS_IST_MC,
	DESCRIPTORS_IST_DB
};
#define DESCRIPTORS_IST_COUNT 4u

/* Sets p->kernel_stack and all of GDT and TSS, loads them and the IDT. GS is 0 afterwards: the caller sets
 * its base. */
void descriptors_init(struct percpu *p);

/* The IDT: a page of its own. */
enum { DESCRIPTORS_VECTORS = 256 };
extern uint64_t descriptors_idt[DESCRIPTORS_VECTORS][2];

#endif
