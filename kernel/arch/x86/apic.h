/*
 * Local APICs and IOAPICs. x2APIC mode where the CPU has it, else memory-mapped. SDM 3A, chapter 11; 82093AA
 * data sheet.
 *
 * Boot: apic_init once (also maps everything and silences the 8259s), apic_init_cpu on each CPU.
 */
#ifndef ARCH_X86_APIC_H
#define ARCH_X86_APIC_H

#include "acpi/acpi.h"
#include "types.h"

struct percpu;

/*
 * Maps the local APIC and the IOAPICs of the MADT; all pins masked; apic_init_cpu for this CPU. An IOAPIC
 * that does not answer counts as one with 0 pins, so that the others keep their numbers.
 */
void apic_init(const struct acpi_madt *madt);
/* Switches this CPU's APIC on, everything in it masked; p->apic_id. */
void apic_init_cpu(struct percpu *p);

void apic_eoi(void);
/* Is the vector's interrupt being serviced by this CPU (accepted, no EOI yet)? */
bool apic_in_service(unsigned vector);
/* IRQ_VECTOR_KICK to this CPU. May be called between any two instructions. */
void apic_kick_self(void);
/* Sends IRQ_VECTOR_KICK to another CPU. */
void apic_kick(uint32_t apic_id);
/* The two that start another CPU (SDM 3A, 9.4.4): INIT; and start-up in real mode at page * 4096. */
void apic_init_ipi(uint32_t apic_id);
void apic_startup_ipi(uint32_t apic_id, uint8_t page);
/* Can an interrupt be sent to a CPU with this id? Without x2APIC an id has 8 bits, and 0xff means all. */
bool apic_reaches(uint32_t apic_id);
/* The boot CPU's: device interrupts go there. */
extern uint32_t apic_boot_id;

/*
 * This CPU's timer. One-shot: counts down from `count` at apic_timer_hz (apic_timer.c measures it) and raises
 * IRQ_VECTOR_TIMER; 0 stops it. Deadline: at this TSC value; 0 stops it.
 */
void apic_timer_one_shot(uint32_t count);
void apic_timer_deadline(uint64_t tsc);
uint32_t apic_timer_current(void);
/* Free-running from the highest count, no interrupt: for calibration. */
void apic_timer_count_down(void);

/* A redirection table entry's two halves (82093AA, 3.2.4). Pure. */
struct ioapic_entry {
	uint32_t low, high;
};
struct ioapic_entry ioapic_entry_make(uint8_t vector, uint8_t apic_id, bool level, bool low_active,
				      bool masked);

/* apic_init's part for one IOAPIC (ioapic.c). */
void ioapic_add(const struct acpi_madt_ioapic *io);

#endif
