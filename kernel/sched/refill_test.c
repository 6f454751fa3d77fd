/*
 * Refills: exact cases, and random use beside the rules that must hold for any: amounts add up to the budget,
 * times are ordered without overlap, the head is usable, and in no window of one period is more than the
 * budget used.
 */
#include "sched/sched_context.h"
#include "panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define MIN	    20u
#define MAX_REFILLS 16u

struct percpu *percpu_host;
uint64_t window_host_base;

void panic(const char *format, ...)
{
	fprintf(stderr, "panic: %s\n", format);
	abort();
}

static struct sched_context *make(void)
{
	struct sched_context *sc = calloc(1, sizeof(*sc) + MAX_REFILLS * sizeof(struct refill));

	refill_min_budget = MIN;
	return sc;
}

static struct refill at(struct sched_context *sc, unsigned i)
{
	return sc->refills[(sc->refill_head + i) % sc->refill_max];
}

static void valid(struct sched_context *sc)
{
	ticks_t sum = 0;

	assert_in_range(sc->refill_count, 1, sc->refill_max);
	for (unsigned i = 0; i < sc->refill_count; i++) {
		assert_true(at(sc, i).amount > 0);
		if (i > 0)
			assert_true(at(sc, i - 1).time + at(sc, i - 1).amount <= at(sc, i).time);
		sum += at(sc, i).amount;
	}
	assert_int_equal(sum, sc->budget);
	assert_true(at(sc, 0).amount >= MIN);
}

static void refill_is(struct sched_context *sc, unsigned i, ticks_t time, ticks_t amount)
{
	assert_int_equal(at(sc, i).time, time);
	assert_int_equal(at(sc, i).amount, amount);
}

static void test_new_is_usable_at_once(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 2, 100, 1000, 5000);
	valid(sc);
	refill_is(sc, 0, 5000, 100);
	assert_true(refill_ready(sc, 5000));
	assert_true(refill_sufficient(sc, 80));
	assert_false(refill_sufficient(sc, 81));
	assert_int_equal(refill_capacity(sc, 200), 0);
	free(sc);
}

static void test_part_comes_back_after_a_period(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 30);
	valid(sc);
	assert_int_equal(sc->refill_count, 2);
	refill_is(sc, 0, 5030, 70);
	refill_is(sc, 1, 6000, 30);
	free(sc);
}

static void test_all_used(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 30);
	refill_budget_check(sc, 70);
	valid(sc);
	/* the two parts meet: one refill */
	assert_int_equal(sc->refill_count, 1);
	refill_is(sc, 0, 6000, 100);
	assert_false(refill_ready(sc, 5100));
	free(sc);
}

static void test_small_rest_joins_the_next(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 90);
	valid(sc);
	assert_int_equal(sc->refill_count, 1);
	refill_is(sc, 0, 5990, 100);
	free(sc);
}

static void test_full_ring_waits(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 2, 200, 1000, 5000);
	refill_budget_check(sc, 30);
	assert_true(refill_unblock_check(sc, 5200));
	refill_budget_check(sc, 30);
	valid(sc);
	assert_int_equal(sc->refill_count, 2);
	refill_is(sc, 0, 5230, 140);
	refill_is(sc, 1, 6170, 60); /* ends where 30 more at 6200 begin */
	free(sc);
}

static void test_overrun_of_many_periods(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 30);
	refill_budget_check(sc, 100 * 7 + 10);
	valid(sc);
	assert_true(at(sc, 0).time >= 5000 + 7 * 1000);
	refill_budget_check(sc, UINT64_MAX / 2);
	valid(sc);
	free(sc);
}

/* The timer comes a few ticks after the budget's end, always: that costs those ticks, not a period. */
static void test_late_timer(void **state)
{
	struct sched_context *sc = make();
	ticks_t now = 5000, total = 0;

	(void)state;
	srand(2);
	refill_new(sc, 8, 1000, 4000, now);
	while (now < 5000 + 1000 * 4000) {
		ticks_t usage;

		if (!refill_ready(sc, now))
			now = refill_head(sc)->time;
		refill_unblock_check(sc, now);
		usage = refill_capacity(sc, 0) + (ticks_t)rand() % 4;
		refill_budget_check(sc, usage);
		valid(sc);
		now += usage;
		total += usage;
	}
	assert_in_range(total, 1000 * 1000 * 99 / 100, 1000 * 1000 * 101 / 100);
	free(sc);
}

