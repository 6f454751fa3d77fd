/* Waiting queues: highest priority first, first come first served among equals, whatever is taken out
 * between. */
#include "ipc/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define THREADS	  64u
#define STEPS_MAX 8 /* priorities in the test */

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
	/* from the last of a priority to the last of the next */
	for (t = q->tail; t && t->priority != q->head->priority; t = t->ipc_higher) {
		const struct tcb *first = t;

		while (first->ipc_prev && first->ipc_prev->priority == t->priority)
			first = first->ipc_prev;
		assert_ptr_equal(t->ipc_higher, first->ipc_prev);
	}
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

		if (rand() % 8 == 0 && q.head) { /* as endpoints do it */
			k = (unsigned)(q.head - threads);
			q.head = threads[k].ipc_next;
			if (q.head)
				q.head->ipc_prev = NULL;
			else
				q.tail = NULL;
			threads[k].ipc_next = NULL;
			arrival[k] = 0;
		} else if (arrival[k]) {
			queue_remove(&q, &threads[k]);
			arrival[k] = 0;
		} else {
			threads[k].priority = (uint8_t)(rand() % STEPS_MAX);
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
