/*
 * What the portable kernel calls down to. All of it per CPU unless it says otherwise; nothing here
 * calls up.
 */
#ifndef ARCH_X86_ARCH_H
#define ARCH_X86_ARCH_H

#include "types.h"

struct tcb;
struct percpu;

/* ---- switching (switch.c): called by sched_exit with the thread to run ---- */
/* Saves the FPU of the leaving thread, loads the other's, CR3, percpu->context. `to` may be the idle thread. */
void arch_switch_to(struct tcb *from, struct tcb *to);
/*
 * t->ctx.fs_base and gs_base become what the thread has in the CPU if it is current (user code may write them
 * itself). To be called before they are read or changed.
 */
void arch_thread_sync(struct tcb *t);
/*
 * A thread's registers changed that live in the CPU while it is current (FS/GS base, CR3): they are loaded, so
 * arch_thread_sync must have come before the change. No effect on others.
 */
void arch_thread_changed(struct tcb *t);
/* It became forbidden or allowed to use the FPU (t->fpu_disabled); takes effect at once if it is current. */
void arch_fpu_changed(struct tcb *t);
void arch_fpu_init(struct tcb *t); /* fresh FPU state in a new TCB */

/* ---- time (time.c) ---- */
extern uint64_t time_tsc_hz; /* calibrated at boot */
ticks_t time_us_to_ticks(uint64_t us);
uint64_t time_ticks_to_us(ticks_t t);
uint64_t time_max_us(void);  /* longest period that does not overflow */
/* Timer interrupt of this CPU at `deadline` or shortly before (then it is set again); a past deadline fires at once. */
void time_set_deadline(ticks_t deadline);

/* ---- interrupts (irq.c): hardware vectors 0x30..0x30+107 for devices ---- */
#define IRQ_VECTOR_FIRST 0x30
#define IRQ_VECTOR_COUNT 108
#define IRQ_VECTOR_TIMER 0xf0
#define IRQ_VECTOR_KICK  0xf1
#define IRQ_VECTOR_SPURIOUS 0xff
/* Waits with interrupts on until one is in percpu->arch.pending_vector (not yet acknowledged); then off again. */
void arch_idle(void);
/* Opens interrupts for a moment; true if one is now waiting in percpu->arch.pending_vector. Cheap. */
bool irq_poll(void);
void irq_eoi(void);
unsigned irq_ioapic_count(void);
unsigned irq_ioapic_pins(unsigned ioapic); /* 0 if there is none */
/* Routes an IOAPIC pin to `vector` of the boot CPU, masked. */
void irq_ioapic_route(unsigned ioapic, unsigned pin, bool level, bool low_active, uint8_t vector);
void irq_ioapic_mask(unsigned ioapic, unsigned pin, bool masked);
/* Is [p, p + bytes) a page that the kernel itself uses (LAPIC, IOAPIC)? Left out of device Untypeds. */

/* ---- TLB (tlb.c): after these return no CPU holds the translation ---- */
void tlb_flush_page(uint64_t cr3_root_pa, uint64_t vaddr); /* one page of one VSpace */
void tlb_flush_root(uint64_t cr3_root_pa);                 /* everything of one VSpace */
void tlb_flush_kernel(uint64_t vaddr, uint64_t bytes);     /* window pages */
/* Nested translations of one EPT root (all its guests, all CPUs). */
void tlb_flush_nested(paddr_t ept_root);

/* ---- entry ---- */
/* User memory access from the kernel does not exist. IPC buffers are reached through the window. */

/* ---- machine end ---- */
NORETURN void arch_halt(void);

#endif
