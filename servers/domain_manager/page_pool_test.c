// links: servers/domain_manager/domain_heap.c user/heap.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "servers/domain_manager/page_pool.h"

#define EACH PAGE_POOL_EACH

static int more(struct domain_heap *h, uint8_t *at, uint64_t bytes)
{
	(void)h;
	(void)at;
	(void)bytes;
	return 0;
}

static struct page_pool *begun(void)
{
	static uint8_t stretch[DOMAIN_HEAP_MAX] __attribute__((aligned(16)));
	static struct domain_heap heap;
	static struct page_pool p;

	domain_heap_init(&heap, stretch, more);
	page_pool_init(&p, &heap);
	return &p;
}

static const int one, two;

static uint32_t taken(struct page_pool *p, const void *owner, uint32_t *hint, bool wanted_dirty)
{
	bool dirty;
	uint32_t page = page_pool_take(p, owner, hint, &dirty);

	if (page != PAGE_POOL_NONE)
		assert_int_equal(dirty, wanted_dirty);
	return page;
}

static void new_pages_are_clean(void **state)
{
	struct page_pool *p = begun();
	uint32_t hint = PAGE_POOL_NONE, page;

	(void)state;
	assert_int_equal(taken(p, &one, &hint, false), PAGE_POOL_NONE);
	assert_int_equal(page_pool_add(p, NULL), 0);
	assert_int_equal(p->whole, 1);
	for (uint32_t i = 0; i < EACH; i++) {
		assert_int_equal(page_pool_open(p), EACH - i);
		assert_int_equal(taken(p, &one, &hint, false), i);
		assert_int_equal(p->whole, 0);
	}
	assert_int_equal(taken(p, &one, &hint, false), PAGE_POOL_NONE);
	assert_false(page_pool_give(p, 100));
	page = taken(p, &two, &hint, true);
	assert_int_equal(page, 100);
	assert_null(page_pool_block(p, 0)->sole);
	for (uint32_t i = 0; i < EACH; i++)
		assert_int_equal(page_pool_give(p, i), i == EACH - 1);
	assert_int_equal(p->whole, 1);
	/* whose it was is forgotten then */
	assert_int_equal(taken(p, &two, &hint, true), 0);
	assert_ptr_equal(page_pool_block(p, 0)->sole, &two);
	page_pool_remove(p, 0);
	assert_int_equal(p->free, 0);
	assert_null(page_pool_block(p, 0));
}

/* A block of a domain's comes in with all of its pages in use, and pages of it go to another. */
static void adopted(void **state)
{
	struct page_pool *p = begun();
	uint32_t hint = PAGE_POOL_NONE;

	(void)state;
	assert_int_equal(page_pool_add(p, &one), 0);
	assert_int_equal(p->free, 0);
	assert_int_equal(taken(p, &two, &hint, true), PAGE_POOL_NONE);
	assert_false(page_pool_give(p, 7));
	assert_ptr_equal(page_pool_block(p, 0)->sole, &one);
	assert_int_equal(taken(p, &one, &hint, true), 7);
	assert_ptr_equal(page_pool_block(p, 0)->sole, &one);
	assert_false(page_pool_give(p, 511));
	assert_int_equal(taken(p, &two, &hint, true), 511);
	assert_null(page_pool_block(p, 0)->sole);
}

/* The domain's own first, then the fullest. */
static void choice(void **state)
{
	struct page_pool *p = begun();
	uint32_t a = PAGE_POOL_NONE, b = PAGE_POOL_NONE, hint;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(page_pool_add(p, NULL), i);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(taken(p, &one, &a, false), i);
	b = 1;
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(taken(p, &two, &b, false), EACH + i);
	hint = PAGE_POOL_NONE;
	assert_int_equal(taken(p, &one, &hint, false), 100);
	assert_int_equal(hint, 0);
	hint = 99; /* no such block */
	assert_int_equal(taken(p, &two, &hint, false), EACH + 200);
	hint = PAGE_POOL_NONE;
	assert_int_equal(taken(p, state, &hint, false), EACH + 201);
	page_pool_remove(p, 1);
	assert_int_equal(p->free, 411 + EACH);
	assert_int_equal(page_pool_add(p, NULL), 1);
}

