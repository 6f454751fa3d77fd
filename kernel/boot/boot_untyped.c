/* Untypeds at boot. See boot_untyped.h. */
#include "boot/boot_untyped.h"
#include "cap/untyped.h"

struct boot_untyped_writer {
	struct boot_cspace *cspace;
	seL4_UntypedDesc *list;
	struct boot_chunks *chunks;
	uint64_t listed;
};

static void boot_untyped_put(struct boot_untyped_writer *w, const struct ranges_block *b, bool device)
{
	boot_cspace_append(w->cspace, cap_untyped_new(paddr(b->start), b->bits, device));
	if (w->listed == seL4_BootInfoUntypedMax) {
		boot_chunks_untyped(w->chunks, b->start, b->bits, device);
		return;
	}
	w->list[w->listed++] = (seL4_UntypedDesc){.paddr = b->start, .sizeBits = b->bits, .isDevice = device};
}

static void boot_untyped_ranges(struct boot_untyped_writer *w, const struct ranges *r, bool device)
{
	struct ranges_blocks it;
	struct ranges_block b;

	ranges_blocks_begin(&it, r, PAGE_BITS, seL4_MaxUntypedBits);
	while (ranges_blocks_next(&it, &b))
		boot_untyped_put(w, &b, device);
}

seL4_SlotRegion boot_untyped_all(struct boot_cspace *c, const struct boot_memory *m, seL4_UntypedDesc *list,
                                 struct boot_chunks *chunks)
{
	struct boot_untyped_writer w = {c, list, chunks, 0};
	uint64_t start = c->next;

	boot_chunks_untyped_begin(chunks, start + seL4_BootInfoUntypedMax);
	boot_untyped_ranges(&w, &m->device, true);
	boot_untyped_ranges(&w, &m->free, false);
	boot_chunks_untyped_end(chunks);
	return (seL4_SlotRegion){start, start + w.listed};
}

static void boot_untyped_begin(struct ranges_blocks *it, struct ranges *one, struct range *item, uint64_t start,
                               uint64_t bytes)
{
	item->start = start;
	item->end = ALIGN_UP(start + bytes, PAGE_BITS);
	one->items = item;
	one->count = one->capacity = item->end > item->start;
	ranges_blocks_begin(it, one, PAGE_BITS, seL4_MaxUntypedBits);
}

uint64_t boot_untyped_blocks(uint64_t start, uint64_t bytes)
{
	struct ranges_blocks it;
	struct ranges_block b;
	struct ranges one;
	struct range item;
	uint64_t n = 0;

	boot_untyped_begin(&it, &one, &item, start, bytes);
	while (ranges_blocks_next(&it, &b))
		n++;
	return n;
}

void boot_untyped_module(struct boot_cspace *c, uint64_t start, uint64_t bytes)
{
	struct ranges_blocks it;
	struct ranges_block b;
	struct ranges one;
	struct range item;

	boot_untyped_begin(&it, &one, &item, start, bytes);
	while (ranges_blocks_next(&it, &b))
		boot_cspace_append(c, cap_untyped_new_module(paddr(b.start), b.bits));
}
