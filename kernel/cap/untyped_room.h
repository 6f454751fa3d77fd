/*
 * Where in an Untyped objects go. Pure arithmetic on its capability, in bytes from its start; what makes the
 * objects is untyped.c.
 */
#ifndef CAP_UNTYPED_ROOM_H
#define CAP_UNTYPED_ROOM_H

#include "cap/cap.h"

static inline uint64_t untyped_size(cap_t u)
{
	return BIT(cap_untyped_bits(u));
}

static inline paddr_t untyped_at(cap_t u, uint64_t offset)
{
	return paddr(cap_untyped_ptr(u) + offset);
}

/* Forgets what is known about memory beyond `free`. Not with stale pages there. */
static inline cap_t untyped_unknown(cap_t u)
{
	return cap_untyped_with_made(cap_untyped_with_stale(cap_untyped_with_cleared(u, 0), 0), 0);
}

/* Bytes that it can still hand out. */
static inline uint64_t untyped_left(cap_t u, bool reset)
{
	return untyped_size(u) - (reset ? 0 : cap_untyped_free(u));
}

/* Whole objects only; and since sizes are powers of two, alignment costs none of these. */
static inline bool untyped_has_room(cap_t u, bool reset, unsigned object_bits, unsigned count)
{
	return untyped_left(u, reset) >> object_bits >= count;
}

static inline uint64_t untyped_align_up(uint64_t offset, unsigned object_bits)
{
	return (offset + MASK(object_bits)) >> object_bits << object_bits;
}

/* Offset of the first object that is made next, and of object i of those from `base`. */
static inline uint64_t untyped_base(cap_t u, unsigned object_bits)
{
	return untyped_align_up(cap_untyped_free(u), object_bits);
}

static inline uint64_t untyped_offset(uint64_t base, unsigned i, unsigned object_bits)
{
	return base + ((uint64_t)i << object_bits);
}

#endif
