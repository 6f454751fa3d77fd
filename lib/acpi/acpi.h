/*
 * Finds and checks the firmware's ACPI tables (ACPI 6.4, chapters 5.2 and 16.1) and reads those that need no
 * interpreter. Used by the kernel at start-up and by the platform server. Firmware is hostile input: lengths,
 * checksums and counts are checked on our own copy, and nothing is read twice for use. It never interprets
 * AML; acpi_sleep_find only recognises a constant package.
 *
 * Addresses are physical. The usual order: acpi_rsdp_check (or acpi_rsdp_find), acpi_tables_open, then for
 * each table acpi_table_find, acpi_table_copy, acpi_*_parse of the copy.
 */
#ifndef LIB_ACPI_ACPI_H
#define LIB_ACPI_ACPI_H

#include "mem/reader.h"

enum {
	ACPI_TABLES = 128,	   /* tables beyond this are not listed */
	ACPI_HEADER = 36,	   /* bytes of the header that every table but RSDP and FACS has */
	ACPI_TABLE_MAX = 16 << 20, /* no table is longer: a larger length is an error */
};

enum acpi_error {
	ACPI_OK = 0,
	ACPI_NO_RSDP,
	ACPI_BAD_RSDP,	 /* signature, checksum or length */
	ACPI_UNREADABLE, /* the reader refused an address */
	ACPI_BAD_LENGTH,
	ACPI_BAD_CHECKSUM,
	ACPI_BAD_SIGNATURE,
	ACPI_BAD_ENTRY, /* an entry inside a table that leads outside it */
	ACPI_NOT_FOUND,
	ACPI_NO_SPACE, /* the caller's buffer is smaller than the table */
};

/* One plain English line. */
const char *acpi_error_line(enum acpi_error e);

struct acpi_root {
	uint8_t revision;
	uint64_t xsdt; /* 0 if there is none */
	uint64_t rsdt; /* 0 if there is none */
};

/* Checks an RSDP of n bytes (20 for revision 0, 36 and more for 2). A revision 2 RSDP whose extended part is
 * wrong or short counts by its first 20 bytes. */
enum acpi_error acpi_rsdp_check(const uint8_t *rsdp, size_t n, struct acpi_root *out);

/* Searches where a BIOS puts it: the first KiB of the EBDA, and 0xe0000-0xfffff. Not for EFI. rsdp gets the
 * copy, *size 20 or 36. */
enum acpi_error acpi_rsdp_find(const struct mem_reader *r, uint8_t rsdp[36], uint32_t *size,
			       struct acpi_root *out);

struct acpi_entry {
	uint8_t signature[4];
	uint32_t length; /* as the header said when it was looked at; checked again by acpi_table_copy */
	uint64_t paddr;
};

struct acpi_tables {
	uint32_t count;
	uint32_t skipped; /* entries left out: unreadable, bad length or checksum, or more than ACPI_TABLES */
	struct acpi_entry entries[ACPI_TABLES];
};

/* Walks the XSDT, or the RSDT if there is none or it is bad. A bad table in the list is left out and counted;
 * a bad list is an error. */
enum acpi_error acpi_tables_open(const struct mem_reader *r, const struct acpi_root *root,
				 struct acpi_tables *out);

/* The nth (from 0) table with this signature ("APIC"); NULL if there is none. */
const struct acpi_entry *acpi_table_find(const struct acpi_tables *t, const char *signature, uint32_t nth);

/* Reads header and checksum of a table that is not in the list (the DSDT). */
enum acpi_error acpi_table_check(const struct mem_reader *r, uint64_t paddr, const char *signature,
				 struct acpi_entry *out);

/* Copies a table to buf and checks signature, length and checksum of the copy. *size is its length. */
enum acpi_error acpi_table_copy(const struct mem_reader *r, const struct acpi_entry *e, uint8_t *buf,
				size_t buf_size, size_t *size);

/* ---- MADT, "APIC" (5.2.12) ---- */

enum {
	ACPI_MADT_CPUS = 256,
	ACPI_MADT_IOAPICS = 32,
	ACPI_MADT_OVERRIDES = 32,
	ACPI_MADT_NMIS = 16,
};

struct acpi_madt_cpu {
	uint32_t apic_id; /* xAPIC or x2APIC id */
	uint32_t uid;	  /* ACPI processor UID */
	bool enabled;
	bool online_capable;
};

struct acpi_madt_ioapic {
	uint8_t id;
	uint32_t paddr;
	uint32_t gsi_base;
};

enum acpi_polarity { ACPI_ACTIVE_HIGH, ACPI_ACTIVE_LOW };
enum acpi_trigger { ACPI_EDGE, ACPI_LEVEL };

/* ISA interrupt to global system interrupt. "Conforms to the bus" is resolved as ISA does: edge, high. */
struct acpi_madt_override {
	uint8_t isa_irq;
	uint32_t gsi;
	enum acpi_polarity polarity;
	enum acpi_trigger trigger;
};

