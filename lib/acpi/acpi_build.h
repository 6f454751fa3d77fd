/*
 * Writes small ACPI tables for a guest (ACPI 6.4, 5.2): the tables of a PVH domain. Used by the vmm. Tables
 * are laid one after the other, 16-byte aligned, into the caller's buffer, which the guest will see at
 * guest-physical address gpa.
 *
 * Every function that makes a table returns its guest-physical address. Running out of space is remembered:
 * all later calls do nothing and return 0, and acpi_build_failed tells so once at the end.
 *
 *     acpi_build_init(&b, buf, sizeof(buf), gpa);
 *     dsdt = acpi_build_dsdt(&b, aml, aml_size);
 *     list[0] = acpi_build_fadt(&b, dsdt, &config);
 *     acpi_build_madt_begin(&b, lapic_gpa, false); acpi_build_madt_cpu(...); ... list[1] =
 * acpi_build_madt_end(&b); rsdp = acpi_build_rsdp(&b, acpi_build_xsdt(&b, list, 2));
 */
#ifndef LIB_ACPI_ACPI_BUILD_H
#define LIB_ACPI_ACPI_BUILD_H

#include "mem/mem.h"

struct acpi_build {
	uint8_t *buf;
	size_t size;
	size_t used;
	uint64_t gpa;
	size_t table; /* offset of the table being made */
	bool failed;
};

void acpi_build_init(struct acpi_build *b, uint8_t *buf, size_t size, uint64_t gpa);
bool acpi_build_failed(const struct acpi_build *b);

/* Any table: header and checksum are made here, body is copied behind the header. */
uint64_t acpi_build_table(struct acpi_build *b, const char *signature, uint8_t revision, const uint8_t *body,
			  size_t size);

uint64_t acpi_build_dsdt(struct acpi_build *b, const uint8_t *aml, size_t size);

struct acpi_build_fadt_config {
	bool hardware_reduced;		  /* no fixed hardware at all */
	bool no_vga, no_msi, no_cmos_rtc; /* IA-PC boot flags */
	bool has_8042;
	uint16_t pm_timer_port;	     /* 0: none */
	uint8_t sleep_control_space; /* 0 memory, 1 I/O; used if sleep_control is not 0 */
	uint64_t sleep_control;
	uint64_t sleep_status;
};

uint64_t acpi_build_fadt(struct acpi_build *b, uint64_t dsdt, const struct acpi_build_fadt_config *c);

void acpi_build_madt_begin(struct acpi_build *b, uint64_t lapic, bool has_8259);
/* An APIC id above 254 makes an x2APIC entry. */
void acpi_build_madt_cpu(struct acpi_build *b, uint32_t uid, uint32_t apic_id, bool enabled,
			 bool online_capable);
void acpi_build_madt_ioapic(struct acpi_build *b, uint8_t id, uint32_t address, uint32_t gsi_base);
/* flags: the MPS INTI flags (5.2.12.5): 0 as the bus has it, 0xd active high and level, 0xf active low and
 * level, 5 high and edge. */
void acpi_build_madt_override(struct acpi_build *b, uint8_t isa_irq, uint32_t gsi, uint16_t flags);
void acpi_build_madt_lint_nmi(struct acpi_build *b, uint8_t uid, uint16_t flags,
			      uint8_t lint); /* uid 0xff: all */
uint64_t acpi_build_madt_end(struct acpi_build *b);

uint64_t acpi_build_xsdt(struct acpi_build *b, const uint64_t *tables, size_t count);

/* Revision 2, without an RSDT. */
uint64_t acpi_build_rsdp(struct acpi_build *b, uint64_t xsdt);

#endif
