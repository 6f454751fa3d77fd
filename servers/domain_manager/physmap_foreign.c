/* Pages of other domains: derived from their frames, mapped, recorded with where they are from, and taken out again. */
#include <errno.h>
#include "insula/ext.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/physmap_private.h"

/* Of what pages are derived: a copy of the owner's capability in a slot of ours. Where it is kept it stays there for the next page. */
static int whole_take(struct physmap *m, struct p2m_entry e, uint32_t *slot, bool *kept)
{
	*kept = physmap_window_is(m, e);
	if (*kept)
		return physmap_window_slot(m, e, slot);
	*slot = m->slot_scratch[0];
	return physmap_copy_out(m, e.frame, FRAME_OWNER, *slot);
}

static uint64_t offset_in(struct p2m_entry e, uint64_t gfn)
{
	return e.large ? gfn % P2M_LARGE_PAGES << PAGE_BITS : 0;
}

static int source_set(struct physmap *m, uint32_t frame, struct physmap_source source)
{
	uint32_t chunk = frame / FRAME_CHUNK;

	if (chunk >= m->sources) {
		uint32_t n = chunk + 16;
		struct physmap_source **more = domain_heap_resize(m->heap, m->source, n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (uint32_t i = m->sources; i < n; i++)
			more[i] = NULL;
		m->source = more;
		m->sources = n;
	}
	if (!m->source[chunk])
		m->source[chunk] = domain_heap_alloc(m->heap, FRAME_CHUNK, sizeof(source));
	if (!m->source[chunk])
		return -ENOMEM;
	m->source[chunk][frame % FRAME_CHUNK] = source;
	return 0;
}

/* The record of a foreign page at `at`, where nothing is, with a place for its capability. */
static int foreign_note(struct physmap *m, uint64_t at, struct physmap_source source, uint32_t *frame)
{
	int r = frame_store_take(&m->frames, frame);

	if (r)
		return r;
	r = source_set(m, *frame, source);
	if (!r)
		r = p2m_set(&m->p2m, at, (struct p2m_entry){.kind = P2M_FOREIGN, .frame = *frame});
	if (r)
		frame_store_give_one(&m->frames, *frame);
	return r;
}

static void foreign_forget(struct physmap *m, uint64_t at, uint32_t frame)
{
	(void)p2m_clear(&m->p2m, at);
	frame_store_give_one(&m->frames, frame);
}

static int foreign(struct physmap *m, uint64_t at, struct physmap *from, struct p2m_entry what, bool write, struct physmap_source source)
{
	uint32_t frame, whole;
	bool kept;
	int r = foreign_note(m, at, source, &frame);

	if (r)
		return r;
	r = whole_take(from, what, &whole, &kept);
	if (!r) {
		r = physmap_derive_mapped(m, whole, offset_in(what, source.gfn), frame, at << PAGE_BITS, write);
		if (!kept)
			physmap_drop(whole);
	}
	if (r)
		foreign_forget(m, at, frame);
	return r;
}

int physmap_foreign(struct physmap *m, uint64_t at, struct physmap *from, uint64_t gfn, bool write, uint16_t owner)
{
	struct p2m_entry e;
	bool held;
	int r = physmap_page_need(from, gfn, &e);

	if (r)
		return r;
	/* a page that a hypervisor gives stays a frame of the domain's, wherever it is put: only memory has to be held */
	held = e.kind == P2M_RAM;
	r = foreign(m, at, from, e, write, (struct physmap_source){.from = from, .gfn = held ? gfn : PHYSMAP_NOT_RAM, .owner = owner});
	if (!r && held)
		p2m_note(&from->p2m, gfn)->uses++;
	return r;
}

int physmap_foreign_frame(struct physmap *m, uint64_t at, struct physmap *from, uint32_t frame, bool write, uint16_t owner)
{
	return foreign(m, at, from, (struct p2m_entry){.frame = frame}, write, (struct physmap_source){.owner = owner});
}

static void take_out(struct physmap *m, uint64_t gfn, uint32_t frame, struct physmap_source s)
{
	struct p2m_note *n;

	(void)p2m_clear(&m->p2m, gfn);
	frame_store_give_one(&m->frames, frame);
	n = s.from ? p2m_note(&s.from->p2m, s.gfn) : NULL;
	if (n && n->uses && --n->uses == 0 && n->out)
		physmap_out_give(s.from, s.gfn);
}

static struct physmap_source source_of(const struct physmap *m, uint32_t frame)
{
	return m->source[frame / FRAME_CHUNK][frame % FRAME_CHUNK];
}

int physmap_remove_foreign(struct physmap *m, uint64_t gfn, uint16_t *owner)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	struct physmap_source s;

	if (e.kind != P2M_FOREIGN)
		return e.kind == P2M_NONE ? -ENOENT : -EBUSY;
	s = source_of(m, e.frame);
	*owner = s.owner;
	take_out(m, gfn, e.frame, s);
	return 0;
}

void physmap_unmap_granted(struct physmap *m, uint64_t gfn, const struct physmap *from)
{
	struct p2m_entry e = p2m_get(&m->p2m, gfn);
	struct physmap_source s;

	if (e.kind != P2M_FOREIGN)
		return;
	s = source_of(m, e.frame);
	if (s.from == from && s.owner == PHYSMAP_NOBODY)
		take_out(m, gfn, e.frame, s);
}
