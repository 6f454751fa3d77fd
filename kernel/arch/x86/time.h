/*
 * Time: the TSC is the kernel's clock, measured at boot against HPET, ACPI PM timer or PIT to better than 20
 * ppm of that clock; the local APIC's timer is its alarm. What the portable kernel uses is in arch.h.
 */
#ifndef ARCH_X86_TIME_H
#define ARCH_X86_TIME_H

#include "acpi/acpi.h"
#include "types.h"

/* Boot CPU, after apic_init. Either table may be missing (NULL). boot_stop if no clock runs. Prints one line.
 */
void time_init(const struct acpi_hpet *hpet, const struct acpi_fadt *fadt);

/* ---- conversion (time_scale.c); pure ---- */

struct time_scale {
	uint64_t ticks_per_us; /* 32.32 fixed point, rounded up */
	uint64_t us_per_tick;  /* 0.64 fixed point, rounded up */
};
/* hz from 10 MHz to 100 GHz. */
struct time_scale time_scale_make(uint64_t hz);
/* At least us long; back again gives us. Saturates at TIME_TICKS_MAX. */
ticks_t time_scale_to_ticks(const struct time_scale *s, uint64_t us);
/* Whole us, the fraction dropped. */
uint64_t time_scale_to_us(const struct time_scale *s, ticks_t t);
#define TIME_TICKS_MAX BIT(60)

/* a * b / c with a 128-bit product; the result must fit, c not be 0. Rounds down. */
uint64_t time_muldiv(uint64_t a, uint64_t b, uint64_t c);

/* ---- measuring (time_calibrate.c) ---- */

/* A clock of known frequency that counts up and wraps at a power of 2. */
struct time_reference {
	const char *name;
	uint64_t (*read)(void);
	uint64_t mask;	    /* highest count */
	uint64_t period_fs; /* of one count, in 10^-15 s */
};

struct time_measured {
	uint64_t tsc_hz;
	uint64_t
	    apic_per_tsc;   /* counts of the APIC timer per TSC tick, 0.32 or 32.32 fixed point, rounded up */
	uint32_t error_ppm; /* bound of the measurement's error */
};
/* False if the clock does not run. The APIC timer must be counting down. Takes 20 to 500 ms. */
bool time_calibrate(const struct time_reference *r, struct time_measured *out);

#endif
