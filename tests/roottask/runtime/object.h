/* Objects out of one Untyped, their capabilities in consecutive free slots of the root CNode. A failure ends
 * the task. */
#ifndef ROOTTASK_OBJECT_H
#define ROOTTASK_OBJECT_H

#include "sel4/sel4.h"

/* The next free slot. */
seL4_CPtr object_slot(void);

/* A new object; `bits` where the type leaves the size open (CNode, SchedContext, Untyped), else 0. */
seL4_CPtr object_new(seL4_Word type, seL4_Word bits);

/* Copies; of a frame the copy is unmapped. */
seL4_CPtr object_copy(seL4_CPtr cap);
seL4_CPtr object_mint(seL4_CPtr cap, seL4_CapRights_t rights, seL4_Word badge);

#endif
