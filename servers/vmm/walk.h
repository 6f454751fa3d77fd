/*
 * The guest's own page tables, as the CPU would walk them (AMD APM volume 2, chapter 5; Intel SDM volume 3, chapter 4): no paging,
 * 32-bit, PAE and 4-level. Pure: memory comes through a callback. A guest that changes its
 * tables meanwhile gets one of the answers that the CPU could have given. Accessed and dirty bits are left alone.
 */
#ifndef VMM_WALK_H
#define VMM_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct walk_mode {
	uint64_t cr0, cr3, cr4, efer;
	bool user; /* access from CPL 3 */
};

/* Reads an entry of 4 or 8 bytes at a guest-physical address; false if there is no memory. */
typedef bool (*walk_entry)(void *context, uint64_t gpa, unsigned bytes, uint64_t *entry);

/* False: a page fault would be raised. *left: bytes from the address to the end of its page. */
bool walk_translate(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    uint64_t *gpa, uint64_t *left);

#endif
