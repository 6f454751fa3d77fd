/* Devices. See device.h. */
#include "servers/root/device.h"

#include <string.h>
#include "servers/root/task_create.h"

#define PAGE  4096ull
#define LARGE (1ull << seL4_LargePageBits)

#define PORT_RANGES 32u

static seL4_Word device_vector;
static struct device_range {
	uint16_t first, last;
	seL4_CPtr slot;
} device_ranges[PORT_RANGES];
static unsigned device_range_count;

/* ---- the firmware's tables ---- */

static bool device_read(void *ctx, uint64_t paddr, void *dst, size_t n)
{
	uint8_t *to = dst;

	(void)ctx;
	while (n) {
		uint64_t page = paddr & ~(PAGE - 1), offset = paddr - page;
		size_t now = n < PAGE - offset ? n : (size_t)(PAGE - offset);
		struct buddy_node *block;
		seL4_CPtr frame = memory_device_frame(page, seL4_PageBits, &block);
		const uint8_t *from = frame ? memory_window(3, frame, false) : NULL;

		if (from)
			memcpy(to, from + offset, now);
		if (frame)
			memory_device_release(frame, block);
		if (!from)
			return false;
		to += now;
		paddr += now;
		n -= now;
	}
	return true;
}

const struct mem_reader device_reader = {device_read, NULL};

/* ---- ports and interrupts ---- */

seL4_CPtr device_ports(uint16_t first, uint16_t last)
{
	seL4_CPtr slot;

	for (unsigned i = 0; i < device_range_count; i++)
		if (device_ranges[i].first <= first && last <= device_ranges[i].last)
			return device_ranges[i].slot;
	slot = device_range_count < PORT_RANGES ? memory_slot_take() : 0;
	if (slot && seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, first, last, MEMORY_CNODE, slot, MEMORY_DEPTH) == seL4_NoError) {
		device_ranges[device_range_count++] = (struct device_range){first, last, slot};
		return slot;
	}
	memory_slot_release(slot);
	return 0;
}

bool device_give_ports(struct task *t, seL4_CPtr to, uint16_t first, uint16_t last)
{
	seL4_CPtr slot = device_ports(first, last);

	return slot && task_give(t, to, slot, seL4_AllRights, 0) == 0;
}

bool device_give_irq(struct task *t, seL4_CPtr to, const struct acpi_madt *madt, uint8_t isa_irq)
{
	uint32_t gsi = isa_irq, best = UINT32_MAX;
	bool level = false, low = false;
	seL4_CPtr slot;

	for (uint32_t i = 0; i < madt->override_count; i++)
		if (madt->overrides[i].isa_irq == isa_irq) {
			gsi = madt->overrides[i].gsi;
			level = madt->overrides[i].trigger == ACPI_LEVEL;
			low = madt->overrides[i].polarity == ACPI_ACTIVE_LOW;
		}
	/* the IOAPIC whose first interrupt is the highest not above it */
	for (uint32_t i = 0; i < madt->ioapic_count; i++)
		if (madt->ioapics[i].gsi_base <= gsi && (best == UINT32_MAX || madt->ioapics[i].gsi_base > madt->ioapics[best].gsi_base))
			best = i;
	slot = best == UINT32_MAX ? 0 : memory_slot_take();
	if (!slot)
		return false;
	if (seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, MEMORY_CNODE, slot, MEMORY_DEPTH, best, gsi - madt->ioapics[best].gsi_base, level, low,
				      device_vector) != seL4_NoError) {
		memory_slot_release(slot);
		return false;
	}
	device_vector++;
	return task_give(t, to, slot, seL4_AllRights, 0) == 0;
}

/* ---- memory ---- */

bool device_map(struct task *t, uint64_t vaddr, uint64_t paddr, uint64_t bytes, seL4_Word attributes)
{
	uint64_t at = paddr & ~(PAGE - 1), end = (paddr + bytes + PAGE - 1) & ~(PAGE - 1), base = paddr & ~(LARGE - 1);

	while (at < end) {
		unsigned bits = at % LARGE == 0 && end - at >= LARGE ? seL4_LargePageBits : seL4_PageBits;
		struct buddy_node *block;
		seL4_CPtr frame = memory_device_frame(at, bits, &block);

		/* root keeps the frame itself: device memory has no account, and a screen has more pages than a task may keep capabilities */
		if (!frame || task_map_frame(t, frame, vaddr + (at - base), seL4_ReadWrite, attributes | insula_X86_ExecuteNever))
			return false;
		at += 1ull << bits;
	}
	return true;
}
