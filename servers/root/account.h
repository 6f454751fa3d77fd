/*
 * Memory accounts: sets of Untypeds from which all objects of a domain, or of a server, are made. Freeing an account revokes them: nothing made
 * from it is left, in whoever's CNode it was.
 */
#ifndef ROOT_ACCOUNT_H
#define ROOT_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/root/memory.h"

#define ACCOUNTS_MAX 512u

/* A block from which root makes objects one after the other. */
struct account_chunk {
	seL4_CPtr untyped;
	uint64_t at, end;
};

struct account {
	uint32_t id;    /* 0: free */
	uint32_t owner; /* task id; 0: root */
	struct buddy_node *blocks;
	uint64_t bytes, reserved;
	struct account_chunk page, small; /* objects of a page and more, and the others */
};

/* NULL: too many. */
struct account *account_create(uint32_t owner);
/* NULL: none of that owner's. */
struct account *account_find(uint32_t id, uint32_t owner);
/* Its tasks leave the table after this (task_end_all): their objects are gone. */
void account_free(struct account *a);

/* Keeps memory for it. False: there is not so much. */
bool account_reserve(struct account *a, uint64_t bytes);
/* What is free and kept for no account. */
uint64_t account_free_bytes(void);

/* A block of its own; NULL: no memory that is not kept for others. */
struct buddy_node *account_block(struct account *a, unsigned bits);

/* Gives back a block; what was made of it is revoked. */
void account_block_return(struct account *a, struct buddy_node *n);
/* A block of `a` becomes one of `to`. */
void account_block_move(struct account *a, struct buddy_node *n, struct account *to);
/* The block whose Untyped is in this slot of ours; NULL: none, or one that root makes objects of. */
struct buddy_node *account_block_find(const struct account *a, uint64_t slot);

/*
 * n objects (at most MEMORY_SCRATCH) into neighbouring empty slots of `cnode` from `offset` on. bits as for Untyped_Retype. False: no memory, or a
 * slot is taken; objects made before that stay.
 */
bool account_objects(struct account *a, seL4_Word type, unsigned bits, seL4_CPtr cnode, seL4_Word offset, uint32_t n);

/* Sums and counts: of servers (owner 0) and of others, with what is kept for them. */
uint64_t account_bytes(bool servers);
uint32_t account_count(void);

#endif
