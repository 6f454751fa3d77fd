/*
 * Parts of frames (docs/extensions/): a page of a larger frame mapped for a while, and a large frame split in place. Any thread.
 */
#ifndef USER_FRAME_H
#define USER_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/sel4.h"

/*
 * The page at `offset` of a frame of any size, never executable, at vaddr. Its capability is a child of the frame's: a revoke of that one
 * ends the mapping too. Returns its slot in *page; frame_page_unmap gives it back. 0, or -ENOMEM (slots, tables), -EEXIST (something is
 * mapped there), -EINVAL.
 */
int frame_page_map(seL4_CPtr frame, uint64_t offset, uint64_t vaddr, bool write, seL4_CPtr *page);
/* The mapping and the capability go (if they have not been revoked), the slot is free. */
void frame_page_unmap(seL4_CPtr page);

/* How a frame that is to be split is mapped. */
enum frame_mapping { FRAME_NOT_MAPPED, FRAME_IN_VSPACE, FRAME_IN_EPT };

/*
 * A frame of 2 MiB in place: afterwards its 512 pages have capabilities in slots from *first on, mapped where it was, and the slot `frame` is
 * free. The table comes out of this process's Untyped, and stays. Returns 0; 1: the pages are made, and `frame` is still there as the parent of
 * copies that others have of the whole: frame_split_more later; or -ENOMEM, -EINVAL (not such a frame, or mapped otherwise, or revoked
 * meanwhile), and no pages.
 */
int frame_split(seL4_CPtr frame, enum frame_mapping mapping, seL4_CPtr *first);
/* Once more, when the copies have been split too or deleted. 0 and 1 as above, -EINVAL. */
int frame_split_more(seL4_CPtr frame, seL4_CPtr first);

#endif
