/*
 * Grant tables, version 1 (xen/include/public/grant_table.h): the frames of each domain's table, which are ours to read, and what other domains have mapped by
 * them. An entry is the granting guest's memory: it is read once, by compare and exchange where its flags are set.
 *
 * Errors are Xen's: GNTST_* as the guest finds them.
 */
#ifndef DOMAIN_MANAGER_GRANT_H
#define DOMAIN_MANAGER_GRANT_H

#include <stdbool.h>
#include <stdint.h>

struct domain;
struct grant_table;

#define GRANT_FRAMES_MAX    64u
#define GRANT_MAPTRACK_MAX 1024u /* frames of Xen's, of 256 handles each: what a domain may have mapped at once, at most and by default */

/* Frame `index` of the domain's table, made if it is not there yet: the frame's number in the domain's store. 0, -EINVAL (beyond the maximum), -ENOMEM. */
int grant_frame(struct domain *d, uint32_t index, uint32_t *frame);
/* The frame appears at gfn of its domain (and nowhere else of it any more). 0; -EINVAL, -EEXIST, -ENOMEM: it is where it was, if there is memory for that. */
int grant_place(struct domain *d, uint32_t index, uint64_t gfn);
uint32_t grant_frames(const struct domain *d);

/* Maps what `from` has granted to d at d's page gfn. A GNTST_* value; *handle when it is GNTST_okay. */
int16_t grant_map(struct domain *d, uint64_t gfn, uint32_t from, uint32_t ref, uint32_t flags, uint32_t *handle);
int16_t grant_unmap(struct domain *d, uint64_t gfn, uint32_t handle);

/* One side of a copy, as d names it. */
struct grant_buffer {
	uint64_t page;	 /* a grant reference of the domain's table, or a page of d's own memory */
	uint16_t domain; /* DOMID_SELF: d */
	uint16_t offset; /* in the page */
	bool is_ref;
};
/* Copies within one page on each side. A GNTST_* value. */
int16_t grant_copy(struct domain *d, const struct grant_buffer *source, const struct grant_buffer *dest, uint32_t bytes);

/* What a handle costs the heap of the domain that maps, in bytes: what is noted of it, of the page and of its place. */
#define GRANT_HANDLE_BYTES 56u

/* The domain, none of whose threads runs again, ends: a part of what it has mapped is released, so that the granting domains see it. False: there is more. */
bool grant_release(struct domain *d);
/* After its account was freed. */
void grant_end(struct domain *d);

#endif
