/* Untypeds at boot: all free RAM, all device space, and the modules' memory become capabilities. */
#ifndef BOOT_BOOT_UNTYPED_H
#define BOOT_BOOT_UNTYPED_H

#include "boot/boot_chunks.h"
#include "boot/boot_cspace.h"
#include "boot/boot_memory.h"

/*
 * Devices ascending, then RAM ascending: the first 230 are described in `list`, the others in a chunk. Returns the slots of
 * the first 230.
 */
seL4_SlotRegion boot_untyped_all(struct boot_cspace *c, const struct boot_memory *m, seL4_UntypedDesc *list,
                                 struct boot_chunks *chunks);

/* Untypeds that cover a module's pages exactly and keep their content: how many, and making them. */
uint64_t boot_untyped_blocks(uint64_t start, uint64_t bytes);
void boot_untyped_module(struct boot_cspace *c, uint64_t start, uint64_t bytes);

#endif
