/*
 * Kernel objects of this process's own, made from its Untyped (TASK_SLOT_UNTYPED). Memory and slots of a deleted object are used
 * again. Any thread. Functions that give a slot return 0 when memory or slots are short.
 */
#ifndef USER_OBJECT_H
#define USER_OBJECT_H

#include <stdint.h>
#include "sel4/sel4.h"

/* Size of an object as log2 of bytes; bits is the user's choice for Untyped, CNode (slots) and SchedContext, else ignored. 0: no such type. */
unsigned object_size_bits(seL4_Word type, unsigned bits);

/* A new object in `slot`, which is empty. 0 or -ENOMEM. object_delete gives all back. */
int object_create(seL4_Word type, unsigned bits, seL4_CPtr slot);
/* The same in a slot of its choice. */
seL4_CPtr object_create_slot(seL4_Word type, unsigned bits);
/* For objects that are never deleted (paging structures): needs one slot instead of up to three, and no memory is lost to alignment. */
seL4_CPtr object_create_fixed(seL4_Word type, unsigned bits);

/* A copy with the same rights, with a badge (same rights; the source has none), or with fewer rights. */
seL4_CPtr object_copy(seL4_CPtr slot);
seL4_CPtr object_mint_badge(seL4_CPtr slot, seL4_Word badge);
seL4_CPtr object_mint(seL4_CPtr slot, seL4_CapRights_t rights, seL4_Word badge);

/*
 * Deletes the capability and frees its slot. If it was the object itself (object_create), copies that others hold are revoked first, and its
 * memory is free for others. A copy or a received capability: only that one goes. 0 is ignored.
 */
void object_delete(seL4_CPtr slot);

#endif
