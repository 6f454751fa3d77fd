/*
 * The first thread: its objects, capabilities, address space and boot information, as seL4 hands them over (facts: boot
 * protocol), with Insula's extra chunks. Boot, once, when the window's tables exist.
 */
#ifndef BOOT_BOOT_TASK_H
#define BOOT_BOOT_TASK_H

#include "boot/boot_image.h"
#include "boot/boot_memory.h"
#include "multiboot/boot_info.h"
#include "insula/ext.h"

/* A boot module's (or the archive's) memory, handed over with its content. */
struct boot_task_module {
	uint64_t start, bytes; /* start is that of a page; the last page's rest is zero */
	const char *string;
};

struct boot_task {
	struct boot_memory *memory;   /* devices computed, modules' memory reserved */
	const struct boot_info *info;
	const struct boot_image *image;
	const uint8_t *rsdp;          /* 36 bytes */
	uint64_t extra_bytes;         /* of extra bootinfo, an upper bound: that with which the image was opened */
	const struct boot_task_module *modules;
	uint32_t module_count;
	uint64_t release_start, release_end; /* memory of the root task's file, free once it is loaded; may be empty */
	struct insula_bi_machine *machine; /* all but memory_* are filled; those are here */
};

/* Upper bound of Untypeds (RAM, devices) that are left after the first thread's objects are made. */
uint64_t boot_task_untypeds(const struct boot_memory *m);

/* Makes it, current on this CPU's scheduler as soon as that runs. boot_stop if there is too little memory. */
void boot_task_make(struct boot_task *t);

/* For other parts of boot: whole pages, zero and in the window; boot_stop if there are none. */
paddr_t boot_task_pages(struct boot_memory *m, uint64_t bytes, const char *what);

#endif