/* What is promised is not open. */
static void promises(void **state)
{
	struct page_pool *p = begun();
	uint32_t hint = PAGE_POOL_NONE;

	(void)state;
	assert_int_equal(page_pool_add(p, NULL), 0);
	p->promised = EACH - 1;
	assert_int_equal(page_pool_open(p), 1);
	assert_int_equal(taken(p, &one, &hint, false), 0);
	assert_int_equal(taken(p, &one, &hint, false), PAGE_POOL_NONE);
	p->promised--;
	assert_int_equal(taken(p, &one, &hint, false), 1);
}

/* Against an array of whose each page is. */
#define BLOCKS 6u
#define OWNERS 3u
static uint8_t model[BLOCKS * EACH]; /* 0: no such page; 1: free; else an owner's, from 2 */
static bool used[BLOCKS * EACH];

static void check(struct page_pool *p)
{
	uint64_t free = 0;
	uint32_t whole = 0;

	for (uint32_t b = 0; b < BLOCKS; b++) {
		const struct page_pool_block *block = page_pool_block(p, b);
		uint32_t of[OWNERS + 2] = {0};

		for (uint32_t k = 0; k < EACH; k++)
			of[model[b * EACH + k]]++;
		assert_int_equal(block == NULL, of[0] == EACH);
		if (!block)
			continue;
		assert_int_equal(block->free, of[1]);
		for (uint32_t k = 0; k < EACH; k++)
			assert_int_equal(block->map[k / 64] >> (k % 64) & 1, model[b * EACH + k] == 1);
		free += of[1];
		whole += of[1] == EACH;
		/* said to be one's alone only if it is */
		for (uint32_t o = 0; o < OWNERS && of[1] < EACH; o++)
			if (block->sole == &model[o])
				assert_int_equal(of[o + 2] + of[1], EACH);
	}
	assert_int_equal(p->free, free);
	assert_int_equal(p->whole, whole);
}

static void random_against_model(void **state)
{
	struct page_pool *p = begun();
	uint32_t hint[OWNERS] = {PAGE_POOL_NONE, PAGE_POOL_NONE, PAGE_POOL_NONE};

	(void)state;
	srand(7);
	for (unsigned step = 0; step < 60000; step++) {
		uint32_t o = (uint32_t)rand() % OWNERS, page = (uint32_t)rand() % (BLOCKS * EACH), b = page / EACH;
		unsigned what = (unsigned)rand() % 100;

		/* more is taken than given for a while, and then the other way round */
		if (what < (step / 4000 % 2 ? 40u : 58u)) {
			bool dirty, none = p->free == 0;

			page = page_pool_take(p, &model[o], &hint[o], &dirty);
			assert_int_equal(page == PAGE_POOL_NONE, none);
			if (page == PAGE_POOL_NONE)
				continue;
			assert_int_equal(model[page], 1);
			assert_int_equal(dirty, used[page]);
			model[page] = (uint8_t)(o + 2);
			used[page] = true;
		} else if (what < 98) {
			bool all = true;

			if (model[page] < 2)
				continue;
			model[page] = 1;
			for (uint32_t k = 0; k < EACH; k++)
				all = all && model[b * EACH + k] == 1;
			assert_int_equal(page_pool_give(p, page), all);
		} else if (what == 98 && page_pool_block(p, b) && rand() % 8 == 0) {
			page_pool_remove(p, b);
			memset(&model[b * EACH], 0, EACH);
		} else if (what == 99 && p->count < BLOCKS) {
			bool whose = rand() % 2;

			b = page_pool_add(p, whose ? &model[o] : NULL);
			assert_in_range(b, 0, BLOCKS - 1);
			memset(&model[b * EACH], whose ? (int)o + 2 : 1, EACH);
			memset(&used[b * EACH], whose, EACH);
		}
		if (step % 50 == 0)
			check(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(new_pages_are_clean), cmocka_unit_test(adopted), cmocka_unit_test(choice), cmocka_unit_test(promises),
					   cmocka_unit_test(random_against_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
