/* Random insertions and removals, the whole tree checked after each. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "rbtree/rbtree.h"

struct item {
	struct rbtree_node node;
	uint32_t serial; /* order of insertion */
};

static uint32_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void check(const struct rbtree *t, size_t expected)
{
	size_t count;

	assert_true(rbtree_valid(t, &count));
	assert_int_equal(count, expected);
	for (struct rbtree_node *n = rbtree_first(t); n != NULL; n = rbtree_next(n)) {
		struct rbtree_node *m = rbtree_next(n);
		if (m != NULL && m->key == n->key)
			assert_true(RBTREE_OWNER(n, struct item, node)->serial <
				    RBTREE_OWNER(m, struct item, node)->serial);
	}
}

static void churn(uint32_t keys)
{
	enum { ITEMS = 100 };
	static struct item items[ITEMS];
	struct rbtree t;
	size_t linked = 0;
	uint64_t seed = keys;

	rbtree_init(&t);
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = (struct item){0};
	for (uint32_t round = 1; round < 20000; round++) {
		struct item *x = &items[dice(&seed) % ITEMS];
		if (rbtree_linked(&x->node)) {
			rbtree_erase(&t, &x->node);
			linked--;
		} else {
			uint64_t key = dice(&seed) % keys;
			const struct rbtree_node *f = rbtree_first(&t);
			bool should = f == NULL || key < f->key;
			x->serial = round;
			assert_int_equal(rbtree_insert(&t, &x->node, key), should);
			linked++;
		}
		check(&t, linked);
	}
	while (rbtree_first(&t) != NULL) {
		rbtree_erase(&t, rbtree_first(&t));
		check(&t, --linked);
	}
}

static void test_few_keys(void **state)
{
	(void)state;
	churn(5);
}

static void test_many_keys(void **state)
{
	(void)state;
	churn(1u << 30);
}

static void test_ascending(void **state)
{
	static struct item items[1000];
	struct rbtree t;

	(void)state;
	rbtree_init(&t);
	for (uint32_t i = 0; i < 1000; i++) {
		items[i].serial = i;
		assert_int_equal(rbtree_insert(&t, &items[i].node, UINT64_MAX - i / 3), i % 3 == 0);
		check(&t, i + 1);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		rbtree_erase(&t, &items[(i * 7) % 1000].node);
		check(&t, 999 - i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_few_keys),
	    cmocka_unit_test(test_many_keys),
	    cmocka_unit_test(test_ascending),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
