/*
 * A bitmap of slots in use. Pure; slot.c and root's allocator are its users.
 */
#ifndef USER_SLOT_MAP_H
#define USER_SLOT_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct slot_map {
	uint64_t *bits; /* (end + 63) / 64 words; a set bit is a slot in use */
	uint32_t end;   /* slots are [0, end) */
	uint32_t next;  /* a search begins here */
	uint32_t free;
};

/* All slots are in use at first: slot_map_release gives those that are free. */
void slot_map_init(struct slot_map *m, uint64_t *bits, uint32_t end);
/* n neighbouring slots: the first, or 0 (slot 0 is never given out). The lowest possible for n > 1, any for n = 1. */
uint32_t slot_map_take(struct slot_map *m, uint32_t n);
/* Slots that are free already, or do not exist, are left as they are. */
void slot_map_release(struct slot_map *m, uint32_t first, uint32_t n);
/* Marks slots as in use, whatever they were. */
void slot_map_hold(struct slot_map *m, uint32_t first, uint32_t n);

#endif
