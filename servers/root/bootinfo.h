/*
 * Reads the kernel's boot information: chunks are found and checked once, then used through these. Pure.
 */
#ifndef ROOT_BOOTINFO_H
#define ROOT_BOOTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "insula/ext.h"
#include "sel4/bootinfo.h"

#define BOOTINFO_MODULES 64

struct bootinfo_framebuffer {
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bpp, type; /* type 0 indexed, 1 direct colour, 2 text */
};

struct bootinfo {
	const seL4_BootInfo *bi;
	const char *cmdline;                   /* "" if there was none */
	const struct insula_bi_machine *machine; /* NULL: not Insula's kernel */
	const uint8_t *rsdp;                   /* 36 bytes, or NULL */
	bool has_framebuffer;
	struct bootinfo_framebuffer framebuffer;
	const struct insula_bi_module *module[BOOTINFO_MODULES];
	uint32_t module_count, modules_dropped;
	const struct insula_bi_untyped *more_untyped; /* NULL if bootinfo's list has all */
};

/*
 * bi: the frame; extra: bi->extraLen bytes of chunks. Pointers lead into them. False if a chunk leads outside, what was found before it is
 * there then.
 */
bool bootinfo_read(struct bootinfo *b, const seL4_BootInfo *bi, const uint8_t *extra, size_t bytes);

/* The n-th Untyped of all, modules' not counted; false past the last. */
struct bootinfo_untyped {
	uint64_t slot, paddr;
	uint8_t bits;
	bool device;
};
bool bootinfo_untyped(const struct bootinfo *b, uint64_t n, struct bootinfo_untyped *out);

#endif
