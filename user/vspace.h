/*
 * Mappings in this process's own address space. Missing tables are made from its Untyped and stay. Any thread.
 */
#ifndef USER_VSPACE_H
#define USER_VSPACE_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/sel4.h"

/* A frame of any size at vaddr (aligned to it), ordinary memory. 0, or -ENOMEM (tables), -EEXIST, -EINVAL. Never write and execute both. */
int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute);
void vspace_unmap(seL4_CPtr frame);

/* A new frame (4 KiB), zeroed, mapped read-write: memory shared by this process's threads or to be given to others. Returns its slot, or 0. */
seL4_CPtr vspace_page(uint64_t vaddr);

#endif
