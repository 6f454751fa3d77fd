/*
 * Root's memory: RAM and device space as Untypeds, slots of root's CNode, and windows through which root reaches frames. Everything that root
 * hands out begins here. Single-threaded.
 */
#ifndef ROOT_MEMORY_H
#define ROOT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/sel4.h"
#include "servers/root/bootinfo.h"
#include "user/buddy.h"

#define MEMORY_CNODE  seL4_CapInitThreadCNode
#define MEMORY_VSPACE seL4_CapInitThreadVSpace
#define MEMORY_DEPTH  ((seL4_Uint8)seL4_WordBits)

/* Address space of root below its image's neighbours: one page directory covers all of it. */
#define MEMORY_WINDOW_VADDR  0x30000000ull /* windows of 2 MiB */
#define MEMORY_ARCHIVE_VADDR 0x20000000ull
#define MEMORY_HEAP_VADDR    0x28000000ull /* of large machines, the rest of the heap */

/* Scratch slots: empty between calls of anything here. */
#define MEMORY_SCRATCH 256u

/* Takes over all Untypeds and free slots; the heap becomes as large as notes of that many blocks want. False: no memory for bookkeeping. */
bool memory_begin(const struct bootinfo *b);

/* ---- slots ---- */

seL4_CPtr memory_slot_take(void);
/* n neighbouring ones; they stay taken. */
seL4_CPtr memory_slots_take_range(uint32_t n);
/* Deletes what is in it. 0 is ignored. */
void memory_slot_release(seL4_CPtr slot);
/* First of MEMORY_SCRATCH neighbouring empty slots. */
seL4_CPtr memory_scratch(void);
void memory_scratch_clear(uint32_t n);
uint32_t memory_slots_used(void);

/* ---- RAM ---- */

struct buddy_node *memory_take(unsigned bits);
void memory_release(struct buddy_node *n);
/* More RAM: an Untyped without children (a module's that is not needed any more). */
void memory_add(seL4_CPtr slot, uint64_t paddr, unsigned bits);
uint64_t memory_free_bytes(void);
unsigned memory_largest(void);

/* An object of root's own, in a new slot; 0 if there is no memory. It stays. */
seL4_CPtr memory_object(seL4_Word type, unsigned bits);

/* ---- devices ---- */

/* A device frame (4 KiB, 2 MiB) at this physical address, in a new slot; 0 if there is no such device memory or it is taken. */
seL4_CPtr memory_device_frame(uint64_t paddr, unsigned bits, struct buddy_node **block);
void memory_device_release(seL4_CPtr slot, struct buddy_node *block);

/* ---- root's address space ---- */

/* Maps a frame of ours (4 KiB or 2 MiB) into window n; the capability is that of the mapping until memory_window_close. NULL: it cannot be. */
void *memory_window(unsigned n, seL4_CPtr frame, bool write);
void memory_window_close(seL4_CPtr frame);
/* Maps for good; tables are made. */
bool memory_map(seL4_CPtr frame, uint64_t vaddr, bool write);

#endif
