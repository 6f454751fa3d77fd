/* Host tests only: slots are numbers, objects are what vmm_fake.c remembers of them. */
#ifndef FAKE_OBJECT_H
#define FAKE_OBJECT_H

#include "sel4/sel4.h"

seL4_CPtr object_create_slot(seL4_Word type, seL4_Word bits);
seL4_CPtr object_copy(seL4_CPtr slot);
seL4_CPtr object_mint_badge(seL4_CPtr slot, seL4_Word badge);
void object_delete(seL4_CPtr slot);

#endif
