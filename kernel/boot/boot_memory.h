/*
 * The plan of physical memory at boot: what is RAM, what of it is still free, what is device space, and what was given
 * away how. Pure: arithmetic on ranges in the caller's structure; touches no memory. One user: boot, once.
 *
 * RAM is what the loader's map calls so (type 1) and nothing else claims, from 1 MiB up, in whole pages; below, only
 * pages of boot modules. All addresses are physical, all sizes bytes.
 */
#ifndef BOOT_BOOT_MEMORY_H
#define BOOT_BOOT_MEMORY_H

#include "types.h"
#include "multiboot/boot_info.h"
#include "ranges/ranges.h"

enum { BOOT_MEMORY_RANGES = 512 };

#define BOOT_MEMORY_LOW      0x100000ull  /* RAM begins here */
#define BOOT_MEMORY_VIDEO    0xa0000ull   /* below it, what there is of RAM belongs to the boot loader and its modules */
#define BOOT_MEMORY_4G       0x100000000ull
#define BOOT_MEMORY_WINDOW   BIT(46)      /* the window ends there */
#define BOOT_MEMORY_ANYWHERE UINT64_MAX

struct boot_memory {
	struct ranges ram;    /* all of it */
	struct ranges free;   /* neither reserved nor allocated */
	struct ranges device; /* filled by boot_memory_devices() */
	uint64_t granted;     /* bytes of RAM that the first thread gets as frames and module Untypeds */
	struct range ram_items[BOOT_MEMORY_RANGES];
	struct range free_items[BOOT_MEMORY_RANGES];
	struct range device_items[BOOT_MEMORY_RANGES];
};

/* False: more ranges than fit. Modules below 1 MiB must already be known in *info. */
bool boot_memory_init(struct boot_memory *m, const struct boot_info *info) MUST_USE;

/*
 * A page below 1 MiB that can be lent, its content being put back: RAM as the map says, below the area of video memory and
 * firmware, no part of a boot module, and not the first page, which is firmware's. The highest. False: there is none.
 */
bool boot_memory_trampoline(const struct boot_info *info, paddr_t *out) MUST_USE;

/* Whole pages around [start, end) are not free. False: ranges do not fit. */
bool boot_memory_reserve(struct boot_memory *m, uint64_t start, uint64_t end) MUST_USE;

/* Takes `bytes` (whole pages) at a multiple of align (a page or more) below `max`, as high as possible. False: there is none. */
bool boot_memory_alloc(struct boot_memory *m, uint64_t bytes, uint64_t align, uint64_t max, paddr_t *out) MUST_USE;

/* Whole pages of RAM, reserved before, are free again. */
bool boot_memory_release(struct boot_memory *m, uint64_t start, uint64_t end) MUST_USE;

/*
 * Computes m->device: all of [0, 2^address_bits), at most 2^47, that is not RAM. boot_memory_hide() then takes out what the
 * kernel keeps for itself. Whole pages.
 */
bool boot_memory_devices(struct boot_memory *m, unsigned address_bits) MUST_USE;
bool boot_memory_hide(struct boot_memory *m, uint64_t start, uint64_t end) MUST_USE;

/* Number of naturally aligned blocks into which a list will be cut. */
uint64_t boot_memory_blocks(const struct ranges *r);

/* Bytes of RAM, and those that the kernel keeps when all that is free is handed out. */
uint64_t boot_memory_total(const struct boot_memory *m);
uint64_t boot_memory_kept(const struct boot_memory *m);

#endif
