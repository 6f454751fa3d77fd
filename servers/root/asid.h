/* Address-space ids: pools of 512, made as they are needed. */
#ifndef ROOT_ASID_H
#define ROOT_ASID_H

#include <stdbool.h>
#include "sel4/types.h"

/* For a new PML4 or EPT PML4. False: none is left, or there is no memory for a pool. */
bool asid_assign(seL4_CPtr space);

#endif
