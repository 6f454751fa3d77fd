/*
 * Filling a struct boot_info piece by piece: what the decoders of multiboot 1 and 2 share. Not for
 * anyone else.
 */
#ifndef LIB_MULTIBOOT_BOOT_INFO_BUILD_H
#define LIB_MULTIBOOT_BOOT_INFO_BUILD_H

#include "multiboot/multiboot.h"

struct boot_info_build {
	const struct mem_reader *reader;
	struct boot_info *out;
	char *pool;
	size_t pool_size;
	size_t pool_used;
};

enum multiboot_error boot_info_build_cmdline(struct boot_info_build *b, uint64_t paddr, uint64_t limit);
enum multiboot_error boot_info_build_loader(struct boot_info_build *b, uint64_t paddr, uint64_t limit);

/* A module; string_paddr 0 means it has no string. */
enum multiboot_error boot_info_build_module(struct boot_info_build *b, uint64_t start, uint64_t end,
					    uint64_t string_paddr, uint64_t limit);

/* Empty regions are left out. */
enum multiboot_error boot_info_build_region(struct boot_info_build *b, uint64_t base, uint64_t length,
					    uint32_t type);

/* RAM from 1 MiB up, when there is no memory map. */
enum multiboot_error boot_info_build_guess(struct boot_info_build *b, uint32_t mem_upper_kib);

/* The 28 (RGB) or at least 22 bytes from the address field on; both protocols have them in the same order but
 * for `gap` reserved bytes. A form that makes no sense is left out. */
void boot_info_build_fb(struct boot_info_build *b, const uint8_t *field, size_t n, size_t gap);

#endif
