/*
 * Intrusive red-black tree keyed by uint64_t, for the kernel's release queue and timers. The caller owns the
 * nodes; the tree allocates nothing and never fails. Equal keys come out in the order in which they were
 * inserted. A node is in at most one tree; rbtree_linked tells whether it is in one, for nodes that were
 * zeroed or erased. No locking. Insert and erase take O(log n), first O(1).
 */
#ifndef LIB_RBTREE_RBTREE_H
#define LIB_RBTREE_RBTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbtree_node {
	struct rbtree_node *parent;
	struct rbtree_node *left;
	struct rbtree_node *right;
	uint64_t key; /* not to be changed while linked */
	bool red;
	bool linked;
};

struct rbtree {
	struct rbtree_node *root;
	struct rbtree_node *first;
};

/* The structure that holds a node: RBTREE_OWNER(n, struct sc, release_node). */
#define RBTREE_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void rbtree_init(struct rbtree *t)
{
	t->root = NULL;
	t->first = NULL;
}

static inline bool rbtree_linked(const struct rbtree_node *n)
{
	return n->linked;
}

/* The node with the smallest key, the oldest of equals; NULL if the tree is empty. */
static inline struct rbtree_node *rbtree_first(const struct rbtree *t)
{
	return t->first;
}

/* n is not linked; its other fields need not be initialised. Returns true if n became the first. */
bool rbtree_insert(struct rbtree *t, struct rbtree_node *n, uint64_t key);

/* n is in t. Afterwards it is unlinked. */
void rbtree_erase(struct rbtree *t, struct rbtree_node *n);

/* The node after n in order, or NULL. */
struct rbtree_node *rbtree_next(const struct rbtree_node *n);

/* For debug builds and tests: order, colours, black heights, parents and first are right, and *count nodes
 * are linked. */
bool rbtree_valid(const struct rbtree *t, size_t *count);

#endif
