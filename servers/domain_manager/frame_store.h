/*
 * Where a domain's frame capabilities lie: numbered places, each with room for the owner's copy and for two copies that carry a mapping. They are in CNodes
 * of the domain's account, so that our own CNode does not grow with guests' memory. The owner's copy of a single page of RAM is elsewhere (page_store.h): its place has
 * room for the other two.
 */
#ifndef DOMAIN_MANAGER_FRAME_STORE_H
#define DOMAIN_MANAGER_FRAME_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/domain_heap.h"
#include "servers/domain_manager/object_pool.h"

enum frame_copy {
	FRAME_OWNER, /* the frame itself; of a foreign page: what was derived, mapped in the second-level tables, and the only copy */
	FRAME_GUEST, /* mapped in the second-level tables */
	FRAME_VMM,   /* mapped in the vmm's address space */
	FRAME_COPIES,
};

#define FRAME_CHUNK 512u /* places in one CNode, at most; their numbers begin at a multiple */

struct frame_store {
	struct object_pool *pool;
	struct domain_heap *heap;
	struct frame_chunk *chunk;
	uint32_t chunks;
	uint32_t last[2]; /* by kind, that of single pages second: the chunk in which a place was taken or given last */
};

void frame_store_init(struct frame_store *s, struct object_pool *pool, struct domain_heap *heap);
/* After the account was freed: the capabilities are gone, slots and heap are given back. */
void frame_store_end(struct frame_store *s);

/* A free place, all empty; the same without room for the owner's copy; or the first of FRAME_CHUNK neighbouring ones of that kind. 0 or -ENOMEM. */
int frame_store_take(struct frame_store *s, uint32_t *frame);
int frame_store_take_single(struct frame_store *s, uint32_t *frame);
int frame_store_take_chunk(struct frame_store *s, uint32_t *first);
bool frame_store_is_single(const struct frame_store *s, uint32_t frame);
/* All of such a row, of which nothing has been used, is free again. */
void frame_store_give_chunk(struct frame_store *s, uint32_t first);
/* Deletes what is in a place (mappings end with it), and it is free. */
void frame_store_give(struct frame_store *s, uint32_t frame);
/* The same where there can only be the owner's copy. */
void frame_store_give_one(struct frame_store *s, uint32_t frame);

/* How CNode operations name a copy: root, index, depth. */
struct frame_place {
	seL4_CPtr root;
	seL4_Word index;
	uint8_t depth;
};
struct frame_place frame_store_place(const struct frame_store *s, uint32_t frame, enum frame_copy copy);

#endif
