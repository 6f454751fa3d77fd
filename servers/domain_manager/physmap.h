/*
 * A domain's guest-physical memory: the record (p2m.h), the frames (frame_store.h) and their two mappings, in the second-level tables and, for memory of the
 * domain's own, in its vmm's address space. Only we change them; no vmm takes part.
 */
#ifndef DOMAIN_MANAGER_PHYSMAP_H
#define DOMAIN_MANAGER_PHYSMAP_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/frame_store.h"
#include "servers/domain_manager/object_pool.h"
#include "servers/domain_manager/p2m.h"

#define PHYSMAP_NOBODY UINT16_MAX
#define PHYSMAP_NOT_RAM UINT64_MAX

struct physmap {
	struct domain_heap *heap;
	struct p2m p2m;
	struct object_pool pool;
	struct frame_store frames;
	uint32_t slot_ept, slot_vspace; /* our copies of the EPT root and of the vmm's VSpace */
	uint32_t slot_scratch[4];	/* empty between operations */
	uint32_t nowhere;		/* frame that the vmm has where its guest gave pages back: nothing of it is used; UINT32_MAX: not made yet */
	uint32_t taken;			/* places from which physmap_take_away took something */
	uint64_t most;			/* pages that it may hold: those that are out, or still to come, included */
	uint64_t foreign_elsewhere;	/* pages of ours that other domains have mapped */
	uint64_t pod_cache;		/* pages that are kept for places of kind P2M_POD */
	uint64_t claim;			/* pages that are kept for it until its maker has them populated */
	uint64_t kept, promised;	/* for these two, at root and in the page store */
	uint64_t singles;		/* pages of the page store that it has */
	uint64_t tables, vmm_tables;	/* of the second level, and of its vmm's address space for the same memory */
	uint64_t tables_most;		/* of each */
	uint32_t hint;			/* page_store_take */
	uint32_t **single;		/* by frame, FRAME_CHUNK in each: a page of the page store, and 1; 0: none. NULL where there is none */
	uint32_t single_chunks;
	struct physmap_source **source;	/* of foreign pages, by frame: FRAME_CHUNK in each, NULL where there is none */
	uint32_t sources;
};

/* Whose page a foreign one is. */
struct physmap_source {
	struct physmap *from; /* NULL: not of its guest-physical memory */
	uint64_t gfn;	      /* PHYSMAP_NOT_RAM: nothing is held for it */
	uint16_t owner; /* PHYSMAP_NOBODY for one that is accounted for otherwise */
};

/*
 * Takes slots of ours. 0 or -ENOMEM. physmap_release gives back what is not of the account, which is freed next, with the copies of it: no other domain has a page of it
 * any more. physmap_end gives all back, when the account was freed.
 */
int physmap_init(struct physmap *m, struct domain_heap *heap, uint32_t account, uint32_t slot_ept, uint32_t slot_vspace);
void physmap_release(struct physmap *m);
void physmap_end(struct physmap *m);

/* New zeroed memory of 2^order pages (order 0 or P2M_LARGE_ORDER) at gfn. 0, -EEXIST, -EINVAL, -ENOMEM. */
int physmap_populate(struct physmap *m, uint64_t gfn, unsigned order);
/*
 * Ballooning. A page of RAM is given back by the guest, or comes where none is: one was given back, or never was any. A large frame is split for it, and its block is
 * the page store's from then on. The page goes there at once, or when no other domain has a page of its 2 MiB any more: until then it is held, and the domain never
 * holds more than it may. While more pages are to be populated on demand than are kept for that, one more is kept for each that is given back.
 * -ENOENT (there is no such page), -EEXIST (something else is there), -ENOMEM.
 */
int physmap_out(struct physmap *m, uint64_t gfn);
int physmap_in(struct physmap *m, uint64_t gfn);

/* What the domain has, of which it is told that it is its memory: pages that are there, and those kept to be populated on demand. */
uint64_t physmap_pages(const struct physmap *m);
/*
 * What is kept, at root or, where that has no more, in the page store, follows pod_cache and claim. -ENOMEM: there is less; what was kept before still is. What is kept
 * no longer is to come by frames of this order: large ones from root, single ones from the store first.
 */
