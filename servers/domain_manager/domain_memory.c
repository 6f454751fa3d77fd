/* A domain's memory as it is accounted for, and as it is told to its vmm. What lies where is physmap.c's. */
#include <errno.h>
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_memory.h"

#define PLACES_EXTRA 1024u /* for pages beyond a domain's maximum: it plugs in 2 MiB for one */

void domain_allow_pages(struct domain *d, uint64_t pages)
{
	/* Xen has 32 bits for it; as bytes it does not overflow */
	pages = pages < UINT32_MAX ? pages : UINT32_MAX;
	d->max_pages = pages;
	domain_heap_allow(&d->heap, pages);
	if (d->map.most < pages + PLACES_EXTRA)
		d->map.most = pages + PLACES_EXTRA;
}

int domain_tables_set(struct domain *d, uint64_t bytes)
{
	if (bytes >> 12 < d->map.tables)
		return -ENOMEM;
	d->mempool_bytes = bytes;
	d->map.tables_most = bytes >> 12;
	return 0;
}

void domain_pages_changed(struct domain *d)
{
	d->ram_bytes = physmap_pages(&d->map) << 12;
	/* where root has less now than is to be kept, it is tried again with the next change */
	(void)physmap_keep(&d->map, 0);
}

void domain_ram_describe(struct domain *d)
{
	struct vmm_control *c = d->control;
	uint64_t gfn = 0;

	c->ram_count = 0;
	c->demand = d->map.p2m.pages[P2M_POD] != 0;
	while (p2m_next(&d->map.p2m, gfn, &gfn)) {
		struct vmm_ram *last = c->ram_count ? &c->ram[c->ram_count - 1] : NULL;
		struct p2m_entry e = p2m_get(&d->map.p2m, gfn);
		uint64_t n = e.large ? P2M_LARGE_PAGES - gfn % P2M_LARGE_PAGES : 1;

		if (e.kind != P2M_RAM && e.kind != P2M_POD) {
			gfn += n;
			continue;
		}
		if (last && last->gfn + last->pages == gfn) {
			last->pages += n;
		} else if (c->ram_count < VMM_RAM_MAX) {
			c->ram[c->ram_count++] = (struct vmm_ram){.gfn = gfn, .pages = n};
		} else {
			last->pages = gfn + n - last->gfn;
			c->demand = 1;
		}
		gfn += n;
	}
}

int domain_e820(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length)
{
	unsigned at = 0;

	if (!d->e820)
		return -ENOENT;
	reply[at++] = d->e820_count;
	for (uint64_t i = first; i < d->e820_count && at < 1 + 3 * 30; i++) {
		reply[at++] = d->e820[i].addr;
		reply[at++] = d->e820[i].size;
		reply[at++] = d->e820[i].type;
	}
	*reply_length = at;
	return 0;
}
