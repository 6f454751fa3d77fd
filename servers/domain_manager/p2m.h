/*
 * The record of what lies where in a domain's guest-physical memory: for each page a kind and a frame's number (frame_store.h). Pure: it
 * knows neither capabilities nor mappings. Memory for it comes from the domain's heap: 40 bytes for 2 MiB, and 2 KiB more where these are not one large frame.
 */
#ifndef DOMAIN_MANAGER_P2M_H
#define DOMAIN_MANAGER_P2M_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/domain_heap.h"

#define P2M_LARGE_ORDER 9u /* log2 of the pages in a large frame */
#define P2M_LARGE_PAGES (1u << P2M_LARGE_ORDER)
#define P2M_GFN_LIMIT	(1ull << 34) /* 46 bits of guest-physical address */
#define P2M_FRAME_LIMIT (1u << 28)

enum p2m_kind {
	P2M_NONE = 0,
	P2M_RAM,     /* the domain's own memory */
	P2M_XEN,     /* a page that a hypervisor gives: grant table, shared information; the frame is of the domain's account */
	P2M_FOREIGN, /* a page of another domain */
	P2M_OUT,     /* the guest gave its page back (ballooning), and it is still held: others use pages of its 2 MiB, or it is of the domain's account */
	P2M_POD,     /* there is a page when one is looked for first (populate on demand); no frame yet */
	P2M_GIVEN,   /* the guest gave its page back, and it is gone; the frame's number is kept for when it wants one there again */
	P2M_KINDS,
};

struct p2m_entry {
	enum p2m_kind kind;
	bool large;     /* the frame is the whole aligned 2 MiB */
	uint32_t frame;
};

struct p2m_region;
struct p2m {
	struct domain_heap *heap;
	struct p2m_region *region; /* ascending */
	uint32_t count, room;
	uint32_t last;	 /* a region's number, which was wanted last: looked at first */
	uint32_t empty;	 /* index of a region in which nothing is any more; UINT32_MAX: none. It stays for the page that comes and goes alone */
	uint32_t *spare; /* words for a region, all 0, or NULL: those of an empty one that had to go */
	uint64_t pages[P2M_KINDS]; /* by kind */
};

/* What is noted of an aligned 2 MiB in which something is. */
struct p2m_note {
	uint64_t block; /* of the account, which is all of it; 0: none */
	uint32_t uses;  /* of its pages by other domains */
	uint16_t out;   /* pages of kind P2M_OUT */
	bool whole;     /* it was populated as one: its vmm finds something at all of it, for as long as the domain lives */
};

void p2m_init(struct p2m *p, struct domain_heap *heap);
void p2m_free(struct p2m *p);

/* kind P2M_NONE where nothing is, or gfn is out of range. */
struct p2m_entry p2m_get(const struct p2m *p, uint64_t gfn);

/* Only where nothing is, and within P2M_GFN_LIMIT; a large one at a multiple of P2M_LARGE_PAGES. 0, -EEXIST, -EINVAL, -ENOMEM. */
int p2m_set(struct p2m *p, uint64_t gfn, struct p2m_entry e);
/* Takes a page out, or the whole large frame if gfn lies in one. -ENOENT if nothing is there. */
int p2m_clear(struct p2m *p, uint64_t gfn);
/* A large frame's place is taken by 512 pages: frames first, first + 1, ... -ENOENT if there is no large frame. */
int p2m_split(struct p2m *p, uint64_t gfn, uint32_t first);

/* A page of kind P2M_RAM becomes P2M_OUT, or the other way round. -ENOENT if it is not of that kind, or in a large frame. */
int p2m_out(struct p2m *p, uint64_t gfn);
int p2m_in(struct p2m *p, uint64_t gfn);
/* A page of kind P2M_OUT becomes P2M_GIVEN, or one of that kind P2M_RAM. -ENOENT if it is not of that kind. */
int p2m_give(struct p2m *p, uint64_t gfn);
int p2m_replace(struct p2m *p, uint64_t gfn);
/* NULL where nothing is. Good until something is set or cleared. */
struct p2m_note *p2m_note(struct p2m *p, uint64_t gfn);

/* The first page at or above gfn where something is; false if there is none. */
bool p2m_next(const struct p2m *p, uint64_t gfn, uint64_t *found);

#endif
