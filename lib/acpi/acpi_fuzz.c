/*
 * The input is the memory from 0xe0000 on. Checksums of what the first RSDP leads to are made right before,
 * or the walk would end at the first table; the parsers get all of it as a table too. What the MADT's, FADT's
 * and HPET's say is compared with a second reading: the nth of a list is looked for anew in the table.
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

/* False: there is no RSDP. */
static bool repair_all(uint8_t *memory, size_t size)
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
		return true;
	}
	return false;
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

/* The nth entry of one of two types for which `counts`; NULL if there are fewer. */
static const uint8_t *nth(const uint8_t *t, size_t size, uint32_t n, uint8_t type, uint8_t also,
			  bool (*counts)(const uint8_t *p))
{
	for (size_t at = 44; at < size; at += t[at + 1])
		if ((t[at] == type || t[at] == also) && (counts == NULL || counts(t + at)) && n-- == 0)
			return t + at;
	return NULL;
}

static uint32_t count(const uint8_t *t, size_t size, uint8_t type, uint8_t also,
		      bool (*counts)(const uint8_t *p))
{
	uint32_t n = 0;

	while (nth(t, size, n, type, also, counts) != NULL)
		n++;
	return n;
}

static uint32_t apic_id(const uint8_t *p)
{
	return p[0] == 0 ? p[3] : mem_get32(p + 4);
}

/* A CPU that is or can be made usable, with an id that a CPU can have. */
static bool usable(const uint8_t *p)
{
	return (p[p[0] == 0 ? 4 : 8] & 3) != 0 && apic_id(p) != (p[0] == 0 ? 0xffu : UINT32_MAX);
}

static bool isa(const uint8_t *p)
{
	return p[2] == 0 && p[3] < 16;
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Each id once, in the order of the table, enabled if any of its entries is. */
static void compare_cpus(const uint8_t *t, size_t size, const struct acpi_madt *m)
{
	uint32_t found = 0, all = count(t, size, 0, 9, usable);

	for (uint32_t i = 0; i < all; i++) {
		const uint8_t *p = nth(t, size, i, 0, 9, usable);
		bool enabled = false, before = false;
		for (uint32_t j = 0; j < all; j++) {
			const uint8_t *q = nth(t, size, j, 0, 9, usable);
			if (apic_id(q) != apic_id(p))
				continue;
			before = before || j < i;
			enabled = enabled || (q[q[0] == 0 ? 4 : 8] & 1) != 0;
		}
		if (before || found == ACPI_MADT_CPUS)
			continue;
		require(found < m->cpu_count && m->cpus[found].apic_id == apic_id(p) &&
			m->cpus[found].enabled == enabled);
		found++;
	}
	require(found == m->cpu_count);
}

static void compare_madt(const uint8_t *t, size_t size, const struct acpi_madt *m)
{
	uint32_t ioapics = count(t, size, 1, 1, NULL), overrides = count(t, size, 2, 2, isa);

	require(m->ioapic_count == (ioapics < ACPI_MADT_IOAPICS ? ioapics : ACPI_MADT_IOAPICS));
	require(m->override_count == (overrides < ACPI_MADT_OVERRIDES ? overrides : ACPI_MADT_OVERRIDES));
	for (uint32_t i = 0; i < m->ioapic_count; i++) {
		const uint8_t *p = nth(t, size, i, 1, 1, NULL);
		require(m->ioapics[i].id == p[2] && m->ioapics[i].paddr == mem_get32(p + 4) &&
			m->ioapics[i].gsi_base == mem_get32(p + 8));
	}
	for (uint32_t i = 0; i < m->override_count; i++) {
		const uint8_t *p = nth(t, size, i, 2, 2, isa);
		require(m->overrides[i].isa_irq == p[3] && m->overrides[i].gsi == mem_get32(p + 4));
	}
	for (uint32_t i = 0; i < m->nmi_count; i++)
		require(m->nmis[i].lint <= 1 && (m->nmis[i].is_lint || m->nmis[i].lint == 0));
	compare_cpus(t, size, m);
}

/* The 64-bit field counts where the table has it and it is not 0. */
static uint64_t either(const uint8_t *t, size_t size, size_t wide, size_t narrow)
{
	return size >= wide + 8 && mem_get64(t + wide) != 0 ? mem_get64(t + wide) : mem_get32(t + narrow);
}

static void compare_fadt(const uint8_t *t, size_t size, const struct acpi_fadt *f)
{
	require(f->dsdt == either(t, size, 140, 40) && f->facs == either(t, size, 132, 36));
	require(!f->reset_supported || (size >= 129 && f->reset.address == mem_get64(t + 120)));
	if (f->hardware_reduced)
		require(f->pm1a_control.address == 0 && f->pm_timer.address == 0 && f->smi_command == 0);
	else
		require(f->pm1a_control.address == either(t, size, 176, 64) &&
			f->pm1a_event.address == either(t, size, 152, 56));
}

static void parse(const uint8_t *data, size_t size)
{
	static struct acpi_madt madt;
	static struct acpi_mcfg mcfg;
	struct acpi_fadt fadt;
	struct acpi_hpet hpet;

	enum acpi_error e = acpi_madt_parse(data, size, &madt);
	if (madt.cpu_count > ACPI_MADT_CPUS || madt.ioapic_count > ACPI_MADT_IOAPICS ||
	    madt.override_count > ACPI_MADT_OVERRIDES || madt.nmi_count > ACPI_MADT_NMIS)
		abort();
	if (e == ACPI_OK && size < 512) /* asking for the nth takes its time */
		compare_madt(data, size, &madt);
	if (acpi_mcfg_parse(data, size, &mcfg) == ACPI_OK)
		for (uint32_t i = 0; i < mcfg.count; i++)
			require(mcfg.segments[i].bus_start <= mcfg.segments[i].bus_end &&
				mcfg.segments[i].paddr + ((mcfg.segments[i].bus_end + 1ull) << 20) >
				    mcfg.segments[i].paddr);
	if (acpi_fadt_parse(data, size, &fadt) == ACPI_OK)
		compare_fadt(data, size, &fadt);
	if (acpi_hpet_parse(data, size, &hpet) == ACPI_OK)
		require(hpet.paddr != 0 && hpet.paddr == mem_get64(data + 44) && data[40] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[1 << 16];
	if (size > sizeof(memory))
		return 0;
	memcpy(memory, data, size);
	bool found = repair_all(memory, size);
	struct input in = {memory, size};
	struct mem_reader r = {read_input, &in};
	struct acpi_entry e = {.length = (uint32_t)size, .paddr = BASE};
	struct acpi_sleep sleep;

	if (found || size % 8 == 0) /* a search takes longer than all the rest */
		walk(&r);
	parse(memory, size);
	if (acpi_sleep_find(&r, &e, 5, &sleep) == ACPI_OK && (sleep.type_a > 7 || sleep.type_b > 7))
		abort();
	return 0;
}
