/* Budgets and periods: exact cases, and CPUs full of vCPUs that always want to run, simulated turn by turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "servers/domain_manager/cpu_share.h"

#define TURN	    5000u
#define LEAST	    1000u
#define VCPUS	    12u
#define TEN_SECONDS 10000000ull

struct sim {
	uint32_t weight, cap;
	struct cpu_share s;
	uint64_t released, used;
};

static void is(struct cpu_share s, uint32_t budget, uint32_t period)
{
	assert_int_equal(s.budget_us, budget);
	assert_int_equal(s.period_us, period);
}

static void weights(void **state)
{
	struct cpu_share_load l;

	(void)state;
	cpu_share_begin(&l, TURN, LEAST);
	cpu_share_add(&l, 256);
	is(cpu_share_of(&l, 256, 0), 5000, 5000);
	cpu_share_add(&l, 256);
	is(cpu_share_of(&l, 256, 0), 5000, 10000);
	/* nobody's turn is longer than that */
	cpu_share_add(&l, 512);
	is(cpu_share_of(&l, 256, 0), 2500, 10000);
	is(cpu_share_of(&l, 512, 0), 5000, 10000);
	/* the light one's turn is not shorter than wanted: the round is longer, */
	cpu_share_begin(&l, 1000, 1500);
	cpu_share_add(&l, 256);
	cpu_share_add(&l, 300);
	is(cpu_share_of(&l, 256, 0), 1499, 3257);
	/* but the heavy one's is no longer than it may be, */
	cpu_share_add(&l, 768);
	is(cpu_share_of(&l, 256, 0), 633, 3275);
	is(cpu_share_of(&l, 768, 0), 1899, 3275);
	/* or than what is wanted for the light one */
	cpu_share_begin(&l, 1000, 4000);
	cpu_share_add(&l, 256);
	cpu_share_add(&l, 768);
	is(cpu_share_of(&l, 256, 0), 1333, 5333);
	/* proportion comes first */
	cpu_share_begin(&l, 1000, 1000);
	cpu_share_add(&l, 10);
	cpu_share_add(&l, 1000);
	is(cpu_share_of(&l, 10, 0), 100, 10100);
	is(cpu_share_of(&l, 1000, 0), 10000, 10100);
	/* as far as that goes */
	cpu_share_begin(&l, TURN, LEAST);
	cpu_share_add(&l, 0);
	cpu_share_add(&l, 65535);
	is(cpu_share_of(&l, 0, 0), CPU_SHARE_TURN_MIN, CPU_SHARE_ROUND_MAX);
	is(cpu_share_of(&l, 65535, 0), 99998, CPU_SHARE_ROUND_MAX);
}

/* Whoever is there: nobody waits longer than 2 ms for one turn of another, unless weights are twentyfold and more. */
static void longest_turn(void **state)
{
	(void)state;
	srand(11);
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t n = 2 + (uint32_t)rand() % 20, turn = 1000 + (uint32_t)rand() % 901, heaviest = 0;
		struct cpu_share_load l;

		cpu_share_begin(&l, turn, LEAST);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t weight = 100 + (uint32_t)rand() % 1800;

			heaviest = weight > heaviest ? weight : heaviest;
			cpu_share_add(&l, weight);
		}
		assert_true(cpu_share_of(&l, heaviest, 0).budget_us <= CPU_SHARE_TURN_MAX);
	}
}

static void caps(void **state)
{
	struct cpu_share_load l;

	(void)state;
	cpu_share_begin(&l, TURN, LEAST);
	cpu_share_add(&l, 256);
	is(cpu_share_of(&l, 256, 2500), 1250, 5000);
	is(cpu_share_of(&l, 256, 100), 100, 10000);
	is(cpu_share_of(&l, 256, 1), 100, 1000000);
	is(cpu_share_of(&l, 256, 9999), 5000, 5001);
	is(cpu_share_of(&l, 256, 10000), 5000, 5000);
	cpu_share_add(&l, 256);
	/* above the share by weight: its turn is as long as the other's */
	is(cpu_share_of(&l, 256, 8000), 5000, 6250);
	is(cpu_share_of(&l, 256, 5000), 5000, 10000);
	is(cpu_share_of(&l, 256, 3000), 3000, 10000);
}

