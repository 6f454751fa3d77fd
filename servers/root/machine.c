/* Firmware tables, time, power. See machine.h. ACPI 6.4, chapters 4.8 and 16.1. */
#include "servers/root/machine.h"

#include <string.h>
#include "servers/root/cpu_hw.h"
#include "servers/root/device.h"
#include "servers/root/memory.h"
#include "servers/root/rtc.h"
#include "user/log.h"

#define TABLE_BYTES 32768u
#define PM1_SCI_EN  1u
#define PM1_SLP_EN  (1u << 13)
#define PM1_TYPE(t) ((uint32_t)(t) << 10)
#define TRIES       200000u
#define CMOS_INDEX  0x70u
#define RESET_PORT  0xcf9u
#define KEYBOARD    0x64u

static struct {
	bool has_madt, has_fadt, has_s5;
	struct acpi_madt madt;
	struct acpi_fadt fadt;
	struct acpi_sleep s5;
} machine;

/* ---- tables ---- */

static bool machine_table(const struct acpi_tables *all, const char *signature, uint8_t *buffer, size_t *size)
{
	const struct acpi_entry *e = acpi_table_find(all, signature, 0);
	enum acpi_error r = e ? acpi_table_copy(&device_reader, e, buffer, TABLE_BYTES, size) : ACPI_NOT_FOUND;

	if (r != ACPI_OK)
		log_line("root: ACPI table %s: %s", signature, acpi_error_line(r));
	return r == ACPI_OK;
}

static void machine_sleep(void)
{
	struct acpi_entry dsdt;
	enum acpi_error r = acpi_table_check(&device_reader, machine.fadt.dsdt, "DSDT", &dsdt);

	if (r == ACPI_OK)
		r = acpi_sleep_find(&device_reader, &dsdt, 5, &machine.s5);
	machine.has_s5 = r == ACPI_OK;
	if (!machine.has_s5)
		log_line("root: no way to power off: %s", acpi_error_line(r));
}

void machine_begin(const uint8_t *rsdp)
{
	static uint8_t buffer[TABLE_BYTES];
	static struct acpi_tables all;
	struct acpi_root root;
	enum acpi_error r = rsdp ? acpi_rsdp_check(rsdp, rsdp[15] < 2 ? 20 : 36, &root) : ACPI_NO_RSDP;
	size_t size;

	if (r == ACPI_OK)
		r = acpi_tables_open(&device_reader, &root, &all);
	if (r != ACPI_OK) {
		log_line("root: ACPI: %s", acpi_error_line(r));
		return;
	}
	if (machine_table(&all, "APIC", buffer, &size))
		machine.has_madt = acpi_madt_parse(buffer, size, &machine.madt) == ACPI_OK;
	if (machine_table(&all, "FACP", buffer, &size))
		machine.has_fadt = acpi_fadt_parse(buffer, size, &machine.fadt) == ACPI_OK;
	if (machine.has_fadt)
		machine_sleep();
}

const struct acpi_madt *machine_madt(void)
{
	return machine.has_madt ? &machine.madt : NULL;
}

const struct acpi_fadt *machine_fadt(void)
{
	return machine.has_fadt ? &machine.fadt : NULL;
}

/* ---- registers ---- */

static uint32_t machine_in(uint16_t port, unsigned bytes)
{
	seL4_CPtr ports = device_ports(port, (uint16_t)(port + bytes - 1));

	if (!ports)
		return UINT32_MAX;
	return bytes == 1 ? seL4_X86_IOPort_In8(ports, port).result
	       : bytes == 2 ? seL4_X86_IOPort_In16(ports, port).result
			    : seL4_X86_IOPort_In32(ports, port).result;
}

static void machine_out(uint16_t port, unsigned bytes, uint32_t value)
{
	seL4_CPtr ports = device_ports(port, (uint16_t)(port + bytes - 1));

	if (!ports)
		return;
	if (bytes == 1)
		(void)seL4_X86_IOPort_Out8(ports, port, value);
	else if (bytes == 2)
		(void)seL4_X86_IOPort_Out16(ports, port, value);
	else
		(void)seL4_X86_IOPort_Out32(ports, port, value);
}

static void machine_write_memory(uint64_t paddr, unsigned bytes, uint32_t value)
{
	struct buddy_node *block;
	seL4_CPtr frame = memory_device_frame(paddr & ~0xfffull, seL4_PageBits, &block);
	uint8_t *page = frame ? memory_window(3, frame, true) : NULL;

	if (page && bytes == 1)
		*(volatile uint8_t *)(page + (paddr & 0xfff)) = (uint8_t)value;
	else if (page && bytes == 2)
		*(volatile uint16_t *)(void *)(page + (paddr & 0xffe)) = (uint16_t)value;
	if (frame)
		memory_device_release(frame, block);
}

