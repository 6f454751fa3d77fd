#include "servers/domain_manager/grant.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_private.h"
#include "user/slot.h"
#include "user/vspace.h"
#include <xen/xen.h>
#include <xen/grant_table.h>

#define ENTRIES	     (4096u / sizeof(grant_entry_v1_t)) /* in a frame */
#define FRAMES_VADDR (TASK_SHARED_VADDR + 0x80000000ull)
#define WINDOW_LIMIT 16384u /* frames that we have mapped at once, of all domains */
#define HANDLES_IN   256u /* a maptrack frame of Xen's */
#define RELEASE_STEP 1024u /* handles that are looked at before others are served */
#define USES_MAX     128u	/* of one entry to read, and as many to write: what Xen's counters hold */
#define NO_FRAME     UINT32_MAX
#define NO_HANDLE    UINT32_MAX

/* How often an entry is mapped or being copied. While it is, it stands for the page and the domain that it named at first, whatever it says now. */
struct grant_use {
	uint8_t read, write; /* 0..USES_MAX */
	uint16_t by;
	uint32_t gfn;
};

struct grant_frame {
	uint32_t frame; /* in the store, or NO_FRAME */
	uint64_t gfn;	/* where its domain has placed it; UINT64_MAX: nowhere */
	grant_entry_v1_t *entry; /* in our address space */
	uint32_t slot, window;
	struct grant_use *use; /* NULL until one is mapped */
};

struct grant_mapping {
	struct domain *from; /* NULL: the handle is free */
	uint64_t gfn;
	uint32_t ref; /* of a free one: the next free */
	bool write;
};

struct grant_table {
	struct grant_frame frame[GRANT_FRAMES_MAX];
	uint32_t frames;
	/* Of others' entries, by handle: so many frames, each made when those before it are full. */
	struct grant_mapping **maptrack;
	uint32_t maptracks, free_handle;
	uint32_t released; /* grant_release has seen to the handles below */
};

static uint32_t handles(const struct grant_table *t)
{
	return t->maptracks * HANDLES_IN;
}

/* NULL: there is no such handle, or it is free. */
static struct grant_mapping *mapping_of(const struct grant_table *t, uint32_t handle)
{
	struct grant_mapping *m;

	if (!t || handle >= handles(t))
		return NULL;
	m = &t->maptrack[handle / HANDLES_IN][handle % HANDLES_IN];
	return m->from ? m : NULL;
}

static uint64_t windows[WINDOW_LIMIT / 64];

static uint32_t window_take(void)
{
	for (uint32_t w = 0; w < WINDOW_LIMIT / 64; w++)
		if (~windows[w]) {
			uint32_t bit = (uint32_t)__builtin_ctzll(~windows[w]);

			windows[w] |= 1ull << bit;
			return w * 64 + bit;
		}
	return WINDOW_LIMIT;
}

static void window_give(uint32_t n)
{
	windows[n / 64] &= ~(1ull << (n % 64));
}

static struct grant_table *table_of(struct domain *d)
{
	if (!d->grants) {
		d->grants = domain_heap_alloc(&d->heap, 1, sizeof(*d->grants));
		if (d->grants) {
			d->grants->free_handle = NO_HANDLE;
			domain_heap_allow_more(&d->heap, d->maptrack_frames * HANDLES_IN * GRANT_HANDLE_BYTES);
		}
		for (uint32_t i = 0; d->grants && i < GRANT_FRAMES_MAX; i++)
			d->grants->frame[i] = (struct grant_frame){.frame = NO_FRAME, .gfn = UINT64_MAX};
	}
	return d->grants;
}

/* ---- frames ---- */

/* A copy of the frame in our address space, to read entries by. */
static int frame_look(struct domain *d, struct grant_frame *f)
{
	struct frame_place p = frame_store_place(&d->map.frames, f->frame, FRAME_OWNER);
	int r;

	f->window = window_take();
	f->slot = f->window < WINDOW_LIMIT ? (uint32_t)slot_alloc() : 0;
	if (!f->slot)
		return -ENOMEM;
	if (seL4_CNode_Copy(TASK_SLOT_CNODE, f->slot, seL4_WordBits, p.root, p.index, p.depth, seL4_AllRights))
		return -ENOMEM;
	r = vspace_map(f->slot, FRAMES_VADDR + f->window * 4096ull, true, false);
	if (!r)
		f->entry = (grant_entry_v1_t *)(FRAMES_VADDR + f->window * 4096ull);
	return r;
}

