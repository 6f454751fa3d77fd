/*
 * A local APIC as guests see it (Intel SDM volume 3, chapter 11; AMD APM volume 2, chapter 16): xAPIC and x2APIC register files.
 * Pure state machine: no clock, no other APIC; results of accesses that reach beyond it are returned as actions for the caller.
 * IRR is also set from other threads (lapic_accept, atomic); all else is its vCPU's thread's.
 */
#ifndef APIC_LAPIC_H
#define APIC_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_BASE 0xfee00000ull
#define LAPIC_BUS_NS 10ull /* a count of the timer, divided by 1 */

enum lapic_mode { LAPIC_DISABLED, LAPIC_XAPIC, LAPIC_X2APIC };

struct lapic {
	uint32_t id;
	enum lapic_mode mode;
	bool bsp;
	uint32_t tpr, ldr, dfr, svr, esr, esr_pending;
	uint32_t lvt[7]; /* enum lapic_lvt */
	uint32_t timer_initial, timer_divide;
	uint64_t timer_start;    /* ns of system time at which it was started */
	uint64_t timer_deadline; /* ns of system time at which it fires; UINT64_MAX: stopped */
	uint64_t tsc_deadline;   /* TSC-deadline mode: absolute TSC; 0: none */
	uint32_t icr_low, icr_high;
	uint32_t irr[8]; /* atomic */
	uint32_t isr[8];
	uint32_t tmr[8];
};

enum lapic_lvt { LVT_CMCI, LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR };

/* What an access asks of the outside. */
enum lapic_action_kind {
	LAPIC_NOTHING,
	LAPIC_SEND,        /* an IPI: fields below */
	LAPIC_TIMER_CHANGED, /* recompute the vCPU's timers */
	LAPIC_EOI,         /* a level interrupt ended: vector in .vector (IOAPIC broadcast) */
	LAPIC_FAULT,       /* #GP (x2APIC only) */
};
struct lapic_action {
	enum lapic_action_kind kind;
	uint8_t vector;
	uint8_t delivery;    /* ICR delivery mode: 0 fixed, 1 lowest, 4 NMI, 5 INIT, 6 start-up */
	bool level_deassert; /* INIT level de-assert: ignored by modern APICs */
	bool logical;
	uint8_t shorthand;   /* 0 none, 1 self, 2 all, 3 all but self */
	uint32_t destination;
};

void lapic_reset(struct lapic *l, uint32_t id, bool bsp);
/* IA32_APIC_BASE. False: #GP. */
uint64_t lapic_base_read(const struct lapic *l);
bool lapic_base_write(struct lapic *l, uint64_t value);
/* reg: byte offset of the xAPIC page (multiples of 0x10), or (msr - 0x800) << 4 for x2APIC. now: system time in ns. */
uint64_t lapic_read(struct lapic *l, uint32_t reg, uint64_t now, bool *fault);
struct lapic_action lapic_write(struct lapic *l, uint32_t reg, uint64_t value, uint64_t now);
/* Another's or a device's interrupt arrives; true if it was not pending before. Any thread. */
bool lapic_accept(struct lapic *l, uint8_t vector, bool level);
/* As Xen's upcalls arrive: also while software has the APIC disabled (SVR); it is delivered once it is enabled. Any thread. */
bool lapic_assert(struct lapic *l, uint8_t vector);
/* Highest interrupt that may be delivered now (above PPR); -1 none. */
int lapic_pending(const struct lapic *l);
/* That interrupt is being delivered: IRR to ISR. */
void lapic_take(struct lapic *l, uint8_t vector);
/* Does a destination (ICR or MSI) include this APIC? */
bool lapic_matches(const struct lapic *l, bool logical, uint32_t destination);
/* Timer reached its deadline: sets IRR if unmasked, and the next period. True if the vCPU has an interrupt now. */
bool lapic_timer_expire(struct lapic *l, uint64_t now);

/*
 * All registers as Xen's records have them: 16 bytes for each, as in the xAPIC page; in x2APIC mode the same with the id and destinations of 32 bits. Loading keeps the id, and gives the rest the bits
 * that it may have; a timer that ran goes on from its current count.
 */
#define LAPIC_REGISTERS 0x400u
void lapic_save(struct lapic *l, uint64_t now, uint8_t regs[LAPIC_REGISTERS]);
void lapic_load(struct lapic *l, uint64_t base, const uint8_t regs[LAPIC_REGISTERS], uint64_t tsc_deadline, uint64_t now);
/* The timer's clock is divided by this: 1 to 128. */
uint32_t lapic_divisor(const struct lapic *l);

#endif