static void test_unblock_moves_and_merges(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 30);
	assert_true(refill_unblock_check(sc, 5500));
	refill_is(sc, 0, 5500, 70);
	refill_is(sc, 1, 6000, 30);
	assert_true(refill_unblock_check(sc, 5950));
	valid(sc);
	assert_int_equal(sc->refill_count, 1);
	refill_is(sc, 0, 5950, 100);

	refill_budget_check(sc, 100);
	assert_false(refill_unblock_check(sc, 6100));
	free(sc);
}

static void test_round_robin(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 2, 100, 0, 5000);
	assert_true(refill_ready(sc, 0));
	refill_budget_check(sc, 60);
	assert_int_equal(refill_capacity(sc, 0), 40);
	refill_budget_check(sc, 40);
	assert_int_equal(refill_capacity(sc, 0), 100);
	refill_budget_check(sc, 90);
	assert_int_equal(refill_capacity(sc, 0), 100); /* a rest below the minimum is the slice's end */
	assert_false(refill_unblock_check(sc, 9000));
	free(sc);
}

static void test_update_keeps_what_is_left(void **state)
{
	struct sched_context *sc = make();

	(void)state;
	refill_new(sc, 4, 100, 1000, 5000);
	refill_budget_check(sc, 60);
	refill_update(sc, 4, 200, 2000, 5100);
	valid(sc);
	refill_is(sc, 0, 5100, 40);
	refill_is(sc, 1, 7100, 160);

	refill_update(sc, 4, 30, 2000, 5100);
	valid(sc);
	refill_is(sc, 0, 5100, 30);

	refill_update(sc, 2, 300, 0, 5200);
	assert_int_equal(refill_capacity(sc, 0), 30);
	free(sc);
}

/* Runs as a thread would, and remembers when: no window of one period may hold more than budget (and one
 * minimum). */
static void random_run(uint16_t max, ticks_t budget, ticks_t period, bool sporadic)
{
	enum { STEPS = 4000 };
	static struct refill used[STEPS];
	struct sched_context *sc = make();
	ticks_t now = 1000;
	unsigned n = 0;

	refill_new(sc, max, budget, period, now);
	for (unsigned i = 0; i < STEPS; i++) {
		ticks_t want = (ticks_t)rand() % (budget + 10), head;

		if (!refill_ready(sc, now))
			now = refill_head(sc)->time;
		if (!sporadic || rand() % 3 == 0)
			refill_unblock_check(sc, now);
		head = refill_capacity(sc, 0);
		assert_true(head >= MIN);
		if (want > head)
			want = head;
		used[n++] = (struct refill){now, want};
		now += want;
		refill_budget_check(sc, want);
		valid(sc);
		if (rand() % 2)
			now += (ticks_t)rand() % period;
	}
	/* one that is preempted and keeps its old start times may use more in one window, as a delayed
	 * periodic task does */
	for (unsigned i = 0; i < n && !sporadic; i++) {
		ticks_t sum = 0, end = used[i].time + period;

		for (unsigned j = i; j < n && used[j].time < end; j++)
			sum += used[j].time + used[j].amount <= end ? used[j].amount : end - used[j].time;
		/* readiness is granted half a minimum early, per refill used */
		assert_true(sum <= budget + max * (MIN / 2));
	}
	free(sc);
}

static void test_random(void **state)
{
	(void)state;
	srand(1);
	for (unsigned i = 0; i < 40; i++) {
		ticks_t budget = MIN + (ticks_t)rand() % 500;

		random_run((uint16_t)(2 + rand() % 14), budget, budget + 1 + (ticks_t)rand() % 2000, i & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new_is_usable_at_once),
	    cmocka_unit_test(test_part_comes_back_after_a_period),
	    cmocka_unit_test(test_all_used),
	    cmocka_unit_test(test_small_rest_joins_the_next),
	    cmocka_unit_test(test_full_ring_waits),
	    cmocka_unit_test(test_overrun_of_many_periods),
	    cmocka_unit_test(test_late_timer),
	    cmocka_unit_test(test_unblock_moves_and_merges),
	    cmocka_unit_test(test_round_robin),
	    cmocka_unit_test(test_update_keeps_what_is_left),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
