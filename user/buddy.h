/*
 * A buddy allocator over Untyped capabilities: a block of 2^n bytes is one Untyped, split by retyping it into two of half the size, joined
 * again as soon as both halves are free (their capabilities deleted, so that the whole is without children and can be used anew).
 * Used by root for the machine's memory and by every process for its own. Makes no system call itself: the four operations do.
 *
 * The state after freeing everything is the state before: same free bytes, same slots in use. Not thread-safe.
 */
#ifndef USER_BUDDY_H
#define USER_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

#define BUDDY_BITS_MIN 4u
#define BUDDY_BITS_MAX 47u

struct buddy_ops {
	/* Two neighbouring empty slots, the first of them, or 0; and back. */
	uint64_t (*slots_take)(void);
	void (*slots_release)(uint64_t first);
	/* Makes two Untypeds of 2^bits bytes from the one in `parent` (of twice the size, without children) into first and first + 1. False: not done. */
	bool (*split)(uint64_t parent, unsigned bits, uint64_t first);
	/* Deletes the capabilities in first and first + 1, which have no children. */
	void (*join)(uint64_t first);
	/* Takes back everything made from a block, copies included. */
	void (*revoke)(uint64_t slot);
	/* Memory for nodes: as malloc and free. */
	void *(*node_take)(uint64_t bytes);
	void (*node_release)(void *node);
};

struct buddy_node {
	uint64_t slot;
	uint64_t base;  /* physical address if the region's was known, else an offset */
	uint8_t bits;
	bool free;
	struct buddy_node *parent; /* NULL: a region */
	struct buddy_node *half;   /* first of an array of two when split */
	struct buddy_node *next, *previous; /* in the free list, or in a list of whoever holds the block */
};

struct buddy {
	const struct buddy_ops *ops;
	struct buddy_node *list[BUDDY_BITS_MAX + 1]; /* free blocks by size */
	uint64_t free_bytes, total_bytes;
};

void buddy_init(struct buddy *b, const struct buddy_ops *ops);
/* A region: an Untyped that is ours alone, without children. False: no memory for its node. */
bool buddy_add(struct buddy *b, uint64_t slot, uint64_t base, unsigned bits);

/*
 * A block of 2^bits bytes; the smallest that fits is split, the one with the lowest address first. NULL: there is none, or no slots for
 * splitting; nothing has changed then. The holder may retype node->slot, copy it, and use next and previous.
 */
struct buddy_node *buddy_take(struct buddy *b, unsigned bits);
/* The block of 2^bits bytes at base (aligned), if it is free. */
struct buddy_node *buddy_take_at(struct buddy *b, uint64_t base, unsigned bits);
/* Revokes it and joins what can be joined. */
void buddy_release(struct buddy *b, struct buddy_node *node);

/* Size of the largest free block in bits, 0 if there is none. */
unsigned buddy_largest(const struct buddy *b);

#endif
