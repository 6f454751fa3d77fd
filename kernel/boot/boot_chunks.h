/*
 * Writes extra bootinfo: a row of chunks {id, length, content}, packed, into a buffer. Pure. A chunk that does not fit makes
 * `failed` true, and nothing more is written.
 */
#ifndef BOOT_BOOT_CHUNKS_H
#define BOOT_BOOT_CHUNKS_H

#include "types.h"
#include "insula/ext.h"
#include "multiboot/boot_info.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"

struct boot_chunks {
	uint8_t *buffer;
	uint64_t size, used;
	uint64_t open; /* offset of the chunk being written */
	bool failed;
};

void boot_chunks_init(struct boot_chunks *c, void *buffer, uint64_t size);

/* begin, any number of bytes and zeros, end. */
void boot_chunks_begin(struct boot_chunks *c, uint64_t id);
void boot_chunks_bytes(struct boot_chunks *c, const void *bytes, uint64_t n);
void boot_chunks_zeros(struct boot_chunks *c, uint64_t n);
void boot_chunks_end(struct boot_chunks *c);

/* seL4's chunks, in its order: RSDP, framebuffer (if there is one), memory map, TSC frequency; then alignment. */
void boot_chunks_sel4(struct boot_chunks *c, const struct boot_info *info, const uint8_t rsdp[36], uint64_t tsc_hz);
/* A module: INSULA_BOOTINFO_MODULE. */
void boot_chunks_module(struct boot_chunks *c, const struct insula_bi_module *m, const char *string);
/* The Untypeds beyond those in bootinfo: begin with the first slot, add each, end. Nothing is written if none was added. */
void boot_chunks_untyped_begin(struct boot_chunks *c, uint64_t first_slot);
void boot_chunks_untyped(struct boot_chunks *c, uint64_t p, unsigned bits, bool device);
void boot_chunks_untyped_end(struct boot_chunks *c);

/* An upper bound for all of these with this many Untypeds beyond bootinfo's. */
uint64_t boot_chunks_bound(const struct boot_info *info, const char *archive_string, uint64_t untypeds);

#endif
