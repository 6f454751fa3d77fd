/* Frames: invocations, and the end of a mapping. Called by the memory objects only. */
#ifndef OBJECT_FRAME_H
#define OBJECT_FRAME_H

#include "cap/cte.h"

exception_t frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap);
/* Takes a FRAME_VSPACE mapping away, if it is still there. */
void frame_unmap(cap_t cap);

/* ---- frame_split.c: extensions ---- */

/* InsulaFrameDerive: a child capability to a part of the frame. */
exception_t frame_derive(unsigned length, struct cte *slot, cap_t cap);
/* What it would make of message words 0 to 4 and the first extra capability, and in which slot. Changes nothing. */
struct frame_part {
	cap_t cap; /* not mapped */
	struct cte *dest;
};
exception_t frame_derive_check(struct cte *slot, cap_t cap, struct frame_part *part);
/* InsulaFrameSplit. */
exception_t frame_split(unsigned length, struct cte *slot, cap_t cap);
/*
 * The two kinds of space, for frame_split: is the large frame's mapping still there; may this capability's table take its place; and the
 * replacement: the table is filled, one store puts it in, all CPUs forget the large page, *table says where it is now.
 */
struct frame_space {
	bool (*mapped)(cap_t frame);
	bool (*is_table)(cap_t table, unsigned level);
	void (*replace)(cap_t frame, struct cte *table);
};
extern const struct frame_space frame_space_vspace, frame_space_ept; /* vspace_split.c, ept.c */

/*
 * What a mapped capability maps: entries [first, end) of this level, counted from the one at its address. That is one entry, unless the
 * frame is being split: then those of its parts that have no capability of their own yet.
 */
#define FRAME_PARTS 512u
struct frame_entries {
	unsigned level, first, end;
};
static inline struct frame_entries frame_entries(cap_t cap)
{
	unsigned split = (unsigned)cap_frame_split(cap), level = (unsigned)cap_frame_size(cap) + 1;

	return split ? (struct frame_entries){level - 1, split - 1, FRAME_PARTS} : (struct frame_entries){level, 0, 1};
}

/* Frame size as the level of the entry that maps it: 1, 2, 3. */
static inline unsigned frame_level(cap_t cap)
{
	return (unsigned)cap_frame_size(cap) + 1;
}

/* The rights of a mapping: those of the capability and of the rights word (seL4 encoding). Write alone is nothing. */
static inline unsigned frame_rights(cap_t cap, word_t word)
{
	unsigned r = (unsigned)cap_frame_rights(cap) & (unsigned)(word & (CAP_RIGHT_READ | CAP_RIGHT_WRITE));

	return r & CAP_RIGHT_READ ? r : 0;
}

/* The VSpace checks of Map, in two steps, as seL4 orders them (vspace.c). InvalidCapability 1 or FailedLookup. */
exception_t vspace_check_assigned(cap_t cap);
exception_t vspace_check_live(cap_t cap);

#endif
