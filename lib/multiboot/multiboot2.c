/*
 * Walks the tags of multiboot 2. Called by multiboot.c. Never looks outside the tag at hand, nor
 * outside the total size; unknown tags are passed over.
 */
#include "multiboot/multiboot2.h"

enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER = 2,
	TAG_MODULE = 3,
	TAG_MEM = 4,
	TAG_MAP = 6,
	TAG_FB = 8,
	TAG_EFI64 = 12,
	TAG_RSDP1 = 14,
	TAG_RSDP2 = 15,
	TAG_LOAD_BASE = 21,

	HEADER = 8,	     /* of the information, and of each tag */
	TOTAL_MAX = 1 << 20, /* bounds the walk */
	MODULE_FIXED = 16,   /* header, start, end */
	MAP_FIXED = 16,	     /* header, entry size, entry version */
	MAP_ENTRY = 24,
	FB_FIELDS = 32 + 6 - 8, /* from the address to the colours */
	RSDP1 = 20,
	RSDP2 = 36,
};

struct tag {
	uint32_t type;
	uint32_t size; /* with the header, >= HEADER */
	uint64_t paddr;
};

/* Reads n bytes at offset `at` of the tag; false with *e set if it is too short or unreadable. */
static bool field(const struct boot_info_build *b, const struct tag *t, uint32_t at, uint8_t *dst, uint32_t n,
		  enum multiboot_error *e)
{
	if (t->size < at || t->size - at < n) {
		*e = MULTIBOOT_BAD_TAG;
		return false;
	}
	if (!mem_read(b->reader, t->paddr + at, dst, n)) {
		*e = MULTIBOOT_UNREADABLE;
		return false;
	}
	return true;
}

static enum multiboot_error read_module(struct boot_info_build *b, const struct tag *t)
{
	uint8_t m[8];
	enum multiboot_error e;

	if (!field(b, t, HEADER, m, sizeof(m), &e))
		return e;
	return boot_info_build_module(b, mem_get32(m), mem_get32(m + 4), t->paddr + MODULE_FIXED,
				      t->size - MODULE_FIXED);
}

static enum multiboot_error read_map(struct boot_info_build *b, const struct tag *t)
{
	uint8_t m[MAP_ENTRY];
	enum multiboot_error e;

	if (!field(b, t, HEADER, m, 4, &e))
		return e;
	uint32_t step = mem_get32(m);
	if (step < MAP_ENTRY || t->size < MAP_FIXED)
		return MULTIBOOT_BAD_TAG;
	for (uint32_t at = MAP_FIXED; t->size - at >= step; at += step) {
		if (!field(b, t, at, m, sizeof(m), &e))
			return e;
		e = boot_info_build_region(b, mem_get64(m), mem_get64(m + 8), mem_get32(m + 16));
		if (e != MULTIBOOT_OK)
			return e;
	}
	return MULTIBOOT_OK;
}

static enum multiboot_error read_fb(struct boot_info_build *b, const struct tag *t)
{
	uint8_t fb[FB_FIELDS];
	enum multiboot_error e;
	uint32_t n = t->size - HEADER;

	if (n > sizeof(fb))
		n = sizeof(fb);
	if (!field(b, t, HEADER, fb, n, &e))
		return e;
	boot_info_build_fb(b, fb, n, 2);
	return MULTIBOOT_OK;
}

static enum multiboot_error read_rsdp(struct boot_info_build *b, const struct tag *t, uint32_t n)
{
	enum multiboot_error e;

	/* Loaders may give both; the newer one counts. */
	if (b->out->rsdp_size >= n)
		return MULTIBOOT_OK;
	if (!field(b, t, HEADER, b->out->rsdp, n, &e))
		return e;
	b->out->rsdp_size = n;
	return MULTIBOOT_OK;
}

static enum multiboot_error read_tag(struct boot_info_build *b, const struct tag *t, uint32_t *mem_upper)
{
	uint8_t v[8];
	enum multiboot_error e = MULTIBOOT_OK;

	switch (t->type) {
	case TAG_CMDLINE:
		return boot_info_build_cmdline(b, t->paddr + HEADER, t->size - HEADER);
	case TAG_LOADER:
		return boot_info_build_loader(b, t->paddr + HEADER, t->size - HEADER);
	case TAG_MODULE:
		return read_module(b, t);
	case TAG_MEM:
		if (field(b, t, HEADER + 4, v, 4, &e))
			*mem_upper = mem_get32(v);
		return e;
	case TAG_MAP:
		return read_map(b, t);
	case TAG_FB:
		return read_fb(b, t);
	case TAG_EFI64:
		if (field(b, t, HEADER, v, 8, &e))
			b->out->efi_system_table = mem_get64(v);
		return e;
	case TAG_RSDP1:
		return read_rsdp(b, t, RSDP1);
	case TAG_RSDP2:
		return read_rsdp(b, t, RSDP2);
	case TAG_LOAD_BASE:
		if (field(b, t, HEADER, v, 4, &e)) {
			b->out->relocated = true;
			b->out->load_base = mem_get32(v);
		}
		return e;
	default:
		return MULTIBOOT_OK;
	}
}

enum multiboot_error multiboot2_decode(struct boot_info_build *b, uint64_t info)
{
	uint8_t header[HEADER];
	uint32_t mem_upper = 0;

	if (info == 0 || info % 8 != 0)
		return MULTIBOOT_BAD_ADDRESS;
	if (!mem_read(b->reader, info, header, sizeof(header)))
		return MULTIBOOT_UNREADABLE;
	uint32_t total = mem_get32(header);
	if (total < 2 * HEADER || total > TOTAL_MAX)
		return MULTIBOOT_BAD_SIZE;

	uint32_t at = HEADER;
	for (;;) {
		if (total - at < HEADER)
			return MULTIBOOT_BAD_TAG;
		if (!mem_read(b->reader, info + at, header, sizeof(header)))
			return MULTIBOOT_UNREADABLE;
		struct tag t = {.type = mem_get32(header), .size = mem_get32(header + 4), .paddr = info + at};
		if (t.size < HEADER || t.size > total - at)
			return MULTIBOOT_BAD_TAG;
		if (t.type == TAG_END)
			break;
		enum multiboot_error e = read_tag(b, &t, &mem_upper);
		if (e != MULTIBOOT_OK)
			return e;
		uint32_t step = (t.size + 7u) & ~7u;
		if (step > total - at)
			return MULTIBOOT_BAD_TAG;
		at += step;
	}
	if (b->out->region_count == 0)
		return boot_info_build_guess(b, mem_upper);
	return MULTIBOOT_OK;
}
