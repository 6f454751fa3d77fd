/* The clocks that time_calibrate compares. Decides nothing. */
#ifndef ARCH_X86_TIME_HW_H
#define ARCH_X86_TIME_HW_H

#include "types.h"

/* HPET at this mapped address (IA-PC HPET 1.0a, 2.3): switched on if it was not. 0: no sensible period. */
uint64_t time_hpet_start(volatile uint8_t *base); /* period in fs */
uint64_t time_hpet_read(void);			  /* low 32 bits */

/* ACPI PM timer (ACPI 6.4, 4.8.3.3). */
void time_pm_start(uint16_t port);
uint64_t time_pm_read(void); /* 24 bits */

/* PIT channel 2, without the speaker (82C54 data sheet): counts down; given as counting up. */
void time_pit_start(void);
uint64_t time_pit_read(void); /* 16 bits */

#endif
