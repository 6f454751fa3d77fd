#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "servers/domain_manager/placement.h"

static struct placement_affinity anywhere;

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
		assert_int_equal(placement_take(&p, &anywhere, 0), i);
	/* the first of the least loaded from the hint on, round the end */
	placement_give_back(&p, 3);
	placement_give_back(&p, 60);
	assert_int_equal(placement_take(&p, &anywhere, 61), 3);
	assert_int_equal(placement_take(&p, &anywhere, 4), 60);
	assert_int_equal(placement_take(&p, &anywhere, 63), 63);
	assert_int_equal(placement_take(&p, &anywhere, 63 + 64), 0);
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
	assert_int_equal(placement_take(&p, &anywhere, 7), 0);
	assert_int_equal(placement_take(&p, &anywhere, UINT32_MAX), 0);
	placement_begin(&p, PLACEMENT_CPUS_MAX + 5);
	assert_int_equal(p.cpus, PLACEMENT_CPUS_MAX);
	for (uint32_t i = 0; i < 3 * PLACEMENT_CPUS_MAX; i++)
		assert_in_range(placement_take(&p, &anywhere, UINT32_MAX - i), 0, PLACEMENT_CPUS_MAX - 1);
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

	(void)state;
	placement_begin(&p, 4);
	for (uint32_t i = 0; i < 16; i++)
		placement_take(&p, &anywhere, 0);
	for (uint32_t cpu = 0; cpu < 4; cpu++)
		assert_int_equal(placement_move(&p, &anywhere, cpu), cpu);
	/* the domain that had all of CPU 2 and half of CPU 1 ends */
	for (uint32_t i = 0; i < 4; i++)
		placement_give_back(&p, 2);
	placement_give_back(&p, 1);
	placement_give_back(&p, 1);
	assert_int_equal(placement_move(&p, &anywhere, 0), 2);
	assert_int_equal(placement_move(&p, &anywhere, 3), 2);
	for (uint32_t cpu = 0; cpu < 4; cpu++)
		assert_int_equal(placement_move(&p, &anywhere, cpu), cpu);
	assert_int_equal(p.load[0] + p.load[1] + p.load[2] + p.load[3], 10);
	/* from where no vCPU is */
	assert_int_equal(placement_move(&p, &anywhere, 4), 4);
	placement_begin(&p, 2);
	assert_int_equal(placement_move(&p, &anywhere, 1), 1);
	assert_int_equal(p.load[0], 0);
}

static void changes(void **state)
{
	struct placement p;

	(void)state;
	placement_begin(&p, 3);
	assert_int_equal(placement_most(&p), 0);
	for (uint32_t i = 0; i < 3; i++)
		placement_take(&p, &anywhere, 0);
	assert_int_equal(placement_most(&p), 1);
	placement_change(&p, 0, 2);
	assert_int_equal(p.load[0], 0);
	assert_int_equal(p.load[2], 2);
	assert_int_equal(placement_most(&p), 2);
	/* from where none is, or to no CPU of ours: nothing */
	placement_change(&p, 0, 1);
	placement_change(&p, 1, 3);
	placement_change(&p, UINT32_MAX, 1);
	assert_int_equal(p.load[0] + p.load[1] + p.load[2], 3);
	assert_int_equal(placement_most(&p), 2);
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
		static const uint32_t few[] = {0, 5000, 1900, 1266, 1000};
		uint32_t slice;

		while (p.load[1] < n)
			placement_take(&p, &anywhere, 1);
		slice = placement_slice_us(&p, 1);
		assert_int_equal(slice, few[n < 4 ? n : 4]);
		/* who wakes waits for less than 2 ms; nobody is away for a tick of 4 ms until the turns would be too short */
		assert_true(n == 1 || slice < 2000);
		assert_true(n == 1 || slice == 1000 || n * slice <= 4000);
	}
	while (p.load[1] > 2)
		placement_give_back(&p, 1);
	assert_int_equal(placement_slice_us(&p, 1), 1900);
}

/* Domains come and go as they like: nobody is further than one vCPU from anybody, once what can be moved has
 * been. */
static struct placement_affinity only(uint64_t hard, uint64_t soft)
{
	return (struct placement_affinity){.hard = {{hard}}, .soft = {{soft}}};
}

