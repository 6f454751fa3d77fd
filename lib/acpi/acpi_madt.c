/*
 * The MADT (ACPI 6.4, 5.2.12). Called with a checked copy of the table; reads only inside it. Contract in
 * acpi.h.
 */
#include "acpi/acpi.h"

enum {
	FIXED = 44,
	TYPE_LAPIC = 0,
	TYPE_IOAPIC = 1,
	TYPE_OVERRIDE = 2,
	TYPE_NMI_SOURCE = 3,
	TYPE_LAPIC_NMI = 4,
	TYPE_LAPIC_ADDRESS = 5,
	TYPE_X2APIC = 9,
	TYPE_X2APIC_NMI = 10,

	LAPIC_ENABLED = 1,
	LAPIC_ONLINE_CAPABLE = 2,
};

/* MPS INTI flags: bits 1:0 polarity, 3:2 trigger; 0 is as the bus, and ISA is edge and high. */
static enum acpi_polarity polarity(uint16_t flags)
{
	return (flags & 3) == 3 ? ACPI_ACTIVE_LOW : ACPI_ACTIVE_HIGH;
}

static enum acpi_trigger trigger(uint16_t flags)
{
	return ((flags >> 2) & 3) == 3 ? ACPI_LEVEL : ACPI_EDGE;
}

static void add_cpu(struct acpi_madt *m, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
	bool enabled = (flags & LAPIC_ENABLED) != 0;
	bool capable = (flags & LAPIC_ONLINE_CAPABLE) != 0;

	if (!enabled && !capable)
		return;
	/* Firmware with many CPUs may list one both as LAPIC and as x2APIC. */
	for (uint32_t i = 0; i < m->cpu_count; i++) {
		if (m->cpus[i].apic_id == apic_id) {
			m->cpus[i].enabled = m->cpus[i].enabled || enabled;
			return;
		}
	}
	if (m->cpu_count >= ACPI_MADT_CPUS) {
		m->dropped++;
		return;
	}
	struct acpi_madt_cpu *c = &m->cpus[m->cpu_count++];
	c->apic_id = apic_id;
	c->uid = uid;
	c->enabled = enabled;
	c->online_capable = capable;
}

static void add_ioapic(struct acpi_madt *m, const uint8_t *p)
{
	if (m->ioapic_count >= ACPI_MADT_IOAPICS) {
		m->dropped++;
		return;
	}
	struct acpi_madt_ioapic *i = &m->ioapics[m->ioapic_count++];
	i->id = p[2];
	i->paddr = mem_get32(p + 4);
	i->gsi_base = mem_get32(p + 8);
}

static void add_override(struct acpi_madt *m, const uint8_t *p)
{
	/* Bus 0 is ISA; there is no other. ISA has 16 interrupts. */
	if (p[2] != 0 || p[3] > 15 || m->override_count >= ACPI_MADT_OVERRIDES) {
		m->dropped++;
		return;
	}
	struct acpi_madt_override *o = &m->overrides[m->override_count++];
	o->isa_irq = p[3];
	o->gsi = mem_get32(p + 4);
	o->polarity = polarity(mem_get16(p + 8));
	o->trigger = trigger(mem_get16(p + 8));
}

/* For the LINT form pass gsi 0, for the IOAPIC form lint 0. */
static void add_nmi(struct acpi_madt *m, bool is_lint, uint32_t gsi, bool all, uint32_t uid, uint8_t lint,
		    uint16_t flags)
{
	if (m->nmi_count >= ACPI_MADT_NMIS || lint > 1) {
		m->dropped++;
		return;
	}
	struct acpi_madt_nmi *n = &m->nmis[m->nmi_count++];
	n->is_lint = is_lint;
	n->gsi = gsi;
	n->all_cpus = all;
	n->uid = uid;
	n->lint = lint;
	n->polarity = polarity(flags);
	n->trigger = trigger(flags);
}

/* The bytes an entry of this type has at least; 0 for types that we do not read. */
static uint8_t least(uint8_t type)
{
	switch (type) {
	case TYPE_LAPIC:
	case TYPE_NMI_SOURCE:
		return 8;
	case TYPE_IOAPIC:
	case TYPE_LAPIC_ADDRESS:
	case TYPE_X2APIC_NMI:
		return 12;
	case TYPE_OVERRIDE:
		return 10;
	case TYPE_LAPIC_NMI:
		return 6;
	case TYPE_X2APIC:
		return 16;
	default:
		return 0;
	}
}

static void add_entry(struct acpi_madt *m, const uint8_t *p)
{
	switch (p[0]) {
	case TYPE_LAPIC:
		/* id 255 is no CPU's in xAPIC form */
		if (p[3] != 0xff)
			add_cpu(m, p[3], p[2], mem_get32(p + 4));
		break;
	case TYPE_X2APIC:
		if (mem_get32(p + 4) != 0xffffffffu)
			add_cpu(m, mem_get32(p + 4), mem_get32(p + 12), mem_get32(p + 8));
		break;
	case TYPE_IOAPIC:
		add_ioapic(m, p);
		break;
	case TYPE_OVERRIDE:
		add_override(m, p);
		break;
	case TYPE_NMI_SOURCE:
		add_nmi(m, false, mem_get32(p + 4), false, 0, 0, mem_get16(p + 2));
		break;
	case TYPE_LAPIC_NMI:
		add_nmi(m, true, 0, p[2] == 0xff, p[2], p[5], mem_get16(p + 3));
		break;
	case TYPE_X2APIC_NMI:
		add_nmi(m, true, 0, mem_get32(p + 4) == 0xffffffffu, mem_get32(p + 4), p[8],
			mem_get16(p + 2));
		break;
	case TYPE_LAPIC_ADDRESS:
		m->lapic_paddr = mem_get64(p + 4);
		break;
	default:
		break;
	}
}

enum acpi_error acpi_madt_parse(const uint8_t *table, size_t size, struct acpi_madt *out)
{
	memset(out, 0, sizeof(*out));
	if (size < FIXED)
		return ACPI_BAD_LENGTH;
	out->lapic_paddr = mem_get32(table + 36);
	out->has_8259 = (mem_get32(table + 40) & 1) != 0;
	for (size_t at = FIXED; at < size;) {
		if (size - at < 2)
			return ACPI_BAD_ENTRY;
		uint8_t length = table[at + 1];
		if (length < 2 || length > size - at || length < least(table[at]))
			return ACPI_BAD_ENTRY;
		add_entry(out, table + at);
		at += length;
	}
	return ACPI_OK;
}
