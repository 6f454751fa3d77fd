/*
 * Writes ACPI tables for a guest. Called by the vmm when it builds a domain. Writes only into the caller's
 * buffer. Contract in acpi_build.h.
 */
#include "acpi/acpi_build.h"

enum {
	ALIGN = 16,
	HEADER = 36,
	OFF_LENGTH = 4,
	OFF_CHECKSUM = 9,
	FADT_SIZE = 276, /* revision 6 */
	RSDP_SIZE = 36,
};

void acpi_build_init(struct acpi_build *b, uint8_t *buf, size_t size, uint64_t gpa)
{
	b->buf = buf;
	b->size = size;
	b->used = 0;
	b->gpa = gpa;
	b->table = 0;
	b->failed = false;
}

bool acpi_build_failed(const struct acpi_build *b)
{
	return b->failed;
}

/* n zeroed bytes at the end; NULL (and failed) if there is no room. */
static uint8_t *room(struct acpi_build *b, size_t n)
{
	if (b->failed || n > b->size - b->used) {
		b->failed = true;
		return NULL;
	}
	uint8_t *p = b->buf + b->used;
	memset(p, 0, n);
	b->used += n;
	return p;
}

static void start_aligned(struct acpi_build *b)
{
	size_t pad = (ALIGN - b->used % ALIGN) % ALIGN;

	(void)room(b, pad);
	b->table = b->used;
}

static void begin(struct acpi_build *b, const char *signature, uint8_t revision)
{
	start_aligned(b);
	uint8_t *h = room(b, HEADER);
	if (h == NULL)
		return;
	memcpy(h, signature, 4);
	h[8] = revision;
	memcpy(h + 10, "INSULA", 6);
	memcpy(h + 16, "PVHGUEST", 8);
	mem_put32(h + 24, 1);
	memcpy(h + 28, "INSL", 4);
	mem_put32(h + 32, 1);
}

static uint8_t checksum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	for (size_t i = 0; i < n; i++)
		s = (uint8_t)(s + p[i]);
	return (uint8_t)(0 - s);
}

static uint64_t end(struct acpi_build *b)
{
	if (b->failed)
		return 0;
	uint8_t *h = b->buf + b->table;
	size_t n = b->used - b->table;
	mem_put32(h + OFF_LENGTH, (uint32_t)n);
	h[OFF_CHECKSUM] = 0;
	h[OFF_CHECKSUM] = checksum(h, n);
	return b->gpa + b->table;
}

uint64_t acpi_build_table(struct acpi_build *b, const char *signature, uint8_t revision, const uint8_t *body,
			  size_t size)
{
	begin(b, signature, revision);
	uint8_t *p = room(b, size);
	if (p != NULL && size > 0)
		memcpy(p, body, size);
	return end(b);
}

uint64_t acpi_build_dsdt(struct acpi_build *b, const uint8_t *aml, size_t size)
{
	return acpi_build_table(b, "DSDT", 2, aml, size);
}

static void put_gas(uint8_t *p, uint8_t space, uint8_t bits, uint8_t access, uint64_t address)
{
	if (address == 0)
		return;
	p[0] = space;
	p[1] = bits;
	p[3] = access;
	mem_put64(p + 4, address);
}

uint64_t acpi_build_fadt(struct acpi_build *b, uint64_t dsdt, const struct acpi_build_fadt_config *c)
{
	begin(b, "FACP", 6);
	if (room(b, FADT_SIZE - HEADER) == NULL)
		return 0;
	uint8_t *t = b->buf + b->table;
	if (dsdt <= UINT32_MAX)
		mem_put32(t + 40, (uint32_t)dsdt);
	mem_put64(t + 140, dsdt);

	uint16_t boot = 0;
	boot |= (uint16_t)(c->has_8042 ? 1 << 1 : 0);
	boot |= (uint16_t)(c->no_vga ? 1 << 2 : 0);
	boot |= (uint16_t)(c->no_msi ? 1 << 3 : 0);
	boot |= (uint16_t)(c->no_cmos_rtc ? 1 << 5 : 0);
	mem_put16(t + 109, boot);

	/* WBINVD works, HLT is C1 on all CPUs; no power and sleep button as fixed hardware */
	uint32_t flags = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 5;
	if (c->hardware_reduced)
		flags |= 1u << 20;
	if (c->pm_timer_port != 0) {
		flags |= 1u << 8; /* 32 bits */
		mem_put32(t + 76, c->pm_timer_port);
		t[91] = 4;
		put_gas(t + 208, 1, 32, 3, c->pm_timer_port);
	}
	mem_put32(t + 112, flags);
	t[131] = 0; /* minor version */
	/* C2 and C3 latencies above these values say that there are none */
	mem_put16(t + 96, 0xffff);
	mem_put16(t + 98, 0xffff);
	put_gas(t + 244, c->sleep_control_space, 8, 1, c->sleep_control);
	put_gas(t + 256, c->sleep_control_space, 8, 1, c->sleep_status);
	memcpy(t + 268, "InsulaVM", 8);
	return end(b);
}

