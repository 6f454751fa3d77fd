/*
 * The input is the memory from 0xe0000 on. Checksums of what the first RSDP leads to are made right before,
 * or the walk would end at the first table; the parsers get all of it as a table too.
 */
// links: lib/acpi/acpi_root.c lib/acpi/acpi_madt.c lib/acpi/acpi_fadt.c lib/acpi/acpi_sleep.c
#include <stdlib.h>
#include <string.h>
#include "acpi/acpi.h"

enum { BASE = 0xe0000 };

struct input {
	const uint8_t *data;
	size_t size;
};

static bool read_input(void *ctx, uint64_t paddr, void *dst, size_t n)
{
	const struct input *in = ctx;

	if (paddr < BASE || paddr - BASE > in->size || n > in->size - (paddr - BASE))
		return false;
	memcpy(dst, in->data + (paddr - BASE), n);
	return true;
}

static void repair(uint8_t *p, size_t n, size_t at)
{
	uint8_t s = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		s = (uint8_t)(s + p[i]);
	p[at] = (uint8_t)(0 - s);
}

/* The table at this address, its checksum repaired; NULL if it is not wholly there. */
static uint8_t *repair_table(uint8_t *memory, size_t size, uint64_t paddr, uint32_t *length)
{
	if (paddr < BASE || paddr - BASE > size || size - (paddr - BASE) < ACPI_HEADER)
		return NULL;
	uint8_t *t = memory + (paddr - BASE);
	*length = mem_get32(t + 4);
	if (*length < ACPI_HEADER || *length > size - (paddr - BASE))
		return NULL;
	repair(t, *length, 9);
	return t;
}

static void repair_all(uint8_t *memory, size_t size)
{
	for (size_t at = 0; at + 36 <= size; at += 16) {
		uint32_t n, ignored;
		if (memcmp(memory + at, "RSD PTR ", 8) != 0)
			continue;
		uint8_t *x = repair_table(memory, size, mem_get64(memory + at + 24), &n);
		if (x != NULL) {
			for (uint32_t i = ACPI_HEADER; i + 8 <= n && i < 256; i += 8)
				(void)repair_table(memory, size, mem_get64(x + i), &ignored);
			repair(x, n, 9);
		}
		repair(memory + at, 20, 8);
		repair(memory + at, 36, 32);
		return;
	}
}

static void walk(const struct mem_reader *r)
{
	static struct acpi_tables tables;
	static uint8_t buf[4096];
	struct acpi_root root;
	uint8_t rsdp[36];
	uint32_t size;
	size_t n;

	if (acpi_rsdp_find(r, rsdp, &size, &root) != ACPI_OK ||
	    acpi_tables_open(r, &root, &tables) != ACPI_OK)
		return;
	if (tables.count > ACPI_TABLES)
		abort();
	for (uint32_t i = 0; i < tables.count; i++)
		if (acpi_table_copy(r, &tables.entries[i], buf, sizeof(buf), &n) == ACPI_OK &&
		    n > sizeof(buf))
			abort();
}

static void parse(const uint8_t *data, size_t size)
{
	static struct acpi_madt madt;
	static struct acpi_mcfg mcfg;
	struct acpi_fadt fadt;
	struct acpi_hpet hpet;

	(void)acpi_madt_parse(data, size, &madt);
	if (madt.cpu_count > ACPI_MADT_CPUS || madt.ioapic_count > ACPI_MADT_IOAPICS ||
	    madt.override_count > ACPI_MADT_OVERRIDES || madt.nmi_count > ACPI_MADT_NMIS)
		abort();
	(void)acpi_mcfg_parse(data, size, &mcfg);
	(void)acpi_fadt_parse(data, size, &fadt);
	(void)acpi_hpet_parse(data, size, &hpet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[1 << 16];
	if (size > sizeof(memory))
		return 0;
	memcpy(memory, data, size);
	repair_all(memory, size);
	struct input in = {memory, size};
	struct mem_reader r = {read_input, &in};
	struct acpi_entry e = {.length = (uint32_t)size, .paddr = BASE};
	struct acpi_sleep sleep;

	walk(&r);
	parse(memory, size);
	if (acpi_sleep_find(&r, &e, 5, &sleep) == ACPI_OK && (sleep.type_a > 7 || sleep.type_b > 7))
		abort();
	return 0;
}
