/* The bits of a redirection table entry. Pure. */
#include "arch/x86/apic.h"

struct ioapic_entry ioapic_entry_make(uint8_t vector, uint8_t apic_id, bool level, bool low_active,
				      bool masked)
{
	struct ioapic_entry e = {vector, (uint32_t)apic_id << 24};

	/* Fixed delivery, physical destination: bits 11:8 are 0. */
	if (low_active)
		e.low |= 1u << 13;
	if (level)
		e.low |= 1u << 15;
	if (masked)
		e.low |= 1u << 16;
	return e;
}
