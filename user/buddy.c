/* Buddy allocation of Untypeds. See buddy.h. */
#include "user/buddy.h"

#include <string.h>

void buddy_init(struct buddy *b, const struct buddy_ops *ops)
{
	*b = (struct buddy){.ops = ops};
}

/* Sorted by address: so low memory is used first, and the same requests give the same blocks. */
static void buddy_list_insert(struct buddy *b, struct buddy_node *n)
{
	struct buddy_node *after = b->list[n->bits], *before = NULL;

	while (after && after->base < n->base) {
		before = after;
		after = after->next;
	}
	n->next = after;
	n->previous = before;
	if (after)
		after->previous = n;
	if (before)
		before->next = n;
	else
		b->list[n->bits] = n;
	n->free = true;
}

static void buddy_list_remove(struct buddy *b, struct buddy_node *n)
{
	if (n->next)
		n->next->previous = n->previous;
	if (n->previous)
		n->previous->next = n->next;
	else
		b->list[n->bits] = n->next;
	n->next = n->previous = NULL;
	n->free = false;
}

bool buddy_add(struct buddy *b, uint64_t slot, uint64_t base, unsigned bits)
{
	struct buddy_node *n;

	if (bits < BUDDY_BITS_MIN || bits > BUDDY_BITS_MAX)
		return false;
	n = b->ops->node_take(sizeof(*n));
	if (!n)
		return false;
	*n = (struct buddy_node){.slot = slot, .base = base, .bits = (uint8_t)bits};
	buddy_list_insert(b, n);
	b->free_bytes += 1ull << bits;
	b->total_bytes += 1ull << bits;
	return true;
}

static bool buddy_split(struct buddy *b, struct buddy_node *n)
{
	unsigned bits = n->bits - 1u;
	struct buddy_node *half = b->ops->node_take(2 * sizeof(*half));
	uint64_t first = half ? b->ops->slots_take() : 0;

	if (!first || !b->ops->split(n->slot, bits, first)) {
		if (first)
			b->ops->slots_release(first);
		if (half)
			b->ops->node_release(half);
		return false;
	}
	buddy_list_remove(b, n);
	n->half = half;
	for (unsigned i = 0; i < 2; i++) {
		half[i] = (struct buddy_node){
			.slot = first + i, .base = n->base + ((uint64_t)i << bits), .bits = (uint8_t)bits, .parent = n};
		buddy_list_insert(b, &half[i]);
	}
	return true;
}

/* n is free: joins it with its other half, and so on upwards. */
static void buddy_join(struct buddy *b, struct buddy_node *n)
{
	struct buddy_node *p;

	while ((p = n->parent) && p->half[0].free && p->half[1].free) {
		buddy_list_remove(b, &p->half[0]);
		buddy_list_remove(b, &p->half[1]);
		b->ops->join(p->half[0].slot);
		b->ops->slots_release(p->half[0].slot);
		b->ops->node_release(p->half);
		p->half = NULL;
		buddy_list_insert(b, p);
		n = p;
	}
}

struct buddy_node *buddy_take(struct buddy *b, unsigned bits)
{
	struct buddy_node *n;
	unsigned have = bits;

	if (bits < BUDDY_BITS_MIN)
		have = bits = BUDDY_BITS_MIN;
	while (have <= BUDDY_BITS_MAX && !b->list[have])
		have++;
	if (have > BUDDY_BITS_MAX)
		return NULL;
	n = b->list[have];
	while (n->bits > bits) {
		if (!buddy_split(b, n)) {
			buddy_join(b, n);
			return NULL;
		}
		n = &n->half[0];
	}
	buddy_list_remove(b, n);
	b->free_bytes -= 1ull << bits;
	return n;
}

struct buddy_node *buddy_take_at(struct buddy *b, uint64_t base, unsigned bits)
{
	struct buddy_node *n = NULL;

	if (bits < BUDDY_BITS_MIN || bits > BUDDY_BITS_MAX || base & ((1ull << bits) - 1))
		return NULL;
	for (unsigned have = bits; have <= BUDDY_BITS_MAX && !n; have++)
		for (n = b->list[have]; n && (base < n->base || base - n->base >= 1ull << have); n = n->next)
			;
	if (!n)
		return NULL;
	while (n->bits > bits) {
		if (!buddy_split(b, n)) {
			buddy_join(b, n);
			return NULL;
		}
		n = &n->half[base >= n->half[1].base];
	}
	buddy_list_remove(b, n);
	b->free_bytes -= 1ull << bits;
	return n;
}

void buddy_release(struct buddy *b, struct buddy_node *n)
{
	b->ops->revoke(n->slot);
	b->free_bytes += 1ull << n->bits;
	buddy_list_insert(b, n);
	buddy_join(b, n);
}

unsigned buddy_largest(const struct buddy *b)
{
	for (unsigned bits = BUDDY_BITS_MAX; bits >= BUDDY_BITS_MIN; bits--)
		if (b->list[bits])
			return bits;
	return 0;
}
