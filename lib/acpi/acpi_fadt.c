/*
 * The FADT (ACPI 6.4, 5.2.9), HPET and MCFG. Called with checked copies of the tables; reads only inside
 * them. Contract in acpi.h.
 */
#include "acpi/acpi.h"

enum {
	FADT_LEAST = 116, /* revision 1 */

	FLAG_PM_TIMER_32 = 1 << 8,
	FLAG_RESET = 1 << 10,
	FLAG_HARDWARE_REDUCED = 1 << 20,

	BOOT_8042 = 1 << 1,
	BOOT_NO_VGA = 1 << 2,
	BOOT_NO_MSI = 1 << 3,
	BOOT_NO_CMOS = 1 << 5,

	HPET_SIZE = 56,
	MCFG_FIXED = 44,
	MCFG_ENTRY = 16,
};

/* Bytes of the table at this offset, or zero where the table's revision has none. */
static uint64_t field(const uint8_t *t, size_t size, size_t at, size_t n)
{
	uint64_t v = 0;

	if (size < at + n)
		return 0;
	for (size_t i = n; i > 0; i--)
		v = (v << 8) | t[at + i - 1];
	return v;
}

static struct acpi_register gas(const uint8_t *t, size_t size, size_t at)
{
	struct acpi_register r = {0};

	if (size < at + 12)
		return r;
	r.space = t[at];
	r.bits = t[at + 1];
	r.offset = t[at + 2];
	r.access = t[at + 3];
	r.address = mem_get64(t + at + 4);
	return r;
}

/* A register block with an extended and an older description. */
static struct acpi_register block(const uint8_t *t, size_t size, size_t extended, size_t old,
				  size_t old_bytes)
{
	struct acpi_register r = gas(t, size, extended);

	if (r.address == 0) {
		r.space = ACPI_SPACE_IO;
		r.bits = (uint8_t)(old_bytes > 31 ? 248 : old_bytes * 8);
		r.offset = 0;
		r.access = 0;
		r.address = field(t, size, old, 4);
	}
	return r;
}

static uint64_t pointer(const uint8_t *t, size_t size, size_t extended, size_t old)
{
	uint64_t v = field(t, size, extended, 8);
	return v != 0 ? v : field(t, size, old, 4);
}

enum acpi_error acpi_fadt_parse(const uint8_t *t, size_t size, struct acpi_fadt *out)
{
	memset(out, 0, sizeof(*out));
	if (size < FADT_LEAST)
		return ACPI_BAD_LENGTH;
	uint8_t revision = t[8];
	out->flags = mem_get32(t + 112);
	out->hardware_reduced = revision >= 5 && (out->flags & FLAG_HARDWARE_REDUCED) != 0;
	out->facs = pointer(t, size, 132, 36);
	out->dsdt = pointer(t, size, 140, 40);
	out->century = t[108];

	/* The flags were reserved bytes before revision 2. */
	if (revision >= 2) {
		out->boot_flags = mem_get16(t + 109);
		out->has_8042 = (out->boot_flags & BOOT_8042) != 0;
		out->no_vga = (out->boot_flags & BOOT_NO_VGA) != 0;
		out->no_msi = (out->boot_flags & BOOT_NO_MSI) != 0;
		out->no_cmos_rtc = (out->boot_flags & BOOT_NO_CMOS) != 0;
	} else {
		out->has_8042 = true;
	}

	out->reset_supported = (out->flags & FLAG_RESET) != 0 && size >= 129;
	if (out->reset_supported) {
		out->reset = gas(t, size, 116);
		out->reset_value = t[128];
		out->reset_supported = out->reset.address != 0;
	}
	if (revision >= 5) {
		out->sleep_control = gas(t, size, 244);
		out->sleep_status = gas(t, size, 256);
	}
	/* Hardware-reduced: none of the fixed registers exists, whatever the fields say (4.1). */
	if (out->hardware_reduced)
		return ACPI_OK;

	out->sci_irq = mem_get16(t + 46);
	out->smi_command = mem_get32(t + 48);
	out->acpi_enable = t[52];
	out->acpi_disable = t[53];
	out->pm1_event_bytes = t[88];
	out->pm1a_event = block(t, size, 148, 56, t[88]);
	out->pm1b_event = block(t, size, 160, 60, t[88]);
	out->pm1a_control = block(t, size, 172, 64, t[89]);
	out->pm1b_control = block(t, size, 184, 68, t[89]);
	/* PM_TMR_LEN is 4, or 0 where there is no timer */
	if (t[91] == 4)
		out->pm_timer = block(t, size, 208, 76, t[91]);
	out->pm_timer_32bit = (out->flags & FLAG_PM_TIMER_32) != 0;
	return ACPI_OK;
}

enum acpi_error acpi_hpet_parse(const uint8_t *t, size_t size, struct acpi_hpet *out)
{
	memset(out, 0, sizeof(*out));
	if (size < HPET_SIZE)
		return ACPI_BAD_LENGTH;
	out->block_id = mem_get32(t + 36);
	out->paddr = mem_get64(t + 44);
	out->number = t[52];
	out->min_tick = mem_get16(t + 53);
	/* It is memory-mapped or nothing. */
	if (t[40] != ACPI_SPACE_MEMORY || out->paddr == 0)
		return ACPI_BAD_ENTRY;
	return ACPI_OK;
}

enum acpi_error acpi_mcfg_parse(const uint8_t *t, size_t size, struct acpi_mcfg *out)
{
	memset(out, 0, sizeof(*out));
	if (size < MCFG_FIXED)
		return ACPI_BAD_LENGTH;
	for (size_t at = MCFG_FIXED; size - at >= MCFG_ENTRY; at += MCFG_ENTRY) {
		struct acpi_mcfg_segment s;
		s.paddr = mem_get64(t + at);
		s.segment = mem_get16(t + at + 8);
		s.bus_start = t[at + 10];
		s.bus_end = t[at + 11];
		if (s.bus_end < s.bus_start || s.paddr > UINT64_MAX - (256ull << 20))
			return ACPI_BAD_ENTRY;
		if (out->count >= ACPI_MCFG_SEGMENTS)
			out->dropped++;
		else
			out->segments[out->count++] = s;
	}
	return ACPI_OK;
}
