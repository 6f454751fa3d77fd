#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "servers/domain_manager/placement.h"

static void spread(const struct placement *p, uint32_t *least, uint32_t *most)
{
	*least = UINT32_MAX;
	*most = 0;
	for (uint32_t i = 0; i < p->cpus; i++) {
		*least = p->load[i] < *least ? p->load[i] : *least;
		*most = p->load[i] > *most ? p->load[i] : *most;
	}
}

static void all_cpus(void **state)
{
	struct placement p;
	uint32_t least, most;

	(void)state;
	placement_begin(&p, 64);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(placement_take(&p, 0), i);
	/* the first of the least loaded from the hint on, round the end */
	placement_give_back(&p, 3);
	placement_give_back(&p, 60);
	assert_int_equal(placement_take(&p, 61), 3);
	assert_int_equal(placement_take(&p, 4), 60);
	assert_int_equal(placement_take(&p, 63), 63);
	assert_int_equal(placement_take(&p, 63 + 64), 0);
	spread(&p, &least, &most);
	assert_int_equal(least, 1);
	assert_int_equal(most, 2);
}

static void limits(void **state)
{
	struct placement p;

	(void)state;
	placement_begin(&p, 0);
	assert_int_equal(p.cpus, 1);
	assert_int_equal(placement_take(&p, 7), 0);
	assert_int_equal(placement_take(&p, UINT32_MAX), 0);
	placement_begin(&p, PLACEMENT_CPUS_MAX + 5);
	assert_int_equal(p.cpus, PLACEMENT_CPUS_MAX);
	for (uint32_t i = 0; i < 3 * PLACEMENT_CPUS_MAX; i++)
		assert_in_range(placement_take(&p, UINT32_MAX - i), 0, PLACEMENT_CPUS_MAX - 1);
	for (uint32_t i = 0; i < PLACEMENT_CPUS_MAX; i++)
		assert_int_equal(p.load[i], 3);
	/* what was never placed changes nothing */
	placement_begin(&p, 2);
	placement_give_back(&p, 0);
	placement_give_back(&p, 2);
	placement_give_back(&p, UINT32_MAX);
	assert_int_equal(p.load[0], 0);
}

static void moves(void **state)
{
	struct placement p;
	uint32_t from, to;

	(void)state;
	placement_begin(&p, 4);
	for (uint32_t i = 0; i < 16; i++)
		placement_take(&p, 0);
	assert_false(placement_move(&p, &from, &to));
	/* the domain that had all of CPU 2 and half of CPU 1 ends */
	for (uint32_t i = 0; i < 4; i++)
		placement_give_back(&p, 2);
	placement_give_back(&p, 1);
	placement_give_back(&p, 1);
	assert_true(placement_move(&p, &from, &to));
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
	assert_true(placement_move(&p, &from, &to));
	assert_int_equal(from, 3);
	assert_int_equal(to, 2);
	assert_false(placement_move(&p, &from, &to));
	assert_int_equal(p.load[0] + p.load[1] + p.load[2] + p.load[3], 10);
}

static void slices(void **state)
{
	struct placement p;

	(void)state;
	placement_begin(&p, 2);
	assert_int_equal(placement_slice_us(&p, 0), 5000);
	assert_int_equal(placement_slice_us(&p, 2), 0);
	assert_int_equal(placement_slice_us(&p, UINT32_MAX), 0);
	for (uint32_t n = 1; n < 1000; n++) {
		static const uint32_t few[] = {0, 5000, 2000, 1333, 1000};
		uint32_t slice;

		while (p.load[1] < n)
			placement_take(&p, 1);
		slice = placement_slice_us(&p, 1);
		assert_int_equal(slice, few[n < 4 ? n : 4]);
		/* nobody is away for a tick of 4 ms until the turns would be too short */
		assert_true(n == 1 || slice == 1000 || n * slice <= 4000);
	}
	while (p.load[1] > 2)
		placement_give_back(&p, 1);
	assert_int_equal(placement_slice_us(&p, 1), 2000);
}

/* Domains come and go as they like: nobody is further than one vCPU from anybody, once what can be moved has
 * been. */
static void random_domains(void **state)
{
	static uint32_t placed[200][8];
	static uint32_t vcpus[200];
	struct placement p;
	uint32_t least, most, from, to, total = 0;

	(void)state;
	srand(1);
	placement_begin(&p, 7);
	for (unsigned n = 0; n < 20000; n++) {
		unsigned d = (unsigned)rand() % 200;

		if (vcpus[d]) {
			total -= vcpus[d];
			while (vcpus[d])
				placement_give_back(&p, placed[d][--vcpus[d]]);
		} else {
			for (unsigned want = 1 + (unsigned)rand() % 8; vcpus[d] < want; total++) {
				spread(&p, &least, &most);
				placed[d][vcpus[d]] = placement_take(&p, (uint32_t)rand());
				assert_int_equal(p.load[placed[d][vcpus[d]]], least + 1);
				vcpus[d]++;
			}
		}
		while (placement_move(&p, &from, &to)) {
			unsigned k = 0;

			/* some vCPU is there to be moved */
			while (k < 200 * 8 && !(k % 8 < vcpus[k / 8] && placed[k / 8][k % 8] == from))
				k++;
			assert_in_range(k, 0, 200 * 8 - 1);
			placed[k / 8][k % 8] = to;
		}
		spread(&p, &least, &most);
		assert_in_range(most - least, 0, 1);
		from = 0;
		for (uint32_t i = 0; i < p.cpus; i++)
			from += p.load[i];
		assert_int_equal(from, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_cpus),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(moves),
	    cmocka_unit_test(slices),
	    cmocka_unit_test(random_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
