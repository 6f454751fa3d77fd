/* Reading the firmware's ACPI tables at boot. See boot_firmware.h. Broken optional tables are left out with a line. */
#include "boot/boot_firmware.h"
#include "mem/mem.h"
#include "panic.h"

static void boot_firmware_root(struct boot_firmware *f, const struct boot_info *info, const struct mem_reader *reader,
                               struct acpi_root *root)
{
	enum acpi_error e;
	uint32_t size;

	if (info->rsdp_size != 0) {
		memcpy(f->rsdp, info->rsdp, info->rsdp_size < sizeof(f->rsdp) ? info->rsdp_size : sizeof(f->rsdp));
		e = acpi_rsdp_check(info->rsdp, info->rsdp_size, root);
	} else {
		e = acpi_rsdp_find(reader, f->rsdp, &size, root);
	}
	if (e != ACPI_OK)
		boot_stop("the firmware's ACPI tables cannot be used: %s", acpi_error_line(e));
}

/* The table into f->table; false if there is none. */
static bool boot_firmware_table(struct boot_firmware *f, const struct mem_reader *reader, const char *signature,
                                size_t *size, enum acpi_error *e)
{
	const struct acpi_entry *entry = acpi_table_find(&f->tables, signature, 0);

	*e = ACPI_NOT_FOUND;
	if (!entry)
		return false;
	*e = acpi_table_copy(reader, entry, f->table, sizeof(f->table), size);
	return *e == ACPI_OK;
}

static void boot_firmware_madt(struct boot_firmware *f, const struct mem_reader *reader)
{
	enum acpi_error e;
	size_t size = 0;

	if (boot_firmware_table(f, reader, "APIC", &size, &e))
		e = acpi_madt_parse(f->table, size, &f->madt);
	if (e == ACPI_NOT_FOUND)
		boot_stop("the firmware has no ACPI MADT table, so there is no IOAPIC to be found");
	if (e != ACPI_OK)
		boot_stop("the firmware's ACPI MADT table cannot be used: %s", acpi_error_line(e));
	if (f->madt.ioapic_count == 0)
		boot_stop("this machine has no IOAPIC");
	if (f->madt.dropped != 0)
		kprintf("ACPI: %u entries of the MADT are left out, there are too many\n", f->madt.dropped);
}

static void boot_firmware_optional(struct boot_firmware *f, const struct mem_reader *reader)
{
	enum acpi_error e;
	size_t size = 0;

	if (boot_firmware_table(f, reader, "HPET", &size, &e))
		e = acpi_hpet_parse(f->table, size, &f->hpet);
	f->has_hpet = e == ACPI_OK;
	if (e != ACPI_OK && e != ACPI_NOT_FOUND)
		kprintf("ACPI: HPET left out: %s\n", acpi_error_line(e));

	if (boot_firmware_table(f, reader, "FACP", &size, &e))
		e = acpi_fadt_parse(f->table, size, &f->fadt);
	f->has_fadt = e == ACPI_OK;
	if (e != ACPI_OK && e != ACPI_NOT_FOUND)
		kprintf("ACPI: FADT left out: %s\n", acpi_error_line(e));
}

void boot_firmware_read(struct boot_firmware *f, const struct boot_info *info, const struct mem_reader *reader)
{
	struct acpi_root root;
	enum acpi_error e;

	boot_firmware_root(f, info, reader, &root);
	e = acpi_tables_open(reader, &root, &f->tables);
	if (e != ACPI_OK)
		boot_stop("the firmware's ACPI tables cannot be used: %s", acpi_error_line(e));
	if (f->tables.skipped != 0)
		kprintf("ACPI: %u damaged tables are left out\n", f->tables.skipped);
	boot_firmware_madt(f, reader);
	boot_firmware_optional(f, reader);
}
