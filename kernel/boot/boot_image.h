/*
 * The root task's ELF image: checks, its place in the first thread's address space, rights of its pages. Pure but for
 * boot_image_load(). One user: boot.
 *
 * A root task from our own archive gets its segments' rights (never write and execute together by our linking); one that came as
 * a boot module gets every page read-write-execute, as seL4 does it.
 */
#ifndef BOOT_BOOT_IMAGE_H
#define BOOT_BOOT_IMAGE_H

#include "types.h"
#include "elf/elf.h"

struct boot_image {
	struct elf_image elf;
	bool own; /* from the archive */
	/* Addresses in its VSpace, whole pages; [start, end) is the image, then three areas without gaps. */
	uint64_t start, end;
	uint64_t ipc_buffer, bootinfo, extra;
};

/*
 * Checks file[0..size), which must stay as it is. NULL, or what is wrong with it as the rest of a sentence ("has ...",
 * "is ..."). extra_bytes of extra bootinfo must fit below the top of user space.
 */
const char *boot_image_open(struct boot_image *i, const uint8_t *file, uint64_t size, bool own, uint64_t extra_bytes);

struct boot_image_rights {
	bool write, execute;
};
/* Of the page at `page` in [start, end). */
struct boot_image_rights boot_image_rights(const struct boot_image *i, uint64_t page);

/* Tables of this level (1 PT, 2 PD, 3 PDPT) that [start, end) needs. */
uint64_t boot_image_tables(uint64_t start, uint64_t end, unsigned level);

/* Puts the segments into [p, p + end - start), which is zero. */
void boot_image_load(const struct boot_image *i, paddr_t p);

#endif
