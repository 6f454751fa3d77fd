#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "user/heap.h"

#define BYTES (1u << 20)

static uint8_t memory[BYTES] __attribute__((aligned(64)));

static void random_use_keeps_contents(void **state)
{
	static struct {
		uint8_t *p;
		size_t n;
		uint8_t byte;
	} held[300];
	struct heap h;
	uint32_t seed = 12345;

	(void)state;
	heap_init(&h, memory, BYTES);
	assert_true(heap_check(&h));
	for (unsigned step = 0; step < 60000; step++) {
		unsigned i;

		seed = seed * 1664525u + 1013904223u;
		i = (seed >> 16) % 300;
		if (!held[i].p) {
			size_t n = (seed >> 5) % 9000, align = (step % 7) ? 16 : 1u << (4 + seed % 9);

			held[i].p = heap_alloc_aligned(&h, align, n);
			if (!held[i].p)
				continue;
			assert_int_equal((uintptr_t)held[i].p % align, 0);
			assert_true(heap_size_of(&h, held[i].p) >= n);
			held[i].n = n;
			held[i].byte = (uint8_t)step;
			memset(held[i].p, held[i].byte, n);
		} else if (step % 5 == 0) {
			size_t n = (seed >> 3) % 9000;

			if (heap_resize(&h, held[i].p, n)) {
				for (size_t k = 0; k < (n < held[i].n ? n : held[i].n); k++)
					assert_int_equal(held[i].p[k], held[i].byte);
				held[i].n = n;
				memset(held[i].p, held[i].byte, n);
			}
		} else {
			for (size_t k = 0; k < held[i].n; k++)
				assert_int_equal(held[i].p[k], held[i].byte);
			assert_true(heap_free(&h, held[i].p));
			held[i].p = NULL;
		}
		if (step % 97 == 0)
			assert_true(heap_check(&h));
	}
	for (unsigned i = 0; i < 300; i++)
		if (held[i].p)
			assert_true(heap_free(&h, held[i].p));
	assert_true(heap_check(&h));
	assert_int_equal(h.used, 0);
	/* all of it is one block again */
	assert_non_null(heap_alloc(&h, BYTES / 2));
}

static void limits(void **state)
{
	struct heap h;
	void *p;

	(void)state;
	heap_init(&h, memory, 64);
	assert_null(heap_alloc(&h, 1));
	assert_true(heap_check(&h));
	heap_init(&h, memory, 4096);
	assert_null(heap_alloc(&h, 4096));
	assert_null(heap_alloc(&h, SIZE_MAX));
	assert_null(heap_alloc_aligned(&h, (size_t)1 << 40, 16));
	p = heap_alloc(&h, 4096 - 32);
	assert_non_null(p);
	assert_null(heap_alloc(&h, 0));
	assert_true(heap_free(&h, p));
	p = heap_alloc(&h, 0);
	assert_non_null(p);
	assert_true(heap_check(&h));
}

static void grows(void **state)
{
	struct heap h;
	uint8_t *a, *b;

	(void)state;
	heap_init(&h, memory, 0);
	assert_null(heap_alloc(&h, 1));
	assert_false(heap_extend(&h, 60));
	assert_true(heap_extend(&h, 4096));
	assert_true(heap_check(&h));
	a = heap_alloc(&h, 4096 - 32);
	assert_non_null(a);
	assert_null(heap_alloc(&h, 1));
	memset(a, 0x5a, 4096 - 32);
	assert_true(heap_extend(&h, 4096));
	assert_true(heap_check(&h));
	b = heap_alloc(&h, 1000);
	assert_non_null(b);
	/* what is free at the end and what is added are one block */
	assert_true(heap_extend(&h, 4096));
	assert_non_null(heap_alloc(&h, 4096 + 2000));
	assert_true(heap_check(&h));
	for (unsigned i = 0; i < 4096 - 32; i++)
		assert_int_equal(a[i], 0x5a);
}

/* A second stretch: what lies between stays as it is, and no block reaches into it. */
static void grows_elsewhere(void **state)
{
	struct heap h;
	uint8_t *a, *b;

	(void)state;
	memset(memory, 0x77, 3 * 4096);
	heap_init(&h, memory, 0);
	assert_false(heap_extend_at(&h, memory + 8192, 4096));
	heap_init(&h, memory, 4096);
	assert_false(heap_extend_at(&h, memory + 4080, 4096));
	assert_false(heap_extend_at(&h, memory + 8200, 4096));
	assert_false(heap_extend_at(&h, memory + 8192, 112));
	a = heap_alloc(&h, 4096 - 32);
	assert_non_null(a);
	assert_null(heap_alloc(&h, 1));
	assert_true(heap_extend_at(&h, memory + 8192, 4096));
	assert_true(heap_check(&h));
	b = heap_alloc(&h, 4096 - 32);
	assert_ptr_equal(b, memory + 8192 + 16);
	assert_null(heap_alloc(&h, 1));
	memset(a, 0x5a, 4096 - 32);
	memset(b, 0x5b, 4096 - 32);
	assert_true(heap_check(&h));
	assert_true(heap_free(&h, a));
	assert_true(heap_free(&h, b));
	assert_true(heap_check(&h));
	assert_null(heap_alloc(&h, 4096));
	assert_true(heap_extend(&h, 4096)); /* it still grows at its end */
	assert_non_null(heap_alloc(&h, 8000));
	for (unsigned i = 4096; i < 8192; i++)
		assert_int_equal(memory[i], 0x77);
	/* no gap at all */
	heap_init(&h, memory, 4096);
	assert_true(heap_extend_at(&h, memory + 4096, 4096));
	assert_true(heap_check(&h));
	assert_non_null(heap_alloc(&h, 4000));
	assert_non_null(heap_alloc(&h, 4000));
}

static void damage_is_noticed(void **state)
{
	struct heap h;
	uint8_t *a, *b;

	(void)state;
	heap_init(&h, memory, BYTES);
	a = heap_alloc(&h, 100);
	b = heap_alloc(&h, 100);
	assert_true(heap_free(&h, a));
	assert_false(heap_free(&h, a));
	assert_false(heap_free(&h, b + 16));
	assert_false(heap_free(&h, b + 1));
	assert_false(heap_free(&h, memory + BYTES));
	a = heap_alloc(&h, 100);
	memset(a, 0xff, heap_size_of(&h, a) + 8); /* over its end */
	assert_false(heap_free(&h, a));
	assert_false(heap_free(&h, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_use_keeps_contents), cmocka_unit_test(limits), cmocka_unit_test(grows), cmocka_unit_test(grows_elsewhere),
					   cmocka_unit_test(damage_is_noticed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
