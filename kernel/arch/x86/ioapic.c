/* IOAPICs, as many as the MADT lists (apic.h, arch.h). Pins are masked until someone asks for them. */
#include "arch/x86/apic.h"
#include "arch/x86/apic_hw.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/kmap.h"

enum { IOAPIC_VERSION = 1, IOAPIC_TABLE = 0x10, IOAPIC_PINS_MAX = 120, IOAPIC_BYTES = 0x20 };

static struct {
	volatile uint8_t *base;
	unsigned pins;
	uint32_t low[IOAPIC_PINS_MAX]; /* what we wrote: reading back would need two more accesses */
} ioapics[ACPI_MADT_IOAPICS];
static unsigned ioapic_count;

static void ioapic_write(unsigned i, unsigned pin, struct ioapic_entry e)
{
	uint8_t index = (uint8_t)(IOAPIC_TABLE + 2 * pin);

	/* Masked first: between the halves it must not be taken for an entry. */
	ioapic_hw_write(ioapics[i].base, index, e.low | (1u << 16));
	ioapic_hw_write(ioapics[i].base, (uint8_t)(index + 1), e.high);
	ioapic_hw_write(ioapics[i].base, index, e.low);
	ioapics[i].low[pin] = e.low;
}

void ioapic_add(const struct acpi_madt_ioapic *io)
{
	unsigned i = ioapic_count;
	uint32_t version;

	if (i == ACPI_MADT_IOAPICS)
		return;
	ioapic_count++;
	ioapics[i].base = kmap_device(paddr(io->paddr), IOAPIC_BYTES, KMAP_UC);
	version = ioapic_hw_read(ioapics[i].base, IOAPIC_VERSION);
	if (version == UINT32_MAX || version == 0)
		return; /* nothing there */
	ioapics[i].pins = ((version >> 16) & 0xff) + 1;
	if (ioapics[i].pins > IOAPIC_PINS_MAX)
		ioapics[i].pins = IOAPIC_PINS_MAX; /* the index register has room for no more */
	for (unsigned pin = 0; pin < ioapics[i].pins; pin++)
		ioapic_write(i, pin, ioapic_entry_make(IRQ_VECTOR_SPURIOUS, 0, false, false, true));
}

unsigned irq_ioapic_count(void)
{
	return ioapic_count;
}

unsigned irq_ioapic_pins(unsigned ioapic)
{
	return ioapic < ioapic_count ? ioapics[ioapic].pins : 0;
}

void irq_ioapic_route(unsigned ioapic, unsigned pin, bool level, bool low_active, uint8_t vector)
{
	if (pin < irq_ioapic_pins(ioapic))
		ioapic_write(
		    ioapic, pin,
		    ioapic_entry_make(vector, (uint8_t)apic_boot_id, level, low_active, true));
}

void irq_ioapic_mask(unsigned ioapic, unsigned pin, bool masked)
{
	uint32_t low;

	if (pin >= irq_ioapic_pins(ioapic))
		return;
	low = ioapics[ioapic].low[pin] & ~(1u << 16);
	if (masked)
		low |= 1u << 16;
	if (low == ioapics[ioapic].low[pin])
		return;
	ioapics[ioapic].low[pin] = low;
	ioapic_hw_write(ioapics[ioapic].base, (uint8_t)(IOAPIC_TABLE + 2 * pin), low);
}
