/*
 * Starting another CPU (SDM 3A, 9.4: INIT, then start-up interrupts), and comparing its clock. Boot CPU, one
 * at a time, after time_init().
 */
#ifndef ARCH_X86_SMP_SMP_START_H
#define ARCH_X86_SMP_SMP_START_H

#include "percpu.h"

/*
 * A page of RAM below 1 MiB is lent for the length of the start-up: what it held is put back by
 * smp_start_end(). The identity mapping of low memory must still be there.
 */
void smp_start_begin(paddr_t page);
void smp_start_end(void);

/* INIT to all that are going to be started. */
void smp_start_init(const uint32_t *apic_id, uint32_t count);

/*
 * Lets the CPU with this APIC id, which has got its INIT, run target(p) on p's stack (p->kernel_stack), with
 * the kernel's tables and no descriptor tables of its own. True when it has set p->arch.started; else it has
 * been sent back to wait.
 */
bool smp_start_cpu(struct percpu *p, void (*target)(struct percpu *));
/* It is of no use: back to where firmware had left it. */
void smp_start_stop(const struct percpu *p);

/* ---- smp_tsc.c: the new CPU answers until the boot CPU has seen enough ---- */

/*
 * Boot CPU: how far the other's TSC is ahead (negative: behind), as far as this can be known, to *error
 * ticks. smp_tsc_set() moves the other's back by so many, smp_tsc_end() lets it go on.
 */
int64_t smp_tsc_compare(uint64_t *error);
void smp_tsc_set(int64_t ahead);
void smp_tsc_end(void);
/* The other. */
void smp_tsc_answer(void);

#endif
