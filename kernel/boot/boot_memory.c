/* The boot memory plan. See boot_memory.h. */
#include "boot/boot_memory.h"

static bool boot_memory_low_module(struct boot_memory *m, const struct boot_info *info, const struct boot_info_module *mod)
{
	uint64_t start = ALIGN_DOWN(mod->start, PAGE_BITS), end = ALIGN_UP(mod->end, PAGE_BITS);

	for (uint32_t i = 0; i < info->region_count; i++) {
		const struct boot_info_region *r = &info->regions[i];

		/* The last page may reach beyond the region: firmware cuts low memory at any byte. */
		if (r->type == BOOT_INFO_RAM && mod->start >= r->base && mod->end <= r->base + r->length)
			return ranges_add(&m->ram, start, end) == RANGES_OK;
	}
	return true; /* outside RAM: found by whoever looks at modules */
}

static bool boot_memory_add_regions(struct boot_memory *m, const struct boot_info *info)
{
	for (uint32_t i = 0; i < info->region_count; i++) {
		const struct boot_info_region *r = &info->regions[i];
		uint64_t start = r->base, end = r->base + r->length;

		if (start < BOOT_MEMORY_LOW)
			start = BOOT_MEMORY_LOW;
		if (end > BOOT_MEMORY_WINDOW)
			end = BOOT_MEMORY_WINDOW;
		if (r->type == BOOT_INFO_RAM && end > start && ranges_add(&m->ram, start, end) != RANGES_OK)
			return false;
	}
	/* Where firmware contradicts itself, it is not RAM. */
	for (uint32_t i = 0; i < info->region_count; i++) {
		const struct boot_info_region *r = &info->regions[i];

		if (r->type != BOOT_INFO_RAM && ranges_subtract(&m->ram, r->base, r->base + r->length) != RANGES_OK)
			return false;
	}
	return ranges_align(&m->ram, PAGE_SIZE) == RANGES_OK;
}

bool boot_memory_init(struct boot_memory *m, const struct boot_info *info)
{
	ranges_init(&m->ram, m->ram_items, BOOT_MEMORY_RANGES);
	ranges_init(&m->free, m->free_items, BOOT_MEMORY_RANGES);
	ranges_init(&m->device, m->device_items, BOOT_MEMORY_RANGES);
	m->granted = 0;
	if (!boot_memory_add_regions(m, info))
		return false;
	for (uint32_t i = 0; i < info->module_count; i++)
		if (info->modules[i].start < BOOT_MEMORY_LOW && info->modules[i].end > info->modules[i].start &&
		    !boot_memory_low_module(m, info, &info->modules[i]))
			return false;
	for (uint32_t i = 0; i < m->ram.count; i++)
		if (ranges_add(&m->free, m->ram.items[i].start, m->ram.items[i].end) != RANGES_OK)
			return false;
	return true;
}

static bool boot_memory_touches(uint64_t page, uint64_t start, uint64_t end)
{
	return start < page + PAGE_SIZE && end > page;
}

static bool boot_memory_lendable(const struct boot_info *info, uint64_t page)
{
	bool ram = false;

	for (uint32_t i = 0; i < info->region_count; i++) {
		const struct boot_info_region *r = &info->regions[i];

		if (r->type != BOOT_INFO_RAM && boot_memory_touches(page, r->base, r->base + r->length))
			return false;
		ram = ram || (r->type == BOOT_INFO_RAM && r->base <= page && page + PAGE_SIZE <= r->base + r->length);
	}
	for (uint32_t i = 0; i < info->module_count; i++)
		if (boot_memory_touches(page, info->modules[i].start, info->modules[i].end))
			return false;
	return ram;
}

bool boot_memory_trampoline(const struct boot_info *info, paddr_t *out)
{
	for (uint64_t page = BOOT_MEMORY_VIDEO - PAGE_SIZE; page != 0; page -= PAGE_SIZE) {
		if (!boot_memory_lendable(info, page))
			continue;
		*out = paddr(page);
		return true;
	}
	return false;
}

bool boot_memory_reserve(struct boot_memory *m, uint64_t start, uint64_t end)
{
	return ranges_subtract(&m->free, ALIGN_DOWN(start, PAGE_BITS), ALIGN_UP(end, PAGE_BITS)) == RANGES_OK;
}

bool boot_memory_alloc(struct boot_memory *m, uint64_t bytes, uint64_t align, uint64_t max, paddr_t *out)
{
	uint64_t at;

	/* Below 1 MiB are only modules' pages, which somebody has reserved. */
	if (!ranges_find_high(&m->free, bytes, align, BOOT_MEMORY_LOW, max, &at) ||
	    ranges_subtract(&m->free, at, at + bytes) != RANGES_OK)
		return false;
	*out = paddr(at);
	return true;
}

bool boot_memory_release(struct boot_memory *m, uint64_t start, uint64_t end)
{
	return ranges_add(&m->free, start, end) == RANGES_OK;
}

bool boot_memory_devices(struct boot_memory *m, unsigned address_bits)
{
	uint64_t top = BIT(address_bits < RANGES_BITS_MAX ? address_bits : (unsigned)RANGES_BITS_MAX);

	ranges_init(&m->device, m->device_items, BOOT_MEMORY_RANGES);
	if (ranges_add(&m->device, 0, top) != RANGES_OK)
		return false;
	for (uint32_t i = 0; i < m->ram.count; i++)
		if (ranges_subtract(&m->device, m->ram.items[i].start, m->ram.items[i].end) != RANGES_OK)
			return false;
	return true;
}

bool boot_memory_hide(struct boot_memory *m, uint64_t start, uint64_t end)
{
	return ranges_subtract(&m->device, ALIGN_DOWN(start, PAGE_BITS), ALIGN_UP(end, PAGE_BITS)) == RANGES_OK;
}

uint64_t boot_memory_blocks(const struct ranges *r)
{
	struct ranges_blocks it;
	struct ranges_block b;
	uint64_t n = 0;

	ranges_blocks_begin(&it, r, PAGE_BITS, RANGES_BITS_MAX);
	while (ranges_blocks_next(&it, &b))
		n++;
	return n;
}

uint64_t boot_memory_total(const struct boot_memory *m)
{
	return ranges_total(&m->ram);
}

uint64_t boot_memory_kept(const struct boot_memory *m)
{
	return ranges_total(&m->ram) - ranges_total(&m->free) - m->granted;
}
