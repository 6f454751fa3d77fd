/*
 * Checks and stores the parts of the boot information. Called by multiboot1.c and multiboot2.c only; never
 * trusts a length, an address or a count.
 */
#include "multiboot/boot_info_build.h"

enum {
	CHUNK =
	    64, /* strings are read up to the next multiple of this, so never into a page they do not reach */
	FB_FIXED = 22,
	FB_RGB = 28,
	FB_SIDE_MAX = 32768,
};

/*
 * Copies the string at paddr, at most limit bytes of it, to dst[0..size) and ends it with a NUL.
 * *cut is set if the string was longer than the space.
 */
static enum multiboot_error boot_info_build_string(const struct mem_reader *r, uint64_t paddr, uint64_t limit,
						   char *dst, size_t size, bool *cut)
{
	uint8_t chunk[CHUNK];
	size_t used = 0;

	*cut = false;
	dst[0] = '\0';
	while (limit > 0) {
		uint64_t n = CHUNK - (paddr % CHUNK);
		if (n > limit)
			n = limit;
		if (!mem_read(r, paddr, chunk, (size_t)n))
			return MULTIBOOT_UNREADABLE;
		for (size_t i = 0; i < n; i++) {
			if (chunk[i] == 0)
				return MULTIBOOT_OK;
			if (used + 1 >= size) {
				*cut = true;
				return MULTIBOOT_OK;
			}
			dst[used++] = (char)chunk[i];
			dst[used] = '\0';
		}
		limit -= n;
		paddr += n;
	}
	return MULTIBOOT_OK;
}

enum multiboot_error boot_info_build_cmdline(struct boot_info_build *b, uint64_t paddr, uint64_t limit)
{
	return boot_info_build_string(b->reader, paddr, limit, b->out->cmdline, sizeof(b->out->cmdline),
				      &b->out->cmdline_cut);
}

enum multiboot_error boot_info_build_loader(struct boot_info_build *b, uint64_t paddr, uint64_t limit)
{
	bool cut;
	return boot_info_build_string(b->reader, paddr, limit, b->out->loader, sizeof(b->out->loader), &cut);
}

enum multiboot_error boot_info_build_module(struct boot_info_build *b, uint64_t start, uint64_t end,
					    uint64_t string_paddr, uint64_t limit)
{
	if (b->out->module_count >= BOOT_INFO_MODULES)
		return MULTIBOOT_MANY_MODULES;
	if (end < start)
		return MULTIBOOT_BAD_MODULE;

	size_t space = b->pool_size - b->pool_used;
	if (space == 0)
		return MULTIBOOT_LONG_STRINGS;
	char *string = b->pool + b->pool_used;
	string[0] = '\0';
	if (string_paddr != 0) {
		bool cut;
		enum multiboot_error e =
		    boot_info_build_string(b->reader, string_paddr, limit, string, space, &cut);
		if (e != MULTIBOOT_OK)
			return e;
		if (cut)
			return MULTIBOOT_LONG_STRINGS;
	}
	b->pool_used += strlen(string) + 1;

	struct boot_info_module *m = &b->out->modules[b->out->module_count++];
	m->start = start;
	m->end = end;
	m->string = string;
	return MULTIBOOT_OK;
}

enum multiboot_error boot_info_build_region(struct boot_info_build *b, uint64_t base, uint64_t length,
					    uint32_t type)
{
	struct boot_info *out = b->out;
	enum boot_info_type t = BOOT_INFO_RESERVED;

	if (length == 0)
		return MULTIBOOT_OK;
	if (base + length < base) {
		/* Some firmware ends a reserved region at 2^64; no RAM does. */
		if (type == BOOT_INFO_RAM)
			return MULTIBOOT_BAD_REGION;
		length = UINT64_MAX - base;
		if (length == 0)
			return MULTIBOOT_OK;
	}
	if (type == BOOT_INFO_RAM)
		t = BOOT_INFO_RAM;
	else if (type == BOOT_INFO_ACPI)
		t = BOOT_INFO_ACPI;
	else if (type == BOOT_INFO_NVS)
		t = BOOT_INFO_NVS;
	else if (type == BOOT_INFO_BAD)
		t = BOOT_INFO_BAD;

	if (out->region_count > 0) {
		struct boot_info_region *last = &out->regions[out->region_count - 1];
		if (last->type == t && last->base + last->length == base) {
			last->length += length;
			return MULTIBOOT_OK;
		}
	}
	if (out->region_count >= BOOT_INFO_REGIONS)
		return MULTIBOOT_MANY_REGIONS;
	struct boot_info_region *r = &out->regions[out->region_count++];
	r->base = base;
	r->length = length;
	r->type = t;
	return MULTIBOOT_OK;
}

enum multiboot_error boot_info_build_guess(struct boot_info_build *b, uint32_t mem_upper_kib)
{
	if (mem_upper_kib == 0)
		return MULTIBOOT_NO_MAP;
	b->out->map_guessed = true;
	return boot_info_build_region(b, 1u << 20, (uint64_t)mem_upper_kib << 10, BOOT_INFO_RAM);
}

static bool colour_fits(uint8_t pos, uint8_t bits, uint8_t bpp)
{
	return bits >= 1 && bits <= 16 && (unsigned)pos + bits <= bpp;
}

void boot_info_build_fb(struct boot_info_build *b, const uint8_t *field, size_t n, size_t gap)
{
	struct boot_info_fb fb = {0};

	if (n < FB_FIXED)
		return;
	fb.paddr = mem_get64(field);
	fb.pitch = mem_get32(field + 8);
	fb.width = mem_get32(field + 12);
	fb.height = mem_get32(field + 16);
	fb.bpp = field[20];
	uint8_t type = field[21];
	if (fb.paddr == 0 || fb.width == 0 || fb.height == 0 || fb.width > FB_SIDE_MAX ||
	    fb.height > FB_SIDE_MAX)
		return;

	uint32_t bytes = type == 2 ? 2 : (fb.bpp + 7u) / 8u;
	uint64_t total = (uint64_t)fb.pitch * fb.height;
	if (bytes == 0 || fb.pitch < fb.width * bytes || total > UINT32_MAX || fb.paddr + total < fb.paddr)
		return;
	switch (type) {
	case 0:
		fb.type = BOOT_INFO_FB_INDEXED;
		break;
	case 1:
		if (n < FB_RGB + gap || fb.bpp > 32)
			return;
		const uint8_t *c = field + FB_FIXED + gap;
		fb.red_pos = c[0];
		fb.red_bits = c[1];
		fb.green_pos = c[2];
		fb.green_bits = c[3];
		fb.blue_pos = c[4];
		fb.blue_bits = c[5];
		if (!colour_fits(fb.red_pos, fb.red_bits, fb.bpp) ||
		    !colour_fits(fb.green_pos, fb.green_bits, fb.bpp) ||
		    !colour_fits(fb.blue_pos, fb.blue_bits, fb.bpp))
			return;
		fb.type = BOOT_INFO_FB_RGB;
		break;
	case 2:
		fb.type = BOOT_INFO_FB_TEXT;
		break;
	default:
		return;
	}
	b->out->fb = fb;
}
