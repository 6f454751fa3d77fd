/*
 * Red-black tree (Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, chapter 13). Called by the
 * kernel's release queue and timers. Owns no memory. The empty leaves are NULL and black; the parent of a
 * removed leaf is carried along instead of a sentinel.
 */
#include "rbtree/rbtree.h"

static bool is_red(const struct rbtree_node *n)
{
	return n != NULL && n->red;
}

/* Puts `with` (may be NULL) where n hangs. */
static void replace_child(struct rbtree *t, struct rbtree_node *n, struct rbtree_node *with)
{
	struct rbtree_node *p = n->parent;

	if (p == NULL)
		t->root = with;
	else if (p->left == n)
		p->left = with;
	else
		p->right = with;
	if (with != NULL)
		with->parent = p;
}

static void rotate_left(struct rbtree *t, struct rbtree_node *n)
{
	struct rbtree_node *r = n->right;

	n->right = r->left;
	if (r->left != NULL)
		r->left->parent = n;
	replace_child(t, n, r);
	r->left = n;
	n->parent = r;
}

static void rotate_right(struct rbtree *t, struct rbtree_node *n)
{
	struct rbtree_node *l = n->left;

	n->left = l->right;
	if (l->right != NULL)
		l->right->parent = n;
	replace_child(t, n, l);
	l->right = n;
	n->parent = l;
}

/* n is red and may have a red parent. */
static void insert_fix(struct rbtree *t, struct rbtree_node *n)
{
	while (is_red(n->parent)) {
		struct rbtree_node *p = n->parent;
		struct rbtree_node *g = p->parent; /* exists: the root is black */
		bool left = p == g->left;
		struct rbtree_node *uncle = left ? g->right : g->left;

		if (is_red(uncle)) {
			p->red = false;
			uncle->red = false;
			g->red = true;
			n = g;
			continue;
		}
		if (left) {
			if (n == p->right) {
				rotate_left(t, p);
				p = n;
			}
			p->red = false;
			g->red = true;
			rotate_right(t, g);
		} else {
			if (n == p->left) {
				rotate_right(t, p);
				p = n;
			}
			p->red = false;
			g->red = true;
			rotate_left(t, g);
		}
		break;
	}
	t->root->red = false;
}

bool rbtree_insert(struct rbtree *t, struct rbtree_node *n, uint64_t key)
{
	struct rbtree_node *p = NULL;
	struct rbtree_node **at = &t->root;
	bool first = true;

	while (*at != NULL) {
		p = *at;
		if (key < p->key) {
			at = &p->left;
		} else {
			at = &p->right;
			first = false;
		}
	}
	n->parent = p;
	n->left = NULL;
	n->right = NULL;
	n->key = key;
	n->red = true;
	n->linked = true;
	*at = n;
	if (first)
		t->first = n;
	insert_fix(t, n);
	return first;
}

/* The subtree at n (may be empty, under p) is one black short. */
static void erase_fix(struct rbtree *t, struct rbtree_node *n, struct rbtree_node *p)
{
	while (p != NULL && !is_red(n)) {
		bool left = n == p->left;
		struct rbtree_node *s = left ? p->right : p->left; /* exists: it has a black more */

		if (s->red) {
			s->red = false;
			p->red = true;
			if (left)
				rotate_left(t, p);
			else
				rotate_right(t, p);
			s = left ? p->right : p->left;
		}
		struct rbtree_node *far = left ? s->right : s->left;
		struct rbtree_node *near = left ? s->left : s->right;
		if (!is_red(far) && !is_red(near)) {
			s->red = true;
			n = p;
			p = n->parent;
			continue;
		}
		if (!is_red(far)) {
			near->red = false;
			s->red = true;
			if (left)
				rotate_right(t, s);
			else
				rotate_left(t, s);
			far = s;
			s = near;
		}
		s->red = p->red;
		p->red = false;
		far->red = false;
		if (left)
			rotate_left(t, p);
		else
			rotate_right(t, p);
		return;
	}
	if (n != NULL)
		n->red = false;
}

void rbtree_erase(struct rbtree *t, struct rbtree_node *n)
{
	struct rbtree_node *child, *p;
	bool black;

	if (t->first == n)
		t->first = rbtree_next(n);
	if (n->left == NULL || n->right == NULL) {
		child = n->left != NULL ? n->left : n->right;
		p = n->parent;
		black = !n->red;
		replace_child(t, n, child);
	} else {
		/* The successor takes n's place and colour; it has no left child. */
		struct rbtree_node *s = n->right;
		while (s->left != NULL)
			s = s->left;
		child = s->right;
		black = !s->red;
		if (s->parent == n) {
			p = s;
		} else {
			p = s->parent;
			replace_child(t, s, child);
			s->right = n->right;
			s->right->parent = s;
		}
		replace_child(t, n, s);
		s->left = n->left;
		s->left->parent = s;
		s->red = n->red;
	}
	if (black)
		erase_fix(t, child, p);
	n->parent = NULL;
	n->left = NULL;
	n->right = NULL;
	n->linked = false;
}

struct rbtree_node *rbtree_next(const struct rbtree_node *n)
{
	if (n->right != NULL) {
		struct rbtree_node *r = n->right;
		while (r->left != NULL)
			r = r->left;
		return r;
	}
	struct rbtree_node *p = n->parent;
	while (p != NULL && n == p->right) {
		n = p;
		p = p->parent;
	}
	return p;
}

/* Black nodes from n up to the root, n included. */
static size_t black_depth(const struct rbtree_node *n)
{
	size_t d = 0;

	for (; n != NULL; n = n->parent)
		d += n->red ? 0 : 1;
	return d;
}

bool rbtree_valid(const struct rbtree *t, size_t *count)
{
	const struct rbtree_node *previous = NULL;
	size_t depth = 0;

	*count = 0;
	if (t->root == NULL)
		return t->first == NULL;
	if (t->root->red || t->root->parent != NULL || t->first == NULL || t->first->left != NULL)
		return false;
	for (const struct rbtree_node *n = t->first; n != NULL; n = rbtree_next(n)) {
		if (!n->linked || (previous != NULL && previous->key > n->key))
			return false;
		if ((n->left != NULL && n->left->parent != n) || (n->right != NULL && n->right->parent != n))
			return false;
		if (n->red && (is_red(n->left) || is_red(n->right)))
			return false;
		if (n->left == NULL || n->right == NULL) {
			size_t d = black_depth(n);
			if (depth == 0)
				depth = d;
			if (d != depth)
				return false;
		}
		previous = n;
		(*count)++;
	}
	return true;
}