static void hard(void **state)
{
	struct placement_affinity two = only(1u << 2, ~0ull), odd = only(0xaa, ~0ull),
				  high = {.hard = {{0, 0, 0, 1ull << 63}}};
	struct placement p;

	(void)state;
	placement_begin(&p, 8);
	for (uint32_t i = 1; i <= 20; i++) {
		assert_int_equal(placement_take(&p, &two, i), 2);
		assert_int_equal(p.load[2], i);
	}
	assert_int_equal(placement_move(&p, &two, 2), 2);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(placement_take(&p, &odd, 0), 2 * i + 1);
	/* pinned elsewhere, it goes there, however full that is */
	assert_int_equal(placement_move(&p, &two, 1), 2);
	assert_int_equal(p.load[2], 21);
	/* one without CPUs that there are: refused before it comes here; what comes all the same breaks
	 * nothing */
	assert_false(placement_possible(&p, &high.hard));
	assert_true(placement_possible(&p, &odd.hard));
	assert_int_equal(placement_take(&p, &high, 13), 5);
	assert_int_equal(placement_move(&p, &high, 5), 5);
	placement_begin(&p, PLACEMENT_CPUS_MAX);
	assert_true(placement_possible(&p, &high.hard));
	assert_int_equal(placement_take(&p, &high, 0), 255);
}

static void soft(void **state)
{
	struct placement_affinity one = only(~0ull, 1u << 1), none = only(~0ull, 0), outside = only(0xc, 0x3);
	struct placement p;

	(void)state;
	placement_begin(&p, 4);
	/* preferred until it has two more than others */
	assert_int_equal(placement_take(&p, &one, 0), 1);
	assert_int_equal(placement_take(&p, &one, 0), 1);
	assert_int_equal(placement_take(&p, &one, 0), 0);
	assert_int_equal(placement_move(&p, &one, 0), 0);
	placement_give_back(&p, 1);
	assert_int_equal(placement_move(&p, &one, 0), 1);
	/* no preference that can be had: only the load counts */
	assert_int_equal(placement_take(&p, &none, 1), 2);
	placement_give_back(&p, 2);
	assert_int_equal(placement_take(&p, &outside, 0), 2);
	assert_int_equal(placement_take(&p, &outside, 0), 3);
}

struct vcpu {
	struct placement_affinity affinity;
	uint32_t cpu;
};

static struct placement_affinity random_affinity(uint32_t cpus)
{
	uint64_t hard = (uint64_t)rand() & ((1u << cpus) - 1);

	if (rand() % 2)
		return anywhere;
	return only(hard ? hard : 1, rand() % 2 ? UINT64_MAX : (uint64_t)rand());
}

/* Domains come and go as they like and are pinned at will: each vCPU is where it may be, moves come to an
 * end, and then nobody who may be anywhere is further than one vCPU from anybody. */
static void random_domains(void **state)
{
	static struct vcpu v[200][8];
	static uint32_t vcpus[200];
	struct placement p;
	uint32_t least, most, total = 0;

	(void)state;
	srand(1);
	placement_begin(&p, 7);
	for (unsigned n = 0; n < 4000; n++) {
		unsigned d = (unsigned)rand() % 200;
		bool pinning = n >= 2000, again = true;

		if (vcpus[d]) {
			total -= vcpus[d];
			while (vcpus[d])
				placement_give_back(&p, v[d][--vcpus[d]].cpu);
		} else {
			for (unsigned want = 1 + (unsigned)rand() % 8; vcpus[d] < want; total++) {
				struct vcpu *one = &v[d][vcpus[d]++];

				one->affinity = pinning ? random_affinity(7) : anywhere;
				one->cpu = placement_take(&p, &one->affinity, (uint32_t)rand());
			}
		}
		for (unsigned rounds = 0; again; rounds++) {
			assert_in_range(rounds, 0, 1000);
			again = false;
			for (unsigned k = 0; k < 200 * 8; k++) {
				struct vcpu *one = &v[k / 8][k % 8];
				uint32_t was = one->cpu;

				if (k % 8 >= vcpus[k / 8])
					continue;
				one->cpu = placement_move(&p, &one->affinity, was);
				again = again || one->cpu != was;
				assert_true(placement_mask_has(&one->affinity.hard, one->cpu));
			}
		}
		if (!pinning) {
			spread(&p, &least, &most);
			assert_in_range(most - least, 0, 1);
		}
		least = 0;
		for (uint32_t i = 0; i < p.cpus; i++)
			least += p.load[i];
		assert_int_equal(least, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_cpus),	      cmocka_unit_test(limits), cmocka_unit_test(moves), cmocka_unit_test(changes),
	    cmocka_unit_test(slices),	      cmocka_unit_test(hard),	cmocka_unit_test(soft),
	    cmocka_unit_test(random_domains),
	};

	placement_anywhere(&anywhere);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
