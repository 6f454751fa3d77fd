/* Frames: invocations, and the end of a mapping. Called by vspace.c and ept.c only. */
#ifndef OBJECT_FRAME_H
#define OBJECT_FRAME_H

#include "cap/cte.h"

exception_t frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap);
/* Takes a FRAME_VSPACE mapping away, if it is still there. */
void frame_unmap(cap_t cap);

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
