/*
 * Reads the fixed structure of multiboot 1 and the lists it points to. Called by multiboot.c. Never uses
 * a field whose flag bit is not set.
 */
#include "multiboot/multiboot1.h"

enum {
	FLAG_MEM = 1 << 0,
	FLAG_CMDLINE = 1 << 2,
	FLAG_MODULES = 1 << 3,
	FLAG_MAP = 1 << 6,
	FLAG_LOADER = 1 << 9,
	FLAG_FB = 1 << 12,

	OFF_MEM_UPPER = 8,
	OFF_CMDLINE = 16,
	OFF_MODULE_COUNT = 20,
	OFF_MODULES = 24,
	OFF_MAP_LENGTH = 44,
	OFF_MAP = 48,
	OFF_LOADER = 64,
	OFF_FB = 88,
	FIXED_SIZE = 88,
	FB_SIZE = 28,

	MODULE_SIZE = 16,
	MAP_ENTRY = 24,		  /* with the size word itself */
	MAP_LENGTH_MAX = 1 << 16, /* bounds the walk over a hostile map */
	STRING_MAX = 1 << 16,
};

static enum multiboot_error read_modules(struct boot_info_build *b, uint32_t count, uint64_t list)
{
	if (count > BOOT_INFO_MODULES)
		return MULTIBOOT_MANY_MODULES;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t m[MODULE_SIZE];
		if (!mem_read(b->reader, list + (uint64_t)i * MODULE_SIZE, m, sizeof(m)))
			return MULTIBOOT_UNREADABLE;
		enum multiboot_error e =
		    boot_info_build_module(b, mem_get32(m), mem_get32(m + 4), mem_get32(m + 8), STRING_MAX);
		if (e != MULTIBOOT_OK)
			return e;
	}
	return MULTIBOOT_OK;
}

static enum multiboot_error read_map(struct boot_info_build *b, uint32_t length, uint64_t list)
{
	uint32_t at = 0;

	if (length > MAP_LENGTH_MAX)
		return MULTIBOOT_BAD_SIZE;
	while (length - at >= MAP_ENTRY) {
		uint8_t m[MAP_ENTRY];
		if (!mem_read(b->reader, list + at, m, sizeof(m)))
			return MULTIBOOT_UNREADABLE;
		uint32_t size = mem_get32(m); /* of what follows the size word */
		if (size < MAP_ENTRY - 4 || size > length - at - 4)
			return MULTIBOOT_BAD_SIZE;
		enum multiboot_error e =
		    boot_info_build_region(b, mem_get64(m + 4), mem_get64(m + 12), mem_get32(m + 20));
		if (e != MULTIBOOT_OK)
			return e;
		at += size + 4;
	}
	return MULTIBOOT_OK;
}

enum multiboot_error multiboot1_decode(struct boot_info_build *b, uint64_t info)
{
	uint8_t fixed[FIXED_SIZE];
	enum multiboot_error e = MULTIBOOT_OK;

	if (info == 0 || info % 4 != 0)
		return MULTIBOOT_BAD_ADDRESS;
	if (!mem_read(b->reader, info, fixed, sizeof(fixed)))
		return MULTIBOOT_UNREADABLE;
	uint32_t flags = mem_get32(fixed);

	if (flags & FLAG_CMDLINE)
		e = boot_info_build_cmdline(b, mem_get32(fixed + OFF_CMDLINE), STRING_MAX);
	if (e == MULTIBOOT_OK && (flags & FLAG_LOADER))
		e = boot_info_build_loader(b, mem_get32(fixed + OFF_LOADER), STRING_MAX);
	if (e == MULTIBOOT_OK && (flags & FLAG_MODULES))
		e = read_modules(b, mem_get32(fixed + OFF_MODULE_COUNT), mem_get32(fixed + OFF_MODULES));
	if (e == MULTIBOOT_OK && (flags & FLAG_MAP))
		e = read_map(b, mem_get32(fixed + OFF_MAP_LENGTH), mem_get32(fixed + OFF_MAP));
	if (e == MULTIBOOT_OK && b->out->region_count == 0)
		e = boot_info_build_guess(b, (flags & FLAG_MEM) ? mem_get32(fixed + OFF_MEM_UPPER) : 0);
	if (e == MULTIBOOT_OK && (flags & FLAG_FB)) {
		uint8_t fb[FB_SIZE];
		if (!mem_read(b->reader, info + OFF_FB, fb, sizeof(fb)))
			return MULTIBOOT_UNREADABLE;
		boot_info_build_fb(b, fb, sizeof(fb), 0);
	}
	return e;
}
