/* Host tests only: a mapping is host memory at that very address. */
#ifndef FAKE_VSPACE_H
#define FAKE_VSPACE_H

#include <stdbool.h>
#include "sel4/sel4.h"

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute);

#endif
