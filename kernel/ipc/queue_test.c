/* Waiting queues: highest priority first, first come first served among equals, whatever is taken out
 * between. */
#include "ipc/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define THREADS 16u

uint64_t window_host_base;

static struct tcb threads[THREADS];
static unsigned arrival[THREADS]; /* 0: not waiting */

static void check(const struct queue *q)
{
	const struct tcb *t = q->head, *prev = NULL;
	unsigned n = 0, waiting = 0;

	for (; t; prev = t, t = t->ipc_next, n++) {
		assert_ptr_equal(t->ipc_prev, prev);
		assert_true(arrival[t - threads]);
		if (!prev)
			continue;
		assert_true(prev->priority >= t->priority);
		if (prev->priority == t->priority)
			assert_true(arrival[prev - threads] < arrival[t - threads]);
	}
	assert_ptr_equal(q->tail, prev);
	for (unsigned i = 0; i < THREADS; i++)
		waiting += arrival[i] != 0;
	assert_int_equal(n, waiting);
}

static void test_random(void **state)
{
	struct queue q = {NULL, NULL};

	(void)state;
	srand(3);
	for (unsigned i = 1; i < 20000; i++) {
		unsigned k = (unsigned)rand() % THREADS;

		if (arrival[k]) {
			queue_remove(&q, &threads[k]);
			arrival[k] = 0;
		} else {
			threads[k].priority = (uint8_t)(rand() % 4);
			queue_insert(&q, &threads[k]);
			arrival[k] = i;
		}
		check(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