/* An NMI source: a GSI of an IOAPIC, or LINT0/1 of a CPU. */
struct acpi_madt_nmi {
	bool is_lint;
	uint32_t gsi; /* if not is_lint */
	bool all_cpus;
	uint32_t uid; /* if is_lint and not all_cpus */
	uint8_t lint;
	enum acpi_polarity polarity;
	enum acpi_trigger trigger;
};

/* About 5 KiB. Entries beyond a list's capacity are counted in dropped; disabled CPUs that can never be
 * enabled are not listed. */
struct acpi_madt {
	uint64_t lapic_paddr;
	bool has_8259;
	uint32_t dropped;
	uint32_t cpu_count;
	struct acpi_madt_cpu cpus[ACPI_MADT_CPUS]; /* an APIC id appears once */
	uint32_t ioapic_count;
	struct acpi_madt_ioapic ioapics[ACPI_MADT_IOAPICS];
	uint32_t override_count;
	struct acpi_madt_override overrides[ACPI_MADT_OVERRIDES];
	uint32_t nmi_count;
	struct acpi_madt_nmi nmis[ACPI_MADT_NMIS];
};

enum acpi_error acpi_madt_parse(const uint8_t *table, size_t size, struct acpi_madt *out);

/* ---- FADT, "FACP" (5.2.9) ---- */

/* Generic address structure (5.2.3.2); address 0 means the register does not exist. */
enum { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI = 2 };

struct acpi_register {
	uint8_t space;
	uint8_t bits;
	uint8_t offset;
	uint8_t access; /* 0 undefined, 1 byte, 2 word, 3 dword, 4 qword */
	uint64_t address;
};

/* Extended (X_) fields are used where present and non-zero, else the older ones, given as I/O space
 * registers. */
struct acpi_fadt {
	uint64_t dsdt;
	uint64_t facs;
	uint16_t sci_irq;
	uint32_t smi_command; /* port; 0: always in ACPI mode */
	uint8_t acpi_enable;  /* value to write there */
	uint8_t acpi_disable;
	struct acpi_register pm1a_event, pm1b_event;
	uint8_t pm1_event_bytes; /* status and enable together */
	struct acpi_register pm1a_control, pm1b_control;
	struct acpi_register pm_timer;
	bool pm_timer_32bit; /* else 24 bits */
	bool reset_supported;
	struct acpi_register reset;
	uint8_t reset_value;
	struct acpi_register sleep_control, sleep_status;
	bool hardware_reduced;
	bool no_cmos_rtc;
	bool no_vga;
	bool no_msi;
	bool has_8042;	     /* true before revision 2, which has no such flag */
	uint16_t boot_flags; /* IA-PC boot architecture flags, raw */
	uint32_t flags;	     /* fixed feature flags, raw */
	uint8_t century;     /* RTC RAM index, 0 if none */
};

enum acpi_error acpi_fadt_parse(const uint8_t *table, size_t size, struct acpi_fadt *out);

/* ---- HPET (IA-PC HPET 1.0a, 3.2.4) ---- */

struct acpi_hpet {
	uint64_t paddr;
	uint32_t block_id;
	uint8_t number;
	uint16_t min_tick;
};

enum acpi_error acpi_hpet_parse(const uint8_t *table, size_t size, struct acpi_hpet *out);

/* ---- MCFG (PCI Firmware 3.2, 4.1.2) ---- */

enum { ACPI_MCFG_SEGMENTS = 16 };

struct acpi_mcfg_segment {
	uint64_t paddr; /* of bus 0, even if bus_start is not 0; the window [start, end] does not overflow */
	uint16_t segment;
	uint8_t bus_start;
	uint8_t bus_end; /* inclusive, >= bus_start */
};

struct acpi_mcfg {
	uint32_t dropped;
	uint32_t count;
	struct acpi_mcfg_segment segments[ACPI_MCFG_SEGMENTS];
};

enum acpi_error acpi_mcfg_parse(const uint8_t *table, size_t size, struct acpi_mcfg *out);

/* ---- Sleep types in the DSDT (7.4.2) ---- */

struct acpi_sleep {
	uint8_t type_a; /* SLP_TYPa and SLP_TYPb, 0-7, for PM1a and PM1b control */
	uint8_t type_b;
};

/*
 * Searches the AML of a DSDT or SSDT for the object \_Sx_ (state 1..5), a constant package, without
 * interpreting it. Reads in pieces. The table's checksum must have been checked (acpi_table_check).
 * ACPI_NOT_FOUND if there is none of constant form.
 */
enum acpi_error acpi_sleep_find(const struct mem_reader *r, const struct acpi_entry *dsdt, unsigned state,
				struct acpi_sleep *out);

#endif
