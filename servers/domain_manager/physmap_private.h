/* What the files of physmap.h have for each other. Slots are of the domain manager's CNode; m->slot_scratch are free between any two of these calls. */
#ifndef DOMAIN_MANAGER_PHYSMAP_PRIVATE_H
#define DOMAIN_MANAGER_PHYSMAP_PRIVATE_H

#include "servers/domain_manager/physmap.h"

#define PAGE_BITS	 12u
#define PHYSMAP_NO_FRAME UINT32_MAX

/* ---- physmap_map.c ---- */
/* One copy of a frame's capability, out of its place into a slot, or back from there. */
int physmap_copy_out(struct physmap *m, uint32_t frame, enum frame_copy copy, uint32_t to);
int physmap_move_in(struct physmap *m, uint32_t from, uint32_t frame, enum frame_copy copy);
/* What is in a slot, or in a frame's place, is deleted, and its mapping with it. */
void physmap_drop(uint32_t slot);
void physmap_drop_copy(struct physmap *m, uint32_t frame, enum frame_copy copy);
/* Both copies of a frame that is in the store, mapped at gfn, where nothing is. 0 or -errno, then neither is. */
int physmap_map(struct physmap *m, uint64_t gfn, uint32_t frame);
/* Neither is any more. */
void physmap_unmap(struct physmap *m, uint32_t frame);
/* A copy of the owner's capability, mapped, in its place. */
int physmap_map_copy(struct physmap *m, uint32_t frame, enum frame_copy copy, uint64_t gfn, seL4_CapRights_t rights);
/*
 * A copy of the capability of frame `what` becomes the vmm's copy of `frame`, mapped at gfn over what is there: no thread of the vmm ever finds nothing. The
 * capability that was there has lost its entry, and goes without touching it; it must be another page's.
 */
int physmap_map_over(struct physmap *m, uint32_t what, uint64_t gfn, uint32_t frame);
/* A part of one page of the frame in slot `whole`, as a capability in the owner's place of `frame`, mapped for the guest at address `at`. -EEXIST, -ENOMEM. */
int physmap_derive_mapped(struct physmap *m, uint32_t whole, uint64_t offset, uint32_t frame, uint64_t at, bool write);
/* Its page is all zeros afterwards. */
int physmap_zero(struct physmap *m, uint32_t frame);

/* ---- physmap.c ---- */
/* A large frame of a block of its own, at `index` of a CNode. */
int physmap_large_make(struct physmap *m, seL4_CPtr cnode, seL4_Word index, uint64_t *block);
/* A place in the store for what comes to gfn (single: of that kind), and the record of it first: it says whether there is room, and is easily taken back. */
int physmap_place_take(struct physmap *m, uint64_t gfn, bool single, struct p2m_entry *e);
void physmap_place_give(struct physmap *m, uint64_t gfn, uint32_t frame);
/* A page of RAM or of Xen's at gfn, populated now if it is to be on demand. -ENOENT, or as physmap_pod_need. */
int physmap_page_need(struct physmap *m, uint64_t gfn, struct p2m_entry *e);
/* There is a page for where the vmm is to find something and the guest nothing. False: there is no memory for it. */
bool physmap_nowhere_made(struct physmap *m);

/* ---- physmap_single.c ---- */
/* Room to note which pages of the page store the frames of a chunk are. 0 or -ENOMEM. */
int physmap_single_room(struct physmap *m, uint32_t frame);
/* These 512 frames are such pages now. There is room. */
void physmap_single_note(struct physmap *m, uint32_t frame, uint32_t first);
/* A frame of that kind (frame_store.h) is a cleared page from now on. 0 or -ENOMEM. */
int physmap_single_make(struct physmap *m, uint32_t frame);
/* If it is one, it goes back; nothing has it mapped. False: it is none. */
bool physmap_single_give(struct physmap *m, uint32_t frame);
/* It is one. */
bool physmap_single_is(const struct physmap *m, uint32_t frame);
/* Where the owner's capability of any frame is. */
struct frame_place physmap_owner(const struct physmap *m, uint32_t frame);
/* A page of RAM at gfn, where nothing is. 0, -EEXIST, -EINVAL, -ENOMEM. */
int physmap_single(struct physmap *m, uint64_t gfn);

/* ---- physmap_window.c ---- */
/* Memory of which a window may be kept: large frames, and pages of the page store. The others below are for these only. */
bool physmap_window_is(const struct physmap *m, struct p2m_entry e);
/* A copy of its owner's capability is in this slot of ours until the next of these calls, to derive from. 0 or -ENOMEM. */
int physmap_window_slot(struct physmap *m, struct p2m_entry e, uint32_t *slot);
/* A large frame is about to be split, or a page to be the store's again: what is kept of it goes. */
void physmap_window_forget(const struct physmap *m, uint32_t frame, bool large);
/* What is kept of all its memory goes. */
void physmap_window_end(const struct physmap *m);

/* ---- physmap_balloon.c ---- */
/* So that the vmm finds something at gfn, in the place of a frame whose page is out, if it does not yet. */
void physmap_nowhere(struct physmap *m, uint64_t gfn, uint32_t frame);
/* Others have no page any more of the 2 MiB at gfn: pages of it that were given back are held no longer. */
void physmap_out_give(struct physmap *m, uint64_t gfn);

#endif
