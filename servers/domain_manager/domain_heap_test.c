/* One domain at its limit, and one at the end of the memory, beside another. */
// links: user/heap.c servers/domain_manager/p2m.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include "servers/domain_manager/domain_heap.h"
#include "servers/domain_manager/p2m.h"

static uint64_t memory_left;
static unsigned times;

static int more(struct domain_heap *h, uint8_t *at, uint64_t bytes)
{
	assert_ptr_equal(at, h->heap.start + h->bytes);
	assert_true(bytes % DOMAIN_HEAP_STEP == 0 && h->bytes + bytes <= h->limit);
	if (bytes > memory_left)
		return -ENOMEM;
	memory_left -= bytes;
	times++;
	return 0;
}

static struct domain_heap heap_of(void *stretch)
{
	struct domain_heap h;

	domain_heap_init(&h, stretch, more);
	return h;
}

static void limit(void **state)
{
	uint8_t *stretch = aligned_alloc(4096, 2 * DOMAIN_HEAP_MAX);
	struct domain_heap greedy = heap_of(stretch), other = heap_of(stretch + DOMAIN_HEAP_MAX);
	struct p2m p, q;
	uint64_t gfn = 0;
	int r;

	(void)state;
	memory_left = UINT64_MAX;
	p2m_init(&p, &greedy);
	p2m_init(&q, &other);
	/* a single page in each 2 MiB: until its heap has what it may have */
	while (!(r = p2m_set(&p, gfn, (struct p2m_entry){.kind = P2M_RAM, .frame = 1})))
		gfn += P2M_LARGE_PAGES;
	assert_int_equal(r, -ENOMEM);
	assert_true(greedy.bytes <= DOMAIN_HEAP_BASE && greedy.bytes > DOMAIN_HEAP_BASE * 3 / 4);
	assert_int_equal(p.pages[P2M_RAM], gfn / P2M_LARGE_PAGES);
	assert_int_equal(p2m_get(&p, gfn).kind, P2M_NONE);
	assert_int_equal(p2m_set(&p, gfn, (struct p2m_entry){.kind = P2M_RAM, .frame = 1}), -ENOMEM);
	assert_true(heap_check(&greedy.heap));
	/* nobody else notices */
	for (uint64_t g = 0; g < 100 * P2M_LARGE_PAGES; g += P2M_LARGE_PAGES)
		assert_int_equal(p2m_set(&q, g, (struct p2m_entry){.kind = P2M_RAM, .frame = 1}), 0);
	/* what it gives back it can use again */
	for (uint64_t g = 0; g < 8 * P2M_LARGE_PAGES; g += P2M_LARGE_PAGES)
		assert_int_equal(p2m_clear(&p, g), 0);
	assert_int_equal(p2m_set(&p, 0, (struct p2m_entry){.kind = P2M_RAM, .frame = 1}), 0);
	/* and with more memory it may note more */
	domain_heap_allow(&greedy, 1u << 20);
	domain_heap_allow(&greedy, 0);
	assert_int_equal(greedy.limit, DOMAIN_HEAP_BASE + (12u << 20));
	domain_heap_allow_more(&greedy, 1u << 20);
	assert_int_equal(greedy.limit, DOMAIN_HEAP_BASE + (13u << 20));
	domain_heap_allow(&greedy, 1u << 19); /* less than before, with what is beside the pages */
	assert_int_equal(greedy.limit, DOMAIN_HEAP_BASE + (13u << 20));
	domain_heap_allow(&greedy, 1u << 20);
	assert_int_equal(greedy.limit, DOMAIN_HEAP_BASE + (13u << 20));
	domain_heap_allow_more(&greedy, UINT32_MAX);
	assert_int_equal(greedy.limit, DOMAIN_HEAP_MAX);
	assert_int_equal(p2m_set(&p, gfn, (struct p2m_entry){.kind = P2M_RAM, .frame = 1}), 0);
	for (uint64_t g = P2M_LARGE_PAGES * 8; g < gfn; g += P2M_LARGE_PAGES)
		assert_int_equal(p2m_get(&p, g).kind, P2M_RAM);
	p2m_free(&p);
	p2m_free(&q);
	assert_int_equal(greedy.heap.used, 0);
	free(stretch);
}

static void no_memory(void **state)
{
	uint8_t *stretch = aligned_alloc(4096, 2 * DOMAIN_HEAP_MAX);
	struct domain_heap h = heap_of(stretch);
	uint8_t *a, *b;

	(void)state;
	memory_left = 2 * DOMAIN_HEAP_STEP;
	a = domain_heap_alloc(&h, 100, 100);
	assert_non_null(a);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(a[i], 0);
	a[9999] = 7;
	assert_null(domain_heap_resize(&h, a, 1000, 100));
	assert_null(domain_heap_alloc(&h, SIZE_MAX / 2, 3));
	assert_null(domain_heap_resize(&h, a, SIZE_MAX / 2, 3));
	assert_null(domain_heap_alloc(&h, DOMAIN_HEAP_MAX, 1));
	assert_int_equal(h.bytes, DOMAIN_HEAP_STEP);
	b = domain_heap_resize(&h, a, 15000, 1);
	assert_non_null(b);
	assert_int_equal(b[9999], 7);
	domain_heap_free(&h, b);
	domain_heap_free(&h, NULL);
	assert_int_equal(h.heap.used, 0);
	free(stretch);
}

/* Small pieces become a heap as large as it may be in few steps; where there is no memory for one, in the smallest. */
static void growth(void **state)
{
	uint8_t *stretch = aligned_alloc(4096, DOMAIN_HEAP_MAX);
	struct domain_heap h = heap_of(stretch);

	(void)state;
	memory_left = UINT64_MAX;
	times = 0;
	domain_heap_allow(&h, UINT32_MAX);
	while (h.bytes < DOMAIN_HEAP_MAX / 2)
		assert_non_null(domain_heap_alloc(&h, 1000, 1));
	assert_in_range(times, 16, 150);
	memory_left = 2 * DOMAIN_HEAP_STEP;
	while (domain_heap_alloc(&h, 1000, 1))
		;
	assert_int_equal(memory_left, 0);
	free(stretch);
}

/* However large the blocks have become, a heap ends at its limit, and the last of it can be used. */
static void to_the_limit(void **state)
{
	uint8_t *stretch = aligned_alloc(4096, DOMAIN_HEAP_MAX);
	struct domain_heap h = heap_of(stretch);

	(void)state;
	memory_left = UINT64_MAX;
	domain_heap_allow(&h, 3 * DOMAIN_HEAP_STEP / 8);
	while (domain_heap_alloc(&h, 1000, 1))
		assert_true(h.bytes <= h.limit);
	assert_true(h.bytes <= h.limit && h.limit - h.bytes < DOMAIN_HEAP_STEP);
	free(stretch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(limit), cmocka_unit_test(no_memory), cmocka_unit_test(growth), cmocka_unit_test(to_the_limit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