/* A register of one or two bytes. Those in PCI configuration space are left alone. */
static void machine_write(const struct acpi_register *r, unsigned bytes, uint32_t value)
{
	if (r->address == 0)
		return;
	if (r->space == ACPI_SPACE_IO && r->address <= UINT16_MAX)
		machine_out((uint16_t)r->address, bytes, value);
	else if (r->space == ACPI_SPACE_MEMORY)
		machine_write_memory(r->address, bytes, value);
}

static uint32_t machine_read_pm1(const struct acpi_register *r)
{
	return r->space == ACPI_SPACE_IO && r->address && r->address <= UINT16_MAX ? machine_in((uint16_t)r->address, 2) : 0;
}

/* ---- power ---- */

/* Firmware that still handles events by SMI is asked to leave them to us. */
static void machine_acpi_mode(void)
{
	const struct acpi_fadt *f = &machine.fadt;

	if (f->smi_command == 0 || f->smi_command > UINT16_MAX || f->acpi_enable == 0 || machine_read_pm1(&f->pm1a_control) & PM1_SCI_EN)
		return;
	machine_out((uint16_t)f->smi_command, 1, f->acpi_enable);
	for (unsigned i = 0; i < TRIES && !(machine_read_pm1(&f->pm1a_control) & PM1_SCI_EN); i++)
		;
}

static void machine_sleep_control(const struct acpi_register *r, uint8_t type)
{
	uint32_t v = (machine_read_pm1(r) & ~(PM1_TYPE(7) | PM1_SLP_EN)) | PM1_TYPE(type);

	machine_write(r, 2, v);
	machine_write(r, 2, v | PM1_SLP_EN);
}

void machine_power_off(void)
{
	const struct acpi_fadt *f = &machine.fadt;

	if (!machine.has_s5)
		return;
	if (f->hardware_reduced) {
		machine_write(&f->sleep_control, 1, (uint32_t)machine.s5.type_a << 2 | 0x20);
		return;
	}
	machine_acpi_mode();
	machine_sleep_control(&f->pm1a_control, machine.s5.type_a);
	if (f->pm1b_control.address)
		machine_sleep_control(&f->pm1b_control, machine.s5.type_b);
}

void machine_reset(void)
{
	if (machine.has_fadt && machine.fadt.reset_supported)
		machine_write(&machine.fadt.reset, 1, machine.fadt.reset_value);
	/* the chipset's reset register: a hard reset of CPU and bus (Intel ICH9, 13.7.5; AMD takes it, too) */
	machine_out(RESET_PORT, 1, 2);
	machine_out(RESET_PORT, 1, 6);
	machine_out(KEYBOARD, 1, 0xfe);
}

/* ---- time ---- */

static uint8_t machine_cmos(uint8_t index)
{
	seL4_CPtr ports = device_ports(CMOS_INDEX, CMOS_INDEX + 1);

	if (!ports)
		return 0xff;
	(void)seL4_X86_IOPort_Out8(ports, CMOS_INDEX, index);
	return seL4_X86_IOPort_In8(ports, CMOS_INDEX + 1).result;
}

static void machine_rtc(struct rtc_registers *r)
{
	uint8_t century = machine.has_fadt && machine.fadt.century < 128 ? machine.fadt.century : 0;

	for (unsigned i = 0; i < TRIES && machine_cmos(RTC_STATUS_A) & RTC_UPDATING; i++)
		;
	*r = (struct rtc_registers){
		.seconds = machine_cmos(RTC_SECONDS),
		.minutes = machine_cmos(RTC_MINUTES),
		.hours = machine_cmos(RTC_HOURS),
		.day = machine_cmos(RTC_DAY),
		.month = machine_cmos(RTC_MONTH),
		.year = machine_cmos(RTC_YEAR),
		.century = century ? machine_cmos(century) : 0,
		.status_b = machine_cmos(RTC_STATUS_B),
	};
}

uint64_t machine_wall_ns(uint64_t tsc_hz)
{
	struct rtc_registers a, b;
	uint64_t seconds, tsc, since;

	if (tsc_hz == 0 || (machine.has_fadt && machine.fadt.no_cmos_rtc))
		return 0;
	/* twice the same: no update in between */
	machine_rtc(&a);
	for (unsigned i = 0; i < 10; i++, a = b) {
		machine_rtc(&b);
		if (!memcmp(&a, &b, sizeof(a)))
			break;
	}
	tsc = cpu_tsc();
	seconds = rtc_unix(&a);
	since = (uint64_t)((unsigned __int128)tsc * 1000000000u / tsc_hz);
	return seconds * 1000000000ull > since ? seconds * 1000000000ull - since : 0;
}
