/*
 * The allocator on a fake of the kernel's Untypeds: a capability table with derivation, which refuses what the kernel refuses (full Untypeds,
 * slots in use, retyping an Untyped that has other children).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "user/buddy.h"
#include "user/slot_map.h"

#define SLOTS 4096u

static struct {
	bool used;
	uint64_t base, size, parent;
} cap[SLOTS];
static uint64_t bits_of_slots[SLOTS / 64];
static struct slot_map slots;
static long nodes, nodes_limit;

static bool has_children(uint64_t slot)
{
	for (uint64_t i = 0; i < SLOTS; i++)
		if (cap[i].used && cap[i].parent == slot)
			return true;
	return false;
}

static uint64_t fake_slots_take(void)
{
	return slot_map_take(&slots, 2);
}

static void fake_slots_release(uint64_t first)
{
	assert_false(cap[first].used);
	assert_false(cap[first + 1].used);
	slot_map_release(&slots, (uint32_t)first, 2);
}

static bool fake_split(uint64_t parent, unsigned bits, uint64_t first)
{
	assert_true(cap[parent].used);
	assert_int_equal(cap[parent].size, 2ull << bits);
	assert_false(has_children(parent));
	for (unsigned i = 0; i < 2; i++) {
		assert_false(cap[first + i].used);
		cap[first + i].used = true;
		cap[first + i].base = cap[parent].base + ((uint64_t)i << bits);
		cap[first + i].size = 1ull << bits;
		cap[first + i].parent = parent;
	}
	return true;
}

static void fake_join(uint64_t first)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_true(cap[first + i].used);
		assert_false(has_children(first + i));
		cap[first + i].used = false;
	}
}

static void fake_revoke(uint64_t slot)
{
	assert_true(cap[slot].used);
	for (uint64_t i = 0; i < SLOTS; i++)
		if (cap[i].used && cap[i].parent == slot) {
			fake_revoke(i);
			cap[i].used = false;
			slot_map_release(&slots, (uint32_t)i, 1);
		}
}

static void *fake_node_take(uint64_t bytes)
{
	if (nodes == nodes_limit)
		return NULL;
	nodes++;
	return malloc(bytes);
}

static void fake_node_release(void *node)
{
	nodes--;
	free(node);
}

static const struct buddy_ops ops = {fake_slots_take, fake_slots_release, fake_split, fake_join, fake_revoke, fake_node_take,
				     fake_node_release};

static void begin(struct buddy *b, const unsigned *region_bits, unsigned count)
{
	uint64_t base = 0x100000000ull;

	memset(cap, 0, sizeof(cap));
	nodes = 0;
	nodes_limit = 100000;
	slot_map_init(&slots, bits_of_slots, SLOTS);
	slot_map_release(&slots, 100, SLOTS);
	buddy_init(b, &ops);
	for (unsigned i = 0; i < count; i++) {
		cap[1 + i].used = true;
		cap[1 + i].base = base;
		cap[1 + i].size = 1ull << region_bits[i];
		assert_true(buddy_add(b, 1 + i, base, region_bits[i]));
		base += 1ull << region_bits[i];
	}
}

static void end(struct buddy *b)
{
	for (unsigned i = 0; i <= BUDDY_BITS_MAX; i++)
		while (b->list[i]) {
			struct buddy_node *n = b->list[i];

			b->list[i] = n->next;
			assert_null(n->parent);
			fake_node_release(n);
		}
	assert_int_equal(nodes, 0);
}

static void all_comes_back(void **state)
{
	static const unsigned regions[] = {30, 24, 22, 12};
	struct buddy b;
	struct buddy_node *held[200] = {NULL};
	uint32_t seed = 7, free_slots;
	uint64_t free_bytes;

	(void)state;
	begin(&b, regions, 4);
	free_slots = slots.free;
	free_bytes = b.free_bytes;
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i;

		seed = seed * 1664525u + 1013904223u;
		i = (seed >> 16) % 200;
		if (held[i]) {
			buddy_release(&b, held[i]);
			held[i] = NULL;
			continue;
		}
		held[i] = buddy_take(&b, 4 + (seed >> 8) % 22);
		if (!held[i])
			continue;
		assert_int_equal(cap[held[i]->slot].size, 1ull << held[i]->bits);
		assert_int_equal(cap[held[i]->slot].base, held[i]->base);
		assert_int_equal(held[i]->base % (1ull << held[i]->bits), 0);
		if (step % 3 == 0) { /* the holder makes something of it, elsewhere */
			uint32_t child = slot_map_take(&slots, 1);

			cap[child].used = true;
			cap[child].parent = held[i]->slot;
		}
		for (unsigned k = 0; k < 200; k++)
			if (k != i && held[k])
				assert_true(held[k]->base + (1ull << held[k]->bits) <= held[i]->base ||
					    held[i]->base + (1ull << held[i]->bits) <= held[k]->base);
	}
	for (unsigned i = 0; i < 200; i++)
		if (held[i])
			buddy_release(&b, held[i]);
	assert_int_equal(b.free_bytes, free_bytes);
	assert_int_equal(slots.free, free_slots);
	assert_int_equal(nodes, 4);
	assert_int_equal(buddy_largest(&b), 30);
	end(&b);
}

