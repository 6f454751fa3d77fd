#include "servers/vmm/load/acpi_tables.h"

#include "acpi/acpi_build.h"
#include "servers/vmm/load/layout.h"
#include "servers/vmm/vmm.h"

/*
 * DSDT: one scope with \_S5_ is all that a hardware-reduced guest without devices asks for; Xen's PVH domains end through
 * SCHEDOP_shutdown. AML: Name (\_S5, Package (4) {0, 0, 0, 0}) (ACPI 6.4, 20.2).
 */
static const uint8_t dsdt[] = {0x08, 0x5c, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00};

uint64_t acpi_tables_place(void)
{
	const struct acpi_build_fadt_config fadt = {.hardware_reduced = true, .no_vga = true, .no_cmos_rtc = true};
	struct acpi_build b;
	uint64_t list[2];
	uint8_t *page = NULL;

	for (unsigned i = 0; i < LAYOUT_ACPI_PAGES; i++) {
		uint8_t *p = memory_place_page(gpa(LAYOUT_ACPI_GPA + i * (uint64_t)PAGE));

		if (!p)
			return 0;
		page = page ? page : p;
	}
	acpi_build_init(&b, page, LAYOUT_ACPI_PAGES * PAGE, LAYOUT_ACPI_GPA);
	list[0] = acpi_build_fadt(&b, acpi_build_dsdt(&b, dsdt, sizeof(dsdt)), &fadt);
	acpi_build_madt_begin(&b, LAPIC_BASE, false);
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		acpi_build_madt_cpu(&b, i, vmm.vcpu[i]->lapic.id, true, false);
	list[1] = acpi_build_madt_end(&b);
	b.failed = b.failed || !list[0] || !list[1];
	{
		uint64_t rsdp = acpi_build_rsdp(&b, acpi_build_xsdt(&b, list, 2));

		return acpi_build_failed(&b) ? 0 : rsdp;
	}
}