int physmap_keep(struct physmap *m, unsigned order);
/* False: what is kept for it is single pages by now. Large ones would take what its single ones need, for their capabilities and tables. */
bool physmap_may_be_large(const struct physmap *m);

/* ---- populate on demand (physmap_pod.c) ---- */
/* A page, or 512 of them, is to come at gfn when it is looked for. -EEXIST, -EINVAL, -ENOMEM. */
int physmap_pod_mark(struct physmap *m, uint64_t gfn, unsigned order);
/*
 * The domain is to have so many pages: the cache follows as Xen's does (pod_cache.h). -ENOMEM: it would have more than `most` then, or root has
 * not so much; nothing changed.
 */
int physmap_pod_target(struct physmap *m, uint64_t target, uint64_t most);
/* If a page is to come at gfn, it is there afterwards. -ENOSPC: none is kept any more, which is the domain's end; -ENOMEM. */
int physmap_pod_need(struct physmap *m, uint64_t gfn);
/* A page of RAM was given back: while more are to come than are kept for that, one more is kept. */
void physmap_pod_spare(struct physmap *m);
/* A page that is to come at gfn never will. */
int physmap_pod_forget(struct physmap *m, uint64_t gfn);
/*
 * The vmm will find something at its TASK_RAM_VADDR + gfn's address from now on. *what: PHYSMAP_RAM: its guest has memory there; PHYSMAP_WHOLE: the same holds for all of
 * the aligned 2 MiB. -ENOENT: there is nothing; else as physmap_pod_need.
 */
#define PHYSMAP_RAM   1u
#define PHYSMAP_WHOLE 2u
int physmap_vmm_finds(struct physmap *m, uint64_t gfn, uint64_t *what);

/* Takes a page of its own memory out (P2M_RAM). -ENOENT; -EBUSY for a page inside a large frame, or near one that others use, or one of another kind. */
int physmap_remove(struct physmap *m, uint64_t gfn);
/* The same of a foreign one, whose owner is told. -ENOENT; -EBUSY for a page of another kind. */
int physmap_remove_foreign(struct physmap *m, uint64_t gfn, uint16_t *owner);
/* Takes out what physmap_foreign put there of `from` with owner PHYSMAP_NOBODY. Anything else that its guest has put there meanwhile stays. */
void physmap_unmap_granted(struct physmap *m, uint64_t gfn, const struct physmap *from);
/* Page gfn of `from` appears at `at` of m, which has nothing there, with write access or without. 0, -ENOENT, -EEXIST, -EINVAL, -ENOMEM. */
int physmap_foreign(struct physmap *m, uint64_t at, struct physmap *from, uint64_t gfn, bool write, uint16_t owner);
/* The same of a page that need not be in from's memory: a frame of its store. */
int physmap_foreign_frame(struct physmap *m, uint64_t at, struct physmap *from, uint32_t frame, bool write, uint16_t owner);

/*
 * Page gfn of its own memory (RAM or one of P2M_XEN) is at *at, for us to read and write, until the same side is looked at again or anything but a look is done to m. It is
 * hostile memory that changes while it is looked at. -ENOENT, -ENOMEM.
 */
#define PHYSMAP_SIDES 2u /* of a copy */
int physmap_look(struct physmap *m, uint64_t gfn, unsigned side, uint8_t **at);

/* A new zeroed page that is not in the guest's memory yet: its number in the store. 0 or -ENOMEM. */
int physmap_frame(struct physmap *m, uint32_t *frame);
/* It appears at gfn (P2M_XEN), where nothing is, to guest and vmm. 0, -EEXIST, -EINVAL, -ENOMEM. */
int physmap_place(struct physmap *m, uint64_t gfn, uint32_t frame);
/*
 * It is taken from gfn, and stays in the store. The vmm finds something there for as long as the domain lives, since a thread of it may just be looking; that has
 * a limit: -ENOMEM, and nothing changed.
 */
#define PHYSMAP_TAKEN_MAX 1024u
int physmap_take_away(struct physmap *m, uint64_t gfn);
/* A frame in a slot of ours is mapped read-write into the vmm's address space; tables come out of the domain's account. 0, -EEXIST, -EINVAL, -ENOMEM. */
int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr);

#endif
