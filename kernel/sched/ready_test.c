// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/sched/refill.c
/* Ready queues beside a simple model: an array of lists. */
#include "sched/sched.h"
#include "panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define THREADS 24u

static struct percpu cpu0;
struct percpu *percpu_host = &cpu0;
uint64_t window_host_base;

static struct tcb threads[THREADS];
static struct tcb *model[PRIORITIES][THREADS];
static unsigned model_count[PRIORITIES];

void panic(const char *format, ...)
{
	fprintf(stderr, "panic: %s\n", format);
	abort();
}

ticks_t cpu_rdtsc(void)
{
	return 0;
}

static void model_remove(struct tcb *t)
{
	unsigned p = t->priority, n = 0;

	for (unsigned i = 0; i < model_count[p]; i++)
		if (model[p][i] != t)
			model[p][n++] = model[p][i];
	model_count[p] = n;
}

static void model_insert(struct tcb *t, bool head)
{
	unsigned p = t->priority, n = model_count[p]++;

	if (head)
		memmove(&model[p][1], &model[p][0], n * sizeof(model[p][0]));
	model[p][head ? 0 : n] = t;
}

static void compare(void)
{
	struct tcb *highest = NULL;

	for (unsigned p = 0; p < PRIORITIES; p++) {
		struct tcb *t = cpu0.ready[p].head, *prev = NULL;

		for (unsigned i = 0; i < model_count[p]; i++, prev = t, t = t->queue_next) {
			assert_ptr_equal(t, model[p][i]);
			assert_ptr_equal(t->queue_prev, prev);
		}
		assert_null(t);
		assert_ptr_equal(cpu0.ready[p].tail, prev);
		assert_int_equal(cpu0.ready_l2[p / 64] >> (p % 64) & 1, model_count[p] > 0);
		if (model_count[p])
			highest = model[p][0];
	}
	assert_ptr_equal(ready_highest(&cpu0), highest);
	assert_int_equal(cpu0.ready_top, highest ? highest->priority : -1);
	assert_true(ready_is_highest(&cpu0, 255));
	assert_int_equal(ready_is_highest(&cpu0, 0), !highest || highest->priority == 0);
}

static void test_random(void **state)
{
	static const uint8_t priorities[] = {0, 1, 63, 64, 127, 128, 191, 192, 254, 255};

	(void)state;
	cpu0.ready_top = -1;
	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		struct tcb *t = &threads[(unsigned)rand() % THREADS];
		bool head = rand() % 2;

		if (t->queued) {
			ready_enqueue(t); /* no effect */
			ready_append(t);
			compare();
			ready_dequeue(t);
			model_remove(t);
			ready_dequeue(t);
		} else {
			t->priority = priorities[(unsigned)rand() % ARRAY_SIZE(priorities)];
			if (head)
				ready_enqueue(t);
			else
				ready_append(t);
			model_insert(t, head);
		}
		compare();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