/* What the kernel does: whoever is ready has its turn in the order of readiness; a budget comes back one
 * period after it was released. */
static void run(struct sim *v, unsigned n, uint64_t end)
{
	uint64_t now = 0;
	bool queued[VCPUS];
	unsigned queue[VCPUS], length = 0;

	for (unsigned i = 0; i < n; i++) {
		queued[i] = true;
		queue[length++] = i;
		v[i].released = v[i].used = 0;
	}
	while (now < end) {
		unsigned i = queue[0], next;

		if (!length) {
			now = UINT64_MAX;
			for (next = 0; next < n; next++)
				now = v[next].released < now ? v[next].released : now;
		} else {
			for (unsigned k = 1; k < length; k++)
				queue[k - 1] = queue[k];
			length--;
			queued[i] = false;
			now += v[i].s.budget_us;
			v[i].used += v[i].s.budget_us;
			if (!v[i].s.capped)
				v[i].released = now;
			else
				v[i].released += v[i].s.period_us;
		}
		/* in the order of their time */
		for (;;) {
			next = n;
			for (unsigned k = 0; k < n; k++)
				if (!queued[k] && v[k].released <= now &&
				    (next == n || v[k].released < v[next].released))
					next = k;
			if (next == n)
				break;
			queued[next] = true;
			queue[length++] = next;
		}
	}
}

/* What is fair: by weight, but nobody more than its cap; what that leaves goes to the others by weight. In
 * millionths. */
static void fair(const struct sim *v, unsigned n, uint64_t *share)
{
	bool full[VCPUS] = {false};
	uint64_t left = 1000000, weights;
	bool again = true;

	while (again) {
		again = false;
		weights = 0;
		for (unsigned i = 0; i < n; i++)
			weights += full[i] ? 0 : v[i].weight;
		for (unsigned i = 0; i < n; i++)
			if (!full[i])
				share[i] = left * v[i].weight / weights;
		for (unsigned i = 0; i < n && !again; i++)
			if (!full[i] && v[i].cap && share[i] > v[i].cap * 100ull) {
				share[i] = v[i].cap * 100ull;
				left -= share[i];
				full[i] = again = true;
			}
	}
}

/* Whatever their weights (up to a hundredfold) and caps, ten seconds are shared as they say, within 5 %. */
static void ten_seconds(void **state)
{
	static const uint32_t turns[] = {1000, 2000, 5000};

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 600; round++) {
		struct sim v[VCPUS];
		struct cpu_share_load l;
		uint64_t share[VCPUS];
		unsigned n = 1 + (unsigned)rand() % VCPUS, capped = round % 3 ? 3 : 0;

		cpu_share_begin(&l, turns[rand() % 3], LEAST);
		for (unsigned i = 0; i < n; i++) {
			v[i].weight = rand() % 2 ? 256 : 64 + (uint32_t)rand() % 6400;
			v[i].cap =
			    capped && (unsigned)rand() % 4 < capped ? 200 + (uint32_t)rand() % 12000 : 0;
			cpu_share_add(&l, v[i].weight);
		}
		for (unsigned i = 0; i < n; i++) {
			v[i].s = cpu_share_of(&l, v[i].weight, v[i].cap);
			assert_true(v[i].s.budget_us >= CPU_SHARE_TURN_MIN &&
				    v[i].s.period_us >= v[i].s.budget_us);
			if (v[i].cap >= CPU_SHARE_CAP_WHOLE)
				v[i].cap = 0;
		}
		run(v, n, TEN_SECONDS);
		fair(v, n, share);
		for (unsigned i = 0; i < n; i++) {
			uint64_t want = share[i] * (TEN_SECONDS / 1000000),
				 error = v[i].used > want ? v[i].used - want : want - v[i].used;

			assert_true(error * 100 <= want * 5);
		}
	}
}

