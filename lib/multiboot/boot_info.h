/*
 * What a boot loader told us, in one form for multiboot 1 and 2. Filled by multiboot_decode();
 * after that nothing in it refers to the loader's memory, except module contents at their
 * physical addresses. About 10 KiB: keep it in static storage.
 */
#ifndef LIB_MULTIBOOT_BOOT_INFO_H
#define LIB_MULTIBOOT_BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BOOT_INFO_CMDLINE = 4096, /* bytes, with the NUL */
	BOOT_INFO_MODULES = 64,
	BOOT_INFO_REGIONS = 128,
	BOOT_INFO_LOADER = 64,
};

/* Region types, as in multiboot and E820. Any other type the loader names becomes BOOT_INFO_RESERVED. */
enum boot_info_type {
	BOOT_INFO_RAM = 1,
	BOOT_INFO_RESERVED = 2,
	BOOT_INFO_ACPI = 3, /* tables; RAM after they are read */
	BOOT_INFO_NVS = 4,
	BOOT_INFO_BAD = 5,
};

struct boot_info_region {
	uint64_t base;
	uint64_t length; /* never 0; base + length does not overflow */
	enum boot_info_type type;
};

struct boot_info_module {
	uint64_t start;	    /* physical; end >= start */
	uint64_t end;	    /* first byte after it */
	const char *string; /* NUL-terminated, in the caller's pool; "" if it has none */
};

enum boot_info_fb_type {
	BOOT_INFO_FB_NONE = 0, /* no framebuffer was reported */
	BOOT_INFO_FB_INDEXED,
	BOOT_INFO_FB_RGB,
	BOOT_INFO_FB_TEXT, /* EGA text; width and height in characters */
};

struct boot_info_fb {
	enum boot_info_fb_type type;
	uint64_t paddr;
	uint32_t pitch; /* bytes per line; pitch >= width * bytes per pixel, pitch * height fits 32 bits */
	uint32_t width;
	uint32_t height;
	uint8_t bpp;
	/* RGB only: position of the lowest bit and number of bits of each colour; all within bpp */
	uint8_t red_pos, red_bits;
	uint8_t green_pos, green_bits;
	uint8_t blue_pos, blue_bits;
};

struct boot_info {
	uint8_t protocol; /* 1 or 2 */
	bool cmdline_cut; /* the command line was longer than the space here */
	bool map_guessed; /* no memory map: one region made from mem_upper */
	char cmdline[BOOT_INFO_CMDLINE];
	char loader[BOOT_INFO_LOADER]; /* the loader's name for the log; cut if too long */

	uint32_t module_count;
	struct boot_info_module modules[BOOT_INFO_MODULES];

	/* In the loader's order: not sorted, may overlap. Adjacent ones of equal type are joined. */
	uint32_t region_count;
	struct boot_info_region regions[BOOT_INFO_REGIONS];

	uint32_t rsdp_size; /* 0: none given (then search, acpi_rsdp_find); else 20 or 36 */
	uint8_t rsdp[36];   /* copied, not checked */

	struct boot_info_fb fb;
	uint64_t efi_system_table; /* physical, 0 if not booted by 64-bit EFI */
	bool relocated;		   /* load_base is meaningful */
	uint64_t load_base;	   /* physical address where the image was put */
};

#endif
