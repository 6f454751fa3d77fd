#include "servers/domain_manager/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_private.h"
#include "user/slot.h"
#include "user/vspace.h"
#include <xen/xen.h>
#include <xen/grant_table.h>

#define ENTRIES	     (4096u / sizeof(grant_entry_v1_t)) /* in a frame */
#define RESERVED     8u
#define FRAMES_VADDR (TASK_SHARED_VADDR + 0x80000000ull)
#define WINDOW_LIMIT 16384u /* frames that we have mapped at once, of all domains */
#define HANDLES_MAX  (1u << 16)
#define NO_FRAME     UINT32_MAX

/* How often each entry of a frame is mapped by others. */
struct grant_use {
	uint16_t read, write;
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
	uint32_t ref;
	uint64_t gfn;
	bool write;
};

struct grant_table {
	struct grant_frame frame[GRANT_FRAMES_MAX];
	uint32_t frames;
	struct grant_mapping *mapping; /* of others' entries, by handle */
	uint32_t handles, mapped;
};

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
		d->grants = calloc(1, sizeof(*d->grants));
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

static void frame_forget(struct grant_frame *f)
{
	if (f->slot) {
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, f->slot, seL4_WordBits);
		slot_free(f->slot);
	}
	if (f->frame != NO_FRAME && f->window < WINDOW_LIMIT)
		window_give(f->window);
	free(f->use);
	*f = (struct grant_frame){.frame = NO_FRAME, .gfn = UINT64_MAX};
}

int grant_frame(struct domain *d, uint32_t index, uint32_t *frame)
{
	struct grant_table *t = table_of(d);
	struct grant_frame *f;
	int r;

	if (!t)
		return -ENOMEM;
	if (index >= GRANT_FRAMES_MAX)
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

			frame_forget(f);
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
	if (f->gfn != UINT64_MAX)
		physmap_take_away(&d->map, f->gfn);
	f->gfn = UINT64_MAX;
	r = physmap_place(&d->map, gfn, frame);
	if (!r)
		f->gfn = gfn;
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
		f->use = calloc(ENTRIES, sizeof(f->use[0]));
	if (!f->use)
		return NULL;
	*use = &f->use[ref % ENTRIES];
	return &f->entry[ref % ENTRIES];
}

static uint32_t entry_word(uint16_t flags, domid_t domid)
{
	return flags | (uint32_t)domid << 16;
}

/* Marks the entry as used for reading or writing, if it grants that to `to`. */
static int16_t entry_pin(grant_entry_v1_t *e, uint32_t to, bool write, uint64_t *gfn)
{
	uint32_t *word = (uint32_t *)(void *)e, seen = __atomic_load_n(word, __ATOMIC_ACQUIRE), now;

	do {
		uint16_t flags = (uint16_t)seen;

		if ((flags & GTF_type_mask) != GTF_permit_access || (flags & (GTF_sub_page | GTF_PWT | GTF_PCD | GTF_PAT)))
			return GNTST_general_error;
		if (seen >> 16 != to)
			return GNTST_general_error;
		if (write && (flags & GTF_readonly))
			return GNTST_general_error;
		now = seen | entry_word((uint16_t)(GTF_reading | (write ? GTF_writing : 0)), 0);
	} while (!__atomic_compare_exchange_n(word, &seen, now, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	*gfn = __atomic_load_n(&e->frame, __ATOMIC_ACQUIRE);
	return GNTST_okay;
}

static void entry_unpin(grant_entry_v1_t *e, const struct grant_use *use)
{
	uint32_t clear = 0;

	if (!use->write)
		clear |= GTF_writing;
	if (!use->read && !use->write)
		clear |= GTF_reading;
	if (clear)
		__atomic_fetch_and((uint32_t *)(void *)e, ~clear, __ATOMIC_ACQ_REL);
}

/* ---- mappings ---- */

static int handle_take(struct grant_table *t, uint32_t *handle)
{
	struct grant_mapping *more;
	uint32_t n;

	if (t->mapped < t->handles)
		for (uint32_t i = 0; i < t->handles; i++)
			if (!t->mapping[i].from) {
				*handle = i;
				return 0;
			}
	n = t->handles ? t->handles * 2 : 64;
	if (n > HANDLES_MAX)
		return -ENOSPC;
	more = realloc(t->mapping, n * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + t->handles, 0, (n - t->handles) * sizeof(*more));
	t->mapping = more;
	*handle = t->handles;
	t->handles = n;
	return 0;
}

int16_t grant_map(struct domain *d, uint64_t gfn, uint32_t from, uint32_t ref, uint32_t flags, uint32_t *handle)
{
	struct domain *granter = domain_find(from);
	struct grant_table *t = table_of(d);
	bool write = !(flags & GNTMAP_readonly);
	grant_entry_v1_t *e;
	struct grant_use *use;
	uint64_t page;
	int16_t status;
	int r;

	if (!granter || granter->dying || granter == d)
		return GNTST_bad_domain;
	if (!(flags & GNTMAP_host_map) || (flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte)))
		return GNTST_general_error;
	e = entry_of(granter, ref, &use);
	if (!e)
		return GNTST_bad_gntref;
	if (!t || handle_take(t, handle))
		return GNTST_no_space;
	if (use->read == UINT16_MAX || use->write == UINT16_MAX)
		return GNTST_general_error;
	status = entry_pin(e, d->id, write, &page);
	if (status != GNTST_okay)
		return status;
	r = physmap_foreign(&d->map, gfn, &granter->map, page, write, PHYSMAP_NOBODY);
	if (r) {
		entry_unpin(e, use);
		return r == -ENOMEM ? GNTST_no_space : GNTST_general_error;
	}
	*(write ? &use->write : &use->read) += 1;
	t->mapping[*handle] = (struct grant_mapping){.from = granter, .ref = ref, .gfn = gfn, .write = write};
	t->mapped++;
	granter->map.foreign_elsewhere++;
	return GNTST_okay;
}

static void release(struct domain *d, uint32_t handle)
{
	struct grant_mapping *m = &d->grants->mapping[handle];
	struct domain *from = m->from;
	struct grant_use *use;
	grant_entry_v1_t *e = entry_of(from, m->ref, &use);

	if (e) {
		*(m->write ? &use->write : &use->read) -= 1;
		entry_unpin(e, use);
	}
	m->from = NULL;
	d->grants->mapped--;
	domain_foreign_gone(from);
}

int16_t grant_unmap(struct domain *d, uint64_t gfn, uint32_t handle)
{
	uint16_t owner;

	if (!d->grants || handle >= d->grants->handles || !d->grants->mapping[handle].from)
		return GNTST_bad_handle;
	if (d->grants->mapping[handle].gfn != gfn)
		return GNTST_bad_virt_addr;
	(void)physmap_remove(&d->map, gfn, &owner);
	release(d, handle);
	return GNTST_okay;
}

void grant_release_all(struct domain *d)
{
	uint16_t owner;

	for (uint32_t i = 0; d->grants && i < d->grants->handles; i++)
		if (d->grants->mapping[i].from) {
			(void)physmap_remove(&d->map, d->grants->mapping[i].gfn, &owner);
			release(d, i);
		}
}

void grant_end(struct domain *d)
{
	if (!d->grants)
		return;
	for (uint32_t i = 0; i < GRANT_FRAMES_MAX; i++)
		frame_forget(&d->grants->frame[i]);
	free(d->grants->mapping);
	free(d->grants);
	d->grants = NULL;
}