/* Any numbers at all: what comes out can be given to the kernel. */
static void anything(void **state)
{
	(void)state;
	srand(2);
	for (unsigned round = 0; round < 2000; round++) {
		struct cpu_share_load l;
		uint32_t weight = 0;

		cpu_share_begin(&l, (uint32_t)rand() % 500001, (uint32_t)rand() % 500001);
		for (unsigned n = 1 + (unsigned)rand() % 9000; n; n--)
			cpu_share_add(&l, weight = (uint32_t)rand() % 65536);
		for (unsigned k = 0; k < 20; k++) {
			struct cpu_share s =
			    cpu_share_of(&l, weight, (uint32_t)rand() % (rand() % 2 ? 10 : 20000));

			assert_in_range(s.budget_us, CPU_SHARE_TURN_MIN, 1000000);
			assert_in_range(s.period_us, s.budget_us, 1000000);
			assert_true(!s.capped || s.period_us > s.budget_us);
		}
	}
}

static void split(void **state)
{
	uint32_t part[4] = {2500, 2500, 2500, 2500}, used[4] = {2500, 0, 0, 0};

	(void)state;
	/* one of four works: it soon has nearly all of it, the others a way back in */
	cpu_share_split(10000, 4, used, part);
	assert_int_equal(part[0], 9700);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(part[i], 100);
	used[0] = 9650;
	used[2] = 99;
	cpu_share_split(10000, 4, used, part);
	assert_int_equal(part[0], 4900);
	assert_int_equal(part[2], 4900);
	/* one needs little */
	used[0] = 4900;
	used[2] = 1000;
	cpu_share_split(10000, 4, used, part);
	assert_int_equal(part[0], 8550);
	assert_int_equal(part[2], 1250);
	/* nobody works: even parts, and none above a whole CPU */
	used[0] = used[2] = 0;
	cpu_share_split(10000, 4, used, part);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(part[i], 2500);
	cpu_share_split(39900, 4, used, part);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(part[i], 9975);
	/* four want all, and a cap that is nearly nothing */
	for (unsigned i = 0; i < 4; i++)
		used[i] = part[i];
	cpu_share_split(20000, 4, used, part);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(part[i], 5000);
	cpu_share_split(100, 4, used, part);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(part[i], 25);
}

/* Loads that change at random, sampled as they are: never more than the cap, and what is wanted of it is had,
 * but for the time it takes to see it. */
static void split_random(void **state)
{
	(void)state;
	srand(3);
	for (unsigned round = 0; round < 2000; round++) {
		unsigned n = 1 + (unsigned)rand() % 32;
		uint32_t cap = 1 + (uint32_t)rand() % (n * CPU_SHARE_CAP_WHOLE), part[32], used[32],
			 wants[32];
		uint64_t had = 0, could;

		for (unsigned i = 0; i < n; i++)
			part[i] = cap / n;
		for (unsigned step = 0; step < 100; step++) {
			uint64_t sum = 0;

			for (unsigned i = 0; i < n && step == 0; i++)
				wants[i] = rand() % 2 ? CPU_SHARE_CAP_WHOLE : (uint32_t)rand() % 3000;
			had = could = 0;
			for (unsigned i = 0; i < n; i++) {
				used[i] = wants[i] < part[i] ? wants[i] : part[i];
				had += used[i];
				could += wants[i];
			}
			cpu_share_split(cap, n, used, part);
			for (unsigned i = 0; i < n; i++) {
				sum += part[i];
				assert_true(part[i] <= CPU_SHARE_CAP_WHOLE && (part[i] > 0 || cap < n));
			}
			assert_true(sum <= cap);
		}
		could = could < cap ? could : cap;
		/* in the end: all but the ways back in, and what those keep in hand who want less than all */
		assert_true(had + n * 101 + could / 4 >= could);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(weights),	cmocka_unit_test(longest_turn), cmocka_unit_test(caps),	 cmocka_unit_test(ten_seconds),
	    cmocka_unit_test(anything), cmocka_unit_test(split), cmocka_unit_test(split_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
