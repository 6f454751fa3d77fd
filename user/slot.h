/*
 * Free slots of this process's CNode. A bitmap from TASK_SLOT_FREE to the CNode's end. Any thread.
 */
#ifndef USER_SLOT_H
#define USER_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/types.h"

/*
 * Slots below `first` are taken: a process that was given capabilities in slots from TASK_SLOT_FREE on (a vmm: vmm_start.first_free_slot)
 * says so before it, or anything of the runtime, makes its first object. Slots handed out already stay with their owners.
 */
void slot_begin(seL4_CPtr first);

/* An empty slot, or 0. */
seL4_CPtr slot_alloc(void);
/* n neighbouring empty slots: the first, or 0. */
seL4_CPtr slot_alloc_range(uint32_t n);

/* The slot must be empty. */
void slot_free(seL4_CPtr slot);
void slot_free_range(seL4_CPtr first, uint32_t n);

#endif