void acpi_build_madt_begin(struct acpi_build *b, uint64_t lapic, bool has_8259)
{
	begin(b, "APIC", 4);
	uint8_t *p = room(b, 8);
	if (p == NULL)
		return;
	mem_put32(p, (uint32_t)(lapic & 0xffffffffu));
	mem_put32(p + 4, has_8259 ? 1 : 0);
	if (lapic > UINT32_MAX) {
		p = room(b, 12);
		if (p == NULL)
			return;
		p[0] = 5;
		p[1] = 12;
		mem_put64(p + 4, lapic);
	}
}

void acpi_build_madt_cpu(struct acpi_build *b, uint32_t uid, uint32_t apic_id, bool enabled,
			 bool online_capable)
{
	uint32_t flags = (enabled ? 1u : 0u) | (!enabled && online_capable ? 2u : 0u);
	bool x2 = apic_id > 254 || uid > 254;
	uint8_t *p = room(b, x2 ? 16 : 8);

	if (p == NULL)
		return;
	if (x2) {
		p[0] = 9;
		p[1] = 16;
		mem_put32(p + 4, apic_id);
		mem_put32(p + 8, flags);
		mem_put32(p + 12, uid);
	} else {
		p[0] = 0;
		p[1] = 8;
		p[2] = (uint8_t)uid;
		p[3] = (uint8_t)apic_id;
		mem_put32(p + 4, flags);
	}
}

void acpi_build_madt_ioapic(struct acpi_build *b, uint8_t id, uint32_t address, uint32_t gsi_base)
{
	uint8_t *p = room(b, 12);

	if (p == NULL)
		return;
	p[0] = 1;
	p[1] = 12;
	p[2] = id;
	mem_put32(p + 4, address);
	mem_put32(p + 8, gsi_base);
}

void acpi_build_madt_override(struct acpi_build *b, uint8_t isa_irq, uint32_t gsi, uint16_t flags)
{
	uint8_t *p = room(b, 10);

	if (p == NULL)
		return;
	p[0] = 2;
	p[1] = 10;
	p[3] = isa_irq;
	mem_put32(p + 4, gsi);
	mem_put16(p + 8, flags);
}

void acpi_build_madt_lint_nmi(struct acpi_build *b, uint8_t uid, uint16_t flags, uint8_t lint)
{
	uint8_t *p = room(b, 6);

	if (p == NULL)
		return;
	p[0] = 4;
	p[1] = 6;
	p[2] = uid;
	mem_put16(p + 3, flags);
	p[5] = lint;
}

uint64_t acpi_build_madt_end(struct acpi_build *b)
{
	return end(b);
}

uint64_t acpi_build_xsdt(struct acpi_build *b, const uint64_t *tables, size_t count)
{
	begin(b, "XSDT", 1);
	for (size_t i = 0; i < count; i++) {
		uint8_t *p = room(b, 8);
		if (p == NULL)
			return 0;
		mem_put64(p, tables[i]);
	}
	return end(b);
}

uint64_t acpi_build_rsdp(struct acpi_build *b, uint64_t xsdt)
{
	start_aligned(b);
	uint8_t *p = room(b, RSDP_SIZE);
	if (p == NULL)
		return 0;
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "INSULA", 6);
	p[15] = 2;
	mem_put32(p + 20, RSDP_SIZE);
	mem_put64(p + 24, xsdt);
	p[8] = checksum(p, 20);
	p[32] = checksum(p, RSDP_SIZE);
	return b->gpa + b->table;
}
