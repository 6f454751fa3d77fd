/*
 * Chooses the protocol and names the errors. Called by the kernel's start-up. See multiboot.h.
 */
#include "multiboot/multiboot.h"
#include "multiboot/multiboot1.h"
#include "multiboot/multiboot2.h"

enum multiboot_error multiboot_decode(uint32_t magic, uint64_t info, const struct mem_reader *reader,
				      char *pool, size_t pool_size, struct boot_info *out)
{
	struct boot_info_build b = {.reader = reader, .out = out, .pool = pool, .pool_size = pool_size};

	memset(out, 0, sizeof(*out));
	if (magic == MULTIBOOT_MAGIC1) {
		out->protocol = 1;
		return multiboot1_decode(&b, info);
	}
	if (magic == MULTIBOOT_MAGIC2) {
		out->protocol = 2;
		return multiboot2_decode(&b, info);
	}
	return MULTIBOOT_BAD_MAGIC;
}

const char *multiboot_error_line(enum multiboot_error e)
{
	switch (e) {
	case MULTIBOOT_OK:
		return "the boot information is complete";
	case MULTIBOOT_BAD_MAGIC:
		return "not started by a multiboot 1 or 2 boot loader";
	case MULTIBOOT_BAD_ADDRESS:
		return "the boot loader's information is at an address where it cannot be";
	case MULTIBOOT_UNREADABLE:
		return "the boot loader's information points outside memory";
	case MULTIBOOT_BAD_SIZE:
		return "the boot loader's information has an impossible size";
	case MULTIBOOT_BAD_TAG:
		return "the boot loader's information has a damaged multiboot 2 tag";
	case MULTIBOOT_NO_MAP:
		return "the boot loader gave no memory map";
	case MULTIBOOT_MANY_REGIONS:
		return "the boot loader's memory map has more than 128 separate regions";
	case MULTIBOOT_BAD_REGION:
		return "the boot loader's memory map has RAM beyond the end of the address space";
	case MULTIBOOT_MANY_MODULES:
		return "more than 64 boot modules";
	case MULTIBOOT_BAD_MODULE:
		return "a boot module ends before it begins";
	case MULTIBOOT_LONG_STRINGS:
		return "the boot modules' command lines are too long";
	}
	return "unknown multiboot error";
}
