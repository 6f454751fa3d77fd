/* A domain's memory as it is accounted for, and as it is told to its vmm. What lies where is physmap.h's. */
#ifndef DOMAIN_MANAGER_DOMAIN_MEMORY_H
#define DOMAIN_MANAGER_DOMAIN_MEMORY_H

#include <stdint.h>

struct domain;

/* xen/include/public/memory.h has it without a name. */
struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

/* It may have so many pages. */
void domain_allow_pages(struct domain *d, uint64_t pages);
/* So many bytes of second-level tables, whole pages. -ENOMEM: it has more. */
int domain_tables_set(struct domain *d, uint64_t bytes);
/* Its memory has changed: what is told of it follows, and what is kept for it. */
void domain_pages_changed(struct domain *d);
/*
 * struct vmm_control: the memory that it has now, or will have when it is looked for, as runs of pages: what
 * its vmm may look at. If there are too many runs (a restored domain that had given pages back here and
 * there), the last one covers the holes, too, and its vmm asks for each page.
 */
void domain_ram_describe(struct domain *d);
/* What XENMEM_set_memory_map left, from an entry on, as DOMAIN_VMM_E820 says. -ENOENT: it was not set. */
int domain_e820(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length);

#endif
