/* The machine as a whole: firmware tables, time of day, power off and reset. */
#ifndef ROOT_MACHINE_H
#define ROOT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include "acpi/acpi.h"

/* rsdp: 36 bytes, or NULL. Reads what there is; a line for what is broken. */
void machine_begin(const uint8_t *rsdp);

/* NULL: the firmware has none. */
const struct acpi_madt *machine_madt(void);
const struct acpi_fadt *machine_fadt(void);

/* Unix time in ns when the TSC was 0, by the real-time clock; 0: unknown. */
uint64_t machine_wall_ns(uint64_t tsc_hz);

/* Return only if the machine did not do it. */
void machine_power_off(void);
void machine_reset(void);

#endif
