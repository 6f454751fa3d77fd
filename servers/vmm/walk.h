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

/* Bits of a page fault's error code. */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };
#define WALK_NOT_CANONICAL UINT32_MAX /* no page fault: a general protection or stack fault */

struct walk_result {
	uint64_t gpa, left; /* left: bytes from the address to the end of its page */
	bool write;	    /* writing there is allowed too */
	uint32_t error;	    /* where it failed: the page fault's error code */
};

/* False: a page fault would be raised, and out->error is its error code. */
bool walk_translate(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    struct walk_result *out);

#endif
