/*
 * Untyped memory: retype, reset, clearing. The only source of kernel objects.
 *
 * Memory is cleared when it is handed out, in preemptible steps; `cleared` in the capability says
 * how far beyond `free` it is known to be zero, so that a restarted retype goes on. The memory of child
 * Untypeds is not cleared: they clear what they hand out themselves. Boot modules: UNTYPED_KEEP.
 *
 * The window. A page of RAM is present in the kernel window only while it holds kernel objects (or is held by
 * window_ref). That frames never are follows from:
 *  - a page enters the window when kernel objects are made in it, and leaves it when an Untyped of a page or
 *    more that covers it is reset, that is when nothing made from it exists any more;
 *  - an Untyped hands out memory once between two resets, and a new child Untyped covers memory that its
 * parent has not handed out since its own reset: so what lies beyond `free` is not in the window, up to the
 *    rest of a page that kernel objects or small Untypeds before `free` share, and up to `stale` below;
 *  - a frame starts at a page boundary at or beyond `free`, never in such a shared page;
 *  - Untypeds below a page share theirs with siblings, so they never unmap at reset; no frame fits into them,
 * and the page goes with the reset of an ancestor;
 *  - a copy of an Untyped makes the source full: the source hands out memory again only after a reset of the
 * whole.
 */
#ifndef CAP_UNTYPED_H
#define CAP_UNTYPED_H

#include "cap/cte.h"

/*
 * `cleared` of a boot module's Untyped: frames made from it keep their content until its first reset. Kernel
 * objects never do: they are cleared, and with the first of them the Untyped becomes an ordinary one.
 */
#define UNTYPED_KEEP 0xfffffu

exception_t untyped_decode(word_t label, unsigned length, struct cte *slot, cap_t cap);
/*
 * Turns a whole 4 KiB Untyped (RAM, no children) into memory of a kernel object that is not made by retype
 * (ASID pool): zero, in the window, the Untyped full. The caller inserts the object's capability with
 * cte_insert_new.
 */
void untyped_take_page(struct cte *slot);

/* Bytes per unit of the `cleared` field. */
static inline uint64_t untyped_clear_unit(unsigned bits)
{
	return bits > 36 ? BIT(bits - 20) : BIT(16);
}

/* The capability of an Untyped whose memory is a boot module. */
static inline cap_t cap_untyped_new_module(paddr_t p, unsigned bits)
{
	return cap_untyped_with_cleared(cap_untyped_new(p, bits, false), UNTYPED_KEEP);
}

#endif