static void frame_forget(struct domain *d, struct grant_frame *f)
{
	if (f->slot) {
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, f->slot, seL4_WordBits);
		slot_free(f->slot);
	}
	if (f->frame != NO_FRAME && f->window < WINDOW_LIMIT)
		window_give(f->window);
	domain_heap_free(&d->heap, f->use);
	*f = (struct grant_frame){.frame = NO_FRAME, .gfn = UINT64_MAX};
}

int grant_frame(struct domain *d, uint32_t index, uint32_t *frame)
{
	struct grant_table *t = table_of(d);
	struct grant_frame *f;
	int r;

	if (!t)
		return -ENOMEM;
	if (index >= d->grant_frames_max)
		return -EINVAL;
	f = &t->frame[index];
	if (f->frame == NO_FRAME) {
		r = physmap_frame(&d->map, &f->frame);
		if (r) {
			f->frame = NO_FRAME;
			return r;
		}
		r = frame_look(d, f);
		if (r) {
			uint32_t made = f->frame;

			frame_forget(d, f);
			frame_store_give(&d->map.frames, made);
			return r;
		}
	}
	if (index >= t->frames)
		t->frames = index + 1;
	*frame = f->frame;
	return 0;
}

int grant_place(struct domain *d, uint32_t index, uint64_t gfn)
{
	uint32_t frame;
	int r = grant_frame(d, index, &frame);
	struct grant_frame *f;

	if (r)
		return r;
	f = &d->grants->frame[index];
	if (f->gfn == gfn)
		return 0;
	if (p2m_get(&d->map.p2m, gfn).kind != P2M_NONE)
		return -EEXIST;
	if (f->gfn != UINT64_MAX) {
		r = physmap_take_away(&d->map, f->gfn);
		if (r)
			return r;
	}
	r = physmap_place(&d->map, gfn, frame);
	if (!r)
		f->gfn = gfn;
	else if (f->gfn != UINT64_MAX && physmap_place(&d->map, f->gfn, frame))
		f->gfn = UINT64_MAX;
	return r;
}

uint32_t grant_frames(const struct domain *d)
{
	return d->grants ? d->grants->frames : 0;
}

/* ---- entries ---- */

static grant_entry_v1_t *entry_of(struct domain *d, uint32_t ref, struct grant_use **use)
{
	struct grant_frame *f;

	if (!d->grants || ref / ENTRIES >= d->grants->frames)
		return NULL;
	f = &d->grants->frame[ref / ENTRIES];
	if (!f->entry)
		return NULL;
	if (!f->use)
		f->use = domain_heap_alloc(&d->heap, ENTRIES, sizeof(f->use[0]));
	if (!f->use)
		return NULL;
	*use = &f->use[ref % ENTRIES];
	return &f->entry[ref % ENTRIES];
}

