/* What physmap.c has for physmap_pod.c. */
#ifndef DOMAIN_MANAGER_PHYSMAP_PRIVATE_H
#define DOMAIN_MANAGER_PHYSMAP_PRIVATE_H

#include "servers/domain_manager/physmap.h"

/* Both copies of a frame that is in the store, mapped at gfn, where nothing is. 0 or -errno, then neither is. */
int physmap_map(struct physmap *m, uint64_t gfn, uint32_t frame);
/* So that the vmm finds something at gfn, in the place of a frame whose page is out, if it does not yet. */
void physmap_nowhere(struct physmap *m, uint64_t gfn, uint32_t frame);
/* The owner's copy goes from one place to another, which is empty. */
int physmap_move(struct physmap *m, uint32_t from, uint32_t to);
/* The frame of a page that was given back goes, cleared, to the place `to`, which is empty. -ENOMEM: there is none that is still held. */
int physmap_take_given(struct physmap *m, uint32_t to);
/* Its page is all zeros afterwards. */
int physmap_zero(struct physmap *m, uint32_t frame);

#endif
