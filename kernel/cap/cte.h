/*
 * Slots and the derivation tree. The tree is a doubly linked list in depth-first order, as in
 * seL4: whether a neighbour is a child follows from the capabilities and two flags (mdb.c).
 * Slots live in kernel objects (CNodes, TCBs, timers), always inside the window.
 * Locking: the kernel lock.
 */
#ifndef CAP_CTE_H
#define CAP_CTE_H

#include "cap/cap.h"

struct cte {
	cap_t cap;
	mdb_t mdb;
};
_Static_assert(sizeof(struct cte) == 32, "a slot is 2^5 bytes");

/* ---- mdb.c: pure list surgery and ordering ---- */

/*
 * Puts `cap`, a copy of src's (or badged from it), into the empty slot `dst`: below src if src is the head of a
 * level, else beside it.
 */
void cte_insert(cap_t cap, struct cte *src, struct cte *dst);
/*
 * Puts `cap`, a frame that lies in src's, below src and as the head of a level: its own copies will be below
 * it. Only if cte_can_derive(src).
 */
void cte_insert_derived(cap_t cap, struct cte *src, struct cte *dst);
/* Is there room for one level more below this frame? */
bool cte_can_derive(const struct cte *src);
/*
 * Puts `cap`, part of the frame in `place`, into the empty slot dst, as place's sibling: head of a level if
 * place is one, and with the same parent.
 */
void cte_insert_part(cap_t cap, struct cte *place, struct cte *dst);
/* Is a frame in slot, as deep in the tree as `place` and head of a level if that is one? So cte_insert_part
 * makes them. */
bool cte_is_part(const struct cte *slot, const struct cte *place);
/*
 * The first child of `from` and all that is derived from it go below `to`, which is a part of from that
 * contains it. Returns how many capabilities these are; 0, and nothing is changed, if more than CTE_HAND_ON_MAX.
 */
#define CTE_HAND_ON_MAX 1024u
unsigned cte_hand_on(struct cte *from, struct cte *to);
/* Moves src's place in the tree to the empty slot dst, with the capability `cap`; src becomes empty. */
void cte_move(cap_t cap, struct cte *src, struct cte *dst);
/*
 * Exchanges the places of two slots (never the same): cap1 goes with slot1's place into slot2, cap2 into
 * slot1.
 */
void cte_swap(cap_t cap1, struct cte *slot1, cap_t cap2, struct cte *slot2);
/* First capability of a new object: child of `parent` (an Untyped or control capability). */
void cte_insert_new(struct cte *parent, struct cte *dst, cap_t cap);
/* The same for `count` slots in a row, from the first to the last; dst->cap is set. */
void cte_insert_new_row(struct cte *parent, struct cte *dst, unsigned count);
/*
 * The kernel's own slots, of interrupts' notifications. The first is never used: it heads the list that all capabilities are
 * in. Boot only, before cte_insert_root().
 */
struct cte_own {
	struct cte *slots;
	unsigned count;
};
extern struct cte_own cte_own;
void cte_begin(struct cte *slots, unsigned count);
/* A capability without a parent: boot only. It heads the list, so whatever is made later is never behind its parent. */
void cte_insert_root(struct cte *dst, cap_t cap);
/* Empties the slot and closes the gap in the tree; nothing is finalised. */
void cte_unlink(struct cte *slot);
/* The slot behind, if it is derived from this one; else NULL. */
struct cte *cte_first_child(const struct cte *slot);
bool cte_has_children(const struct cte *slot);
/* EXC_SYSCALL_ERROR with RevokeFirst if slot has children; DeleteFirst if it is not empty. */
exception_t cte_ensure_no_children(const struct cte *slot);
exception_t cte_ensure_empty(const struct cte *slot);
/* Does no other capability to the same object exist? */
bool cte_is_final(const struct cte *slot);
/* a is an ancestor-or-equal capability of the same object / the very same object. */
bool cap_same_region(cap_t a, cap_t b);
bool cap_same_object(cap_t a, cap_t b);
/* Is child, somewhere behind parent in the list, derived from it? */
bool cte_is_parent(const struct cte *parent, const struct cte *child);

/* ---- delete.c ---- */

/*
 * Empties the slot; the last capability's object is finalised. EXC_PREEMPTED: restart later, the
 * slot holds a zombie that goes on. `exposed`: the slot can be named by user code.
 */
exception_t cte_delete(struct cte *slot, bool exposed);
/* For capabilities whose finalisation is immediate: all without an object, frames and tables. */
void cte_delete_one(struct cte *slot);
/* Deletes everything derived from the slot's capability. */
exception_t cte_revoke(struct cte *slot);
/*
 * Preemption point of long operations: counts `units` of work (about one slot each) and looks for interrupts
 * once in PREEMPT_UNITS. True: record what is done and return EXC_PREEMPTED.
 */
#define PREEMPT_UNITS 20u
bool preempt_point(unsigned units);

/* ---- derive.c ---- */

struct derive_result {
	exception_t status; /* EXC_NONE or EXC_SYSCALL_ERROR */
	cap_t cap;	    /* null if this kind cannot be copied */
};
struct derive_result cap_derive(struct cte *slot, cap_t cap);
/* Applies a rights word (seL4 encoding). */
cap_t cap_mask_rights(cap_t cap, word_t rights);
/*
 * Applies badge or guard data; null cap if refused. `preserve`: an existing badge is kept (mutate: refused).
 */
cap_t cap_update_data(cap_t cap, bool preserve, word_t data);
/* Is it a physical object's, hence may be derived from Untyped? Size in bits of the object. */
bool cap_is_physical(cap_t cap);
unsigned cap_size_bits(cap_t cap);
paddr_t cap_paddr(cap_t cap);

#endif
