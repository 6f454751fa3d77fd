/* The domain's ACPI tables: RSDP, XSDT, FADT (hardware-reduced), MADT with its local APICs, DSDT. */
#ifndef LOAD_ACPI_TABLES_H
#define LOAD_ACPI_TABLES_H

#include <stdint.h>

/* Places them at LAYOUT_ACPI_GPA; the RSDP's guest-physical address, or 0 if there is no memory. */
uint64_t acpi_tables_place(void);

#endif
