/*
 * Decodes the boot information of multiboot 1 (0.6.96) and multiboot 2 (2.0) loaders into a neutral
 * struct boot_info. Called by the kernel once, before it hands out memory. The information is read
 * through the caller's callback, each part once; lengths and counts in it are not trusted.
 */
#ifndef LIB_MULTIBOOT_MULTIBOOT_H
#define LIB_MULTIBOOT_MULTIBOOT_H

#include "mem/reader.h"
#include "multiboot/boot_info.h"

enum {
	MULTIBOOT_MAGIC1 = 0x2badb002, /* EAX at entry */
	MULTIBOOT_MAGIC2 = 0x36d76289,
};

enum multiboot_error {
	MULTIBOOT_OK = 0,
	MULTIBOOT_BAD_MAGIC,
	MULTIBOOT_BAD_ADDRESS, /* the information is not aligned, or at 0 */
	MULTIBOOT_UNREADABLE,  /* the reader refused an address that the information names */
	MULTIBOOT_BAD_SIZE,
	MULTIBOOT_BAD_TAG,
	MULTIBOOT_NO_MAP,
	MULTIBOOT_MANY_REGIONS,
	MULTIBOOT_BAD_REGION,
	MULTIBOOT_MANY_MODULES,
	MULTIBOOT_BAD_MODULE,
	MULTIBOOT_LONG_STRINGS, /* module strings do not fit in the pool */
};

/*
 * magic and info are EAX and EBX at entry. The module strings are put one after the other into
 * pool[0..pool_size), which must live as long as *out. On error *out is zeroed or partly filled
 * and only fit for printing.
 */
enum multiboot_error multiboot_decode(uint32_t magic, uint64_t info, const struct mem_reader *reader,
				      char *pool, size_t pool_size, struct boot_info *out);

/* One plain English line, without a final newline, that says what is wrong. Never NULL. */
const char *multiboot_error_line(enum multiboot_error e);

#endif
