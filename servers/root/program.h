/*
 * The programs in the servers' archive. Pages that no process may write are loaded once, in root's memory, and shared by all
 * instances; writable pages are copied for each.
 */
#ifndef ROOT_PROGRAM_H
#define ROOT_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include "elf/elf.h"
#include "servers/root/account.h"

struct program {
	char name[32];
	struct elf_image elf;
	uint64_t start, pages;   /* whole pages */
	seL4_CPtr shared;        /* slot of the first of shared_count frames, in the order of their pages */
	uint32_t shared_count;
};

struct program_page {
	bool present, write, execute;
	seL4_CPtr shared; /* 0: private */
	bool filled;      /* private: it has content from the file */
};

/* archive: a cpio archive that stays where it is. */
void program_begin(const uint8_t *archive, uint64_t bytes);
/* Opens and loads it the first time. NULL: there is none, it is no program of ours (a line says why), or there is no memory. */
const struct program *program_find(const char *name);
/* Page i of [0, p->pages). Shared frames must be asked for in ascending order: *shared counts them, 0 at first. */
struct program_page program_page(const struct program *p, uint64_t i, uint32_t *shared);
/* Writes a page's content to 4096 zeroed bytes. */
void program_fill(const struct program *p, uint64_t i, uint8_t *to);

#endif