static void out_of_memory(void **state)
{
	static const unsigned regions[] = {16};
	struct buddy b;
	struct buddy_node *n[16];
	uint32_t free_slots;

	(void)state;
	begin(&b, regions, 1);
	free_slots = slots.free;
	assert_null(buddy_take(&b, 17));
	assert_null(buddy_take(&b, 63));
	for (unsigned i = 0; i < 16; i++) {
		n[i] = buddy_take(&b, 12);
		assert_non_null(n[i]);
		assert_int_equal(n[i]->base, 0x100000000ull + i * 4096);
	}
	assert_null(buddy_take(&b, 4));
	assert_int_equal(b.free_bytes, 0);
	for (unsigned i = 0; i < 16; i++)
		buddy_release(&b, n[i]);
	assert_int_equal(slots.free, free_slots);
	end(&b);
}

/* Slots or nodes end in the middle of splitting: nothing is lost. */
static void shortage_is_undone(void **state)
{
	static const unsigned regions[] = {30};
	struct buddy b;

	(void)state;
	for (long limit = 0; limit < 20; limit++) {
		uint32_t free_slots;

		begin(&b, regions, 1);
		if (limit % 2)
			nodes_limit = 1 + limit / 2;
		else
			slot_map_hold(&slots, 101, SLOTS - 101 - (uint32_t)limit);
		free_slots = slots.free;
		assert_null(buddy_take(&b, 12));
		assert_int_equal(slots.free, free_slots);
		assert_int_equal(buddy_largest(&b), 30);
		assert_int_equal(b.free_bytes, 1ull << 30);
		end(&b);
	}
}

static void by_address(void **state)
{
	static const unsigned regions[] = {30, 24};
	struct buddy b;
	struct buddy_node *n, *m;
	uint32_t free_slots;

	(void)state;
	begin(&b, regions, 2);
	free_slots = slots.free;
	assert_null(buddy_take_at(&b, 0x100000000ull - 4096, 12));
	assert_null(buddy_take_at(&b, 0x100000800ull, 12));
	n = buddy_take_at(&b, 0x101234000ull, 12);
	assert_non_null(n);
	assert_int_equal(n->base, 0x101234000ull);
	assert_int_equal(cap[n->slot].base, 0x101234000ull);
	assert_null(buddy_take_at(&b, 0x101234000ull, 12));
	assert_null(buddy_take_at(&b, 0x101200000ull, 21));
	m = buddy_take_at(&b, 0x101400000ull, 21);
	assert_non_null(m);
	buddy_release(&b, n);
	buddy_release(&b, m);
	assert_int_equal(slots.free, free_slots);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_comes_back), cmocka_unit_test(out_of_memory),
					   cmocka_unit_test(shortage_is_undone), cmocka_unit_test(by_address)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
// links: user/slot_map.c
