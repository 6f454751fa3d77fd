/* What the firmware's tables say, as far as the kernel itself needs it: RSDP, and the MADT's CPUs and IOAPICs. */
#ifndef BOOT_BOOT_FIRMWARE_H
#define BOOT_BOOT_FIRMWARE_H

#include "types.h"
#include "acpi/acpi.h"
#include "multiboot/boot_info.h"

struct boot_firmware {
	uint8_t rsdp[36];
	struct acpi_tables tables;
	struct acpi_madt madt;
	bool has_hpet;
	struct acpi_hpet hpet;
	bool has_fadt;
	struct acpi_fadt fadt;
	uint8_t table[64 * 1024]; /* the table being read */
};

/* Fills *f (about 75 KiB, zeroed), or boot_stop: without these tables there is no machine to run on. */
void boot_firmware_read(struct boot_firmware *f, const struct boot_info *info, const struct mem_reader *reader);

#endif