/* Marks the entry as used for reading or writing, if it grants that to `to`. */
static int16_t entry_mark(grant_entry_v1_t *e, const struct grant_use *use, uint32_t to, bool write)
{
	bool pinned = use->read || use->write;
	uint32_t *word = (uint32_t *)(void *)e, seen = __atomic_load_n(word, __ATOMIC_ACQUIRE), now;

	do {
		uint16_t flags = (uint16_t)seen;

		if (!pinned && ((flags & (GTF_type_mask | GTF_sub_page | GTF_PWT | GTF_PCD | GTF_PAT)) != GTF_permit_access || seen >> 16 != to))
			return GNTST_general_error;
		if (write && (flags & GTF_readonly))
			return GNTST_general_error;
		now = seen | GTF_reading | (write ? GTF_writing : 0);
	} while (!__atomic_compare_exchange_n(word, &seen, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return GNTST_okay;
}

/* One more use of the entry by `to`, as Xen's active entries count them. */
static int16_t entry_pin(grant_entry_v1_t *e, struct grant_use *use, uint32_t to, bool write)
{
	bool pinned = use->read || use->write;
	int16_t status;

	if (pinned && (use->by != to || use->read == USES_MAX || use->write == USES_MAX))
		return GNTST_general_error;
	if (!pinned || (write && !use->write)) {
		status = entry_mark(e, use, to, write);
		if (status != GNTST_okay)
			return status;
	}
	if (!pinned) {
		use->by = (uint16_t)to;
		use->gfn = __atomic_load_n(&e->frame, __ATOMIC_ACQUIRE);
	}
	*(write ? &use->write : &use->read) += 1;
	return GNTST_okay;
}

static void entry_unpin(grant_entry_v1_t *e, struct grant_use *use, bool write)
{
	uint32_t clear = 0;

	*(write ? &use->write : &use->read) -= 1;
	if (!use->write)
		clear |= GTF_writing;
	if (!use->read && !use->write)
		clear |= GTF_reading;
	__atomic_fetch_and((uint32_t *)(void *)e, ~clear, __ATOMIC_ACQ_REL);
}

/* ---- mappings ---- */

/* One more frame of handles, all free. */
static int maptrack_more(struct domain *d)
{
	struct grant_table *t = d->grants;
	struct grant_mapping *more;

	if (t->maptracks >= d->maptrack_frames)
		return -ENOSPC;
	if (!t->maptrack)
		t->maptrack = domain_heap_alloc(&d->heap, d->maptrack_frames, sizeof(*t->maptrack));
	more = t->maptrack ? domain_heap_alloc(&d->heap, HANDLES_IN, sizeof(*more)) : NULL;
	if (!more)
		return -ENOMEM;
	for (uint32_t i = 0; i < HANDLES_IN; i++)
		more[i].ref = i + 1 < HANDLES_IN ? handles(t) + i + 1 : NO_HANDLE;
	t->free_handle = handles(t);
	t->maptrack[t->maptracks++] = more;
	return 0;
}

static int handle_take(struct domain *d, uint32_t *handle)
{
	struct grant_table *t = d->grants;
	int r = t->free_handle == NO_HANDLE ? maptrack_more(d) : 0;

	if (r)
		return r;
	*handle = t->free_handle;
	t->free_handle = t->maptrack[*handle / HANDLES_IN][*handle % HANDLES_IN].ref;
	return 0;
}

static void handle_set(struct grant_table *t, uint32_t handle, struct grant_mapping m)
{
	t->maptrack[handle / HANDLES_IN][handle % HANDLES_IN] = m;
}

static void handle_give(struct grant_table *t, uint32_t handle)
{
	handle_set(t, handle, (struct grant_mapping){.ref = t->free_handle});
	t->free_handle = handle;
}

static int16_t map_entry(struct domain *d, uint64_t gfn, struct domain *granter, uint32_t ref, bool write)
{
	struct grant_use *use;
	grant_entry_v1_t *e = entry_of(granter, ref, &use);
	int16_t status;
	int r;

	if (!e)
		return GNTST_bad_gntref;
	status = entry_pin(e, use, d->id, write);
	if (status != GNTST_okay)
		return status;
	r = physmap_foreign(&d->map, gfn, &granter->map, use->gfn, write, PHYSMAP_NOBODY);
	if (!r)
		return GNTST_okay;
	entry_unpin(e, use, write);
	return r == -ENOENT ? GNTST_bad_page : r == -ENOMEM ? GNTST_no_space : GNTST_general_error;
}

int16_t grant_map(struct domain *d, uint64_t gfn, uint32_t from, uint32_t ref, uint32_t flags, uint32_t *handle)
{
	struct domain *granter;
	bool write = !(flags & GNTMAP_readonly);
	int16_t status;

	if (!(flags & (GNTMAP_host_map | GNTMAP_device_map)))
		return GNTST_bad_gntref;
	if (flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte))
		return GNTST_general_error;
	granter = domain_find(from);
	if (!granter || granter->dying)
		return GNTST_bad_domain;
	if (!table_of(d) || handle_take(d, handle))
		return GNTST_no_space;
	status = map_entry(d, gfn, granter, ref, write);
	if (status != GNTST_okay) {
		handle_give(d->grants, *handle);
		return status;
	}
	handle_set(d->grants, *handle, (struct grant_mapping){.from = granter, .ref = ref, .gfn = gfn, .write = write});
	if (granter != d)
		granter->map.foreign_elsewhere++;
	return GNTST_okay;
}

/* The mapping of a handle that is not free ends. */
static void release(struct domain *d, uint32_t handle)
{
	struct grant_mapping m = *mapping_of(d->grants, handle);
	struct grant_use *use;
	grant_entry_v1_t *e = entry_of(m.from, m.ref, &use);

	physmap_unmap_granted(&d->map, m.gfn, &m.from->map);
	if (e)
		entry_unpin(e, use, m.write);
	handle_give(d->grants, handle);
	if (m.from != d)
		domain_foreign_gone(m.from);
}

int16_t grant_unmap(struct domain *d, uint64_t gfn, uint32_t handle)
{
	const struct grant_mapping *m = mapping_of(d->grants, handle);

	if (!m)
		return GNTST_bad_handle;
	if (m->gfn != gfn)
		return GNTST_general_error;
	release(d, handle);
	return GNTST_okay;
}

/* ---- copying ---- */

/* A side of a copy while it is done: a page in our address space, and the entry that allows it. */
struct side {
	struct domain *of;
	grant_entry_v1_t *entry;
	struct grant_use *use;
	bool write;
	uint8_t *at;
};

static int16_t side_find(struct side *s, struct domain *d, const struct grant_buffer *b)
{
	/* only of its own memory does a domain name pages */
	if (b->domain != DOMID_SELF && !b->is_ref)
		return GNTST_permission_denied;
	s->of = b->domain == DOMID_SELF ? d : domain_find(b->domain);
	return s->of && !s->of->dying ? GNTST_okay : GNTST_bad_domain;
}

static int16_t side_open(struct side *s, struct domain *d, const struct grant_buffer *b, unsigned n)
{
	uint64_t gfn = b->page;
	int r;

	if (b->is_ref) {
		int16_t status;

		s->entry = b->page <= UINT32_MAX ? entry_of(s->of, (uint32_t)b->page, &s->use) : NULL;
		status = s->entry ? entry_pin(s->entry, s->use, d->id, s->write) : GNTST_bad_gntref;
		if (status != GNTST_okay) {
			s->entry = NULL;
			return status;
		}
		gfn = s->use->gfn;
	}
	r = physmap_look(&s->of->map, gfn, n, &s->at);
	return !r ? GNTST_okay : r == -ENOENT ? GNTST_bad_page : GNTST_general_error;
}

static void side_close(struct side *s)
{
	if (s->entry)
		entry_unpin(s->entry, s->use, s->write);
}

int16_t grant_copy(struct domain *d, const struct grant_buffer *source, const struct grant_buffer *dest, uint32_t bytes)
{
	struct side from = {.write = false}, to = {.write = true};
	int16_t status = side_find(&from, d, source);

	if (status == GNTST_okay)
		status = side_find(&to, d, dest);
	if (status == GNTST_okay)
		status = side_open(&from, d, source, 0);
	if (status == GNTST_okay)
		status = side_open(&to, d, dest, 1);
	if (status == GNTST_okay && (source->offset + bytes > 4096u || dest->offset + bytes > 4096u))
		status = GNTST_bad_copy_arg;
	if (status == GNTST_okay)
		memmove(to.at + dest->offset, from.at + source->offset, bytes);
	side_close(&to);
	side_close(&from);
	return status;
}

bool grant_release(struct domain *d)
{
	struct grant_table *t = d->grants;

	for (uint32_t i = 0; t && i < RELEASE_STEP && t->released < handles(t); i++, t->released++)
		if (mapping_of(t, t->released))
			release(d, t->released);
	return !t || t->released == handles(t);
}

void grant_end(struct domain *d)
{
	if (!d->grants)
		return;
	for (uint32_t i = 0; i < GRANT_FRAMES_MAX; i++)
		frame_forget(d, &d->grants->frame[i]);
	for (uint32_t i = 0; i < d->grants->maptracks; i++)
		domain_heap_free(&d->heap, d->grants->maptrack[i]);
	domain_heap_free(&d->heap, d->grants->maptrack);
	domain_heap_free(&d->heap, d->grants);
	d->grants = NULL;
}
