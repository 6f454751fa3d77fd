// links: servers/domain_manager/placement.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "servers/domain_manager/cpu_balance.h"

#define VCPUS_MAX 64u
#define TICK_US	  100000u
#define WANTS_ALL BALANCE_WHOLE
#define LAG_MOST  6500000 /* of any vCPU, in microseconds */

/* A machine in which each CPU is divided among its vCPUs by weight, as the kernel does, and what each had. */
struct machine {
	uint32_t cpus, n, moves;
	uint32_t noise; /* so much at most of what each had is seen one sample late */
	int64_t late[VCPUS_MAX];
	uint32_t cpu[VCPUS_MAX], wants[VCPUS_MAX], local[VCPUS_MAX];
	uint64_t had_us[VCPUS_MAX];
	struct placement_affinity affinity[VCPUS_MAX];
	struct balance_vcpu vcpu[VCPUS_MAX];
};

static void machine_begin(struct machine *m, uint32_t cpus)
{
	memset(m, 0, sizeof(*m));
	m->cpus = cpus;
}

static uint32_t vcpu_add(struct machine *m, uint32_t cpu, uint32_t weight, uint32_t wants)
{
	uint32_t i = m->n++;

	assert_true(i < VCPUS_MAX);
	m->cpu[i] = cpu;
	m->wants[i] = wants;
	placement_anywhere(&m->affinity[i]);
	m->vcpu[i] = (struct balance_vcpu){.domain = i, .weight = weight, .cap = BALANCE_WHOLE, .affinity = &m->affinity[i]};
	return i;
}

static void pin(struct machine *m, uint32_t i, uint32_t cpu)
{
	memset(&m->affinity[i].hard, 0, sizeof(m->affinity[i].hard));
	m->affinity[i].hard.word[cpu / 64] = 1ull << cpu % 64;
}

/* What these vCPUs have of `whole`, by weight and by what they want: by small portions to whoever has least for his weight. */
static void divide(const struct machine *m, int64_t cpu, uint32_t whole, uint32_t out[])
{
	for (uint32_t i = 0; i < m->n; i++)
		if (cpu < 0 || m->cpu[i] == cpu)
			out[i] = 0;
	for (uint32_t given = 0; given < whole; given += 10) {
		uint32_t least = m->n;

		for (uint32_t i = 0; i < m->n; i++) {
			uint32_t most = m->wants[i] < m->vcpu[i].cap ? m->wants[i] : m->vcpu[i].cap;

			if ((cpu < 0 || m->cpu[i] == cpu) && out[i] + 10 <= most &&
			    (least == m->n || (uint64_t)out[i] * m->vcpu[least].weight < (uint64_t)out[least] * m->vcpu[i].weight))
				least = i;
		}
		if (least == m->n)
			return;
		out[least] += 10;
	}
}

static bool tick(struct machine *m)
{
	static struct balance b;
	struct balance_vcpu *v;
	uint32_t from, to;
	bool busy;

	balance_begin(&b, m->cpus);
	for (uint32_t cpu = 0; cpu < m->cpus; cpu++)
		divide(m, cpu, BALANCE_WHOLE, m->local);
	for (uint32_t i = 0; i < m->n; i++) {
		m->had_us[i] += (uint64_t)m->local[i] * TICK_US / BALANCE_WHOLE;
		m->vcpu[i].used = m->local[i];
		if (m->noise) {
			int64_t late = (uint32_t)rand() % m->noise, seen = m->local[i] + m->late[i] - late;

			m->late[i] = seen < 0 ? late + seen : late;
			m->vcpu[i].used = seen < 0 ? 0 : (uint32_t)seen;
		}
		balance_add(&b, &m->vcpu[i], m->cpu[i]);
	}
	busy = balance_sample(&b, TICK_US);
	for (uint32_t n = 0; busy && n < m->cpus && (v = balance_move(&b, &from, &to)); n++) {
		uint32_t i = (uint32_t)(v - m->vcpu);

		assert_true(from != to && to < m->cpus && m->cpu[i] == from);
		assert_true(placement_mask_has(&m->affinity[i].hard, to));
		m->cpu[i] = to;
		m->moves++;
	}
	return busy;
}

/* Ten seconds, after one in which places may change. */
static void ten_seconds(struct machine *m)
{
	for (unsigned i = 0; i < 10; i++)
		(void)tick(m);
	memset(m->had_us, 0, sizeof(m->had_us));
	m->moves = 0;
	for (unsigned i = 0; i < 100; i++)
		(void)tick(m);
}

static void has(const struct machine *m, uint32_t i, double part)
{
	double had = (double)m->had_us[i] / 10e6;

	if (had < part * 0.95 || had > part * 1.05)
		fail_msg("vCPU %u has %.2f%% of a CPU, not %.2f%%", i, had * 100, part * 100);
}

static void to_an_idle_cpu(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	vcpu_add(&m, 0, 256, WANTS_ALL);
	vcpu_add(&m, 0, 256, WANTS_ALL);
	vcpu_add(&m, 1, 256, 0);
	assert_true(tick(&m));
	assert_int_equal(m.moves, 1);
	ten_seconds(&m);
	assert_int_equal(m.moves, 0);
	has(&m, 0, 1);
	has(&m, 1, 1);
	assert_false(tick(&m));
}

static void three_on_two(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	for (uint32_t i = 0; i < 3; i++)
		vcpu_add(&m, 0, 256, WANTS_ALL);
	ten_seconds(&m);
	for (uint32_t i = 0; i < 3; i++)
		has(&m, i, 2.0 / 3);
	/* and not more often than the samples */
	assert_in_range(m.moves, 10, 100);
	/* seen badly */
	m.noise = 1500;
	ten_seconds(&m);
	for (uint32_t i = 0; i < 3; i++)
		has(&m, i, 2.0 / 3);
	assert_in_range(m.moves, 10, 100);
}

static void weights(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	vcpu_add(&m, 0, 512, WANTS_ALL);
	vcpu_add(&m, 0, 256, WANTS_ALL);
	vcpu_add(&m, 1, 256, WANTS_ALL);
	ten_seconds(&m);
	has(&m, 0, 1);
	has(&m, 1, 0.5);
	has(&m, 2, 0.5);
	/* they stay */
	assert_in_range(m.moves, 0, 2);
	/* seen badly */
	m.noise = 1500;
	ten_seconds(&m);
	has(&m, 0, 1);
	has(&m, 1, 0.5);
	has(&m, 2, 0.5);
	/* two heavy ones and two light ones, wrongly together */
	machine_begin(&m, 2);
	vcpu_add(&m, 0, 768, WANTS_ALL);
	vcpu_add(&m, 0, 768, WANTS_ALL);
	vcpu_add(&m, 1, 256, WANTS_ALL);
	vcpu_add(&m, 1, 256, WANTS_ALL);
	ten_seconds(&m);
	has(&m, 0, 0.75);
	has(&m, 1, 0.75);
	has(&m, 2, 0.25);
	has(&m, 3, 0.25);
}

static void caps(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	for (uint32_t i = 0; i < 3; i++)
		vcpu_add(&m, i % 2, 256, WANTS_ALL);
	m.vcpu[0].cap = BALANCE_WHOLE / 5;
	ten_seconds(&m);
	has(&m, 0, 0.2);
	has(&m, 1, 0.9);
	has(&m, 2, 0.9);
	/* alone it would leave a part of its CPU idle: it shares one, and has no more than the other there */
	m.vcpu[0].cap = BALANCE_WHOLE * 6 / 10;
	ten_seconds(&m);
	has(&m, 0, 0.5);
	has(&m, 1, 0.75);
	has(&m, 2, 0.75);
}

/* Who may run on one CPU only stays there, and the others make the best of it. */
static void pinned(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	for (uint32_t i = 0; i < 4; i++)
		vcpu_add(&m, 1, 256, WANTS_ALL);
	pin(&m, 0, 1);
	pin(&m, 1, 1);
	ten_seconds(&m);
	for (uint32_t i = 0; i < 4; i++)
		has(&m, i, 0.5);
	pin(&m, 2, 1);
	pin(&m, 3, 1);
	m.cpu[2] = m.cpu[3] = 1;
	ten_seconds(&m);
	assert_int_equal(m.moves, 0);
	for (uint32_t i = 0; i < 4; i++)
		has(&m, i, 0.25);
	/* a CPU whose vCPUs all must stay does not hide another that is behind less */
	machine_begin(&m, 3);
	for (uint32_t i = 0; i < 4; i++) {
		vcpu_add(&m, 0, 256, WANTS_ALL);
		pin(&m, i, 0);
	}
	vcpu_add(&m, 1, 256, WANTS_ALL);
	vcpu_add(&m, 1, 256, WANTS_ALL);
	ten_seconds(&m);
	has(&m, 4, 1);
	has(&m, 5, 1);
	/* what those are behind, who cannot have more, does not grow for ever */
	assert_in_range(m.vcpu[0].lag_us, 500000, 1000000);
}

/* Three on the two CPUs that are theirs, of three; the other is another's, which does not compute, or does. */
static void reserved(void **state)
{
	static const uint32_t others[] = {1000, WANTS_ALL};

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct machine m;

		machine_begin(&m, 3);
		for (uint32_t i = 0; i < 3; i++) {
			vcpu_add(&m, 1 + i % 2, 256, WANTS_ALL);
			m.affinity[i].hard.word[0] = 6;
		}
		vcpu_add(&m, 0, 256, others[round]);
		pin(&m, 3, 0);
		ten_seconds(&m);
		for (uint32_t i = 0; i < 3; i++)
			has(&m, i, 2.0 / 3);
		has(&m, 3, (double)others[round] / BALANCE_WHOLE);
		if (round)
			continue;
		m.vcpu[0].weight = 512;
		ten_seconds(&m);
		has(&m, 0, 1);
		has(&m, 1, 0.5);
		has(&m, 2, 0.5);
	}
}

static void preferred(void **state)
{
	struct machine m;

	(void)state;
	/* both prefer CPU 0, where there is not time enough for both */
	machine_begin(&m, 2);
	for (uint32_t i = 0; i < 2; i++) {
		vcpu_add(&m, 0, 256, WANTS_ALL);
		memset(&m.affinity[i].soft, 0, sizeof(m.affinity[i].soft));
		m.affinity[i].soft.word[0] = 1;
	}
	ten_seconds(&m);
	assert_int_equal(m.moves, 0);
	has(&m, 0, 1);
	has(&m, 1, 1);
}

/* Two domains of two vCPUs that compute: in the end none has both on one CPU. */
static void siblings(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 2);
	for (uint32_t i = 0; i < 4; i++) {
		vcpu_add(&m, i == 0 || i == 1, 256, WANTS_ALL);
		m.vcpu[i].domain = i / 2;
	}
	vcpu_add(&m, 0, 256, 2000);
	ten_seconds(&m);
	for (uint32_t i = 0; i < 4; i++)
		has(&m, i, 0.45);
}

/* Of two CPUs that have as much to give, the second is where it prefers to be, or the first has its sibling. */
static void which_of_two(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct machine m;

		machine_begin(&m, 3);
		vcpu_add(&m, 0, 256, WANTS_ALL);
		vcpu_add(&m, 0, 256, WANTS_ALL);
		pin(&m, 1, 0);
		vcpu_add(&m, 1, 256, 1000);
		vcpu_add(&m, 2, 256, 1000);
		if (round == 1) {
			memset(&m.affinity[0].soft, 0, sizeof(m.affinity[0].soft));
			m.affinity[0].soft.word[0] = 4;
		}
		if (round == 2)
			m.vcpu[2].domain = m.vcpu[0].domain;
		assert_true(tick(&m));
		assert_int_equal(m.cpu[0], round ? 2 : 1);
	}
}

/* Who sleeps most of the time is not moved about, nor are those that compute beside it. */
static void light(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m, 4);
	for (uint32_t i = 0; i < 40; i++)
		vcpu_add(&m, i % 4, 256, (uint32_t)rand() % 300);
	ten_seconds(&m);
	assert_int_equal(m.moves, 0);
	assert_false(tick(&m));
}

/* Many, of any weights and wants: nobody has much less than he would have of all CPUs as one. */
static void random_ones(void **state)
{
	(void)state;
	srand(5);
	for (unsigned round = 0; round < 200; round++) {
		struct machine m;
		uint32_t ideal[VCPUS_MAX];

		machine_begin(&m, 1 + (uint32_t)rand() % 8);
		for (uint32_t n = 1 + (uint32_t)rand() % 20; n; n--)
			vcpu_add(&m, (uint32_t)rand() % m.cpus, 128u << (rand() % 4), rand() % 2 ? WANTS_ALL : (uint32_t)rand() % 1000);
		ten_seconds(&m);
		divide(&m, -1, m.cpus * BALANCE_WHOLE, ideal);
		for (uint32_t i = 0; i < m.n; i++) {
			double had = (double)m.had_us[i] / 10e6, part = (double)ideal[i] / BALANCE_WHOLE;

			if (had < part * 0.65 - 0.015)
				fail_msg("round %u: vCPU %u of %u on %u CPUs has %.2f%% of a CPU, not %.2f%%", round, i, m.n, m.cpus,
					 had * 100, part * 100);
		}
	}
}

/* Numbers that no caller should have: no harm. */
static void anything(void **state)
{
	static struct balance b;
	static struct balance_vcpu v[300];
	static struct placement_affinity a[300];
	struct balance_vcpu *moved;
	uint32_t from, to;

	(void)state;
	srand(7);
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = (unsigned)rand() % 300;

		balance_begin(&b, 1 + (uint32_t)rand() % (round % 2 ? 4 : 2 * PLACEMENT_CPUS_MAX));
		assert_in_range(b.cpus, 1, PLACEMENT_CPUS_MAX);
		for (unsigned i = 0; i < n; i++) {
			uint32_t used = rand() % 2 ? UINT32_MAX - (uint32_t)rand() : (uint32_t)rand() % BALANCE_WHOLE;

			for (unsigned w = 0; w < 4; w++)
				a[i].hard.word[w] = (uint64_t)rand() << (rand() % 33);
			v[i] = (struct balance_vcpu){.domain = i % 7,
						     .weight = rand() % 3 ? (uint32_t)rand() : 0,
						     .used = used,
						     .cap = rand() % 2 ? UINT32_MAX : (uint32_t)rand() % BALANCE_WHOLE,
						     .affinity = &a[i],
						     .lag_us = v[i].lag_us};
			balance_add(&b, &v[i], (uint32_t)rand() % b.cpus);
		}
		(void)balance_sample(&b, rand() % 4 ? TICK_US : UINT32_MAX);
		for (unsigned i = 0; i < n; i++)
			assert_true(abs(v[i].lag_us) <= LAG_MOST);
		for (unsigned i = 0; i < 20 && (moved = balance_move(&b, &from, &to)); i++)
			assert_true(from != to && from < b.cpus && to < b.cpus && b.first[to] == moved);
	}
	/* nobody at all */
	balance_begin(&b, 1);
	assert_false(balance_sample(&b, 0));
	assert_null(balance_move(&b, &from, &to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_an_idle_cpu), cmocka_unit_test(three_on_two), cmocka_unit_test(weights),     cmocka_unit_test(caps),
	    cmocka_unit_test(pinned),	      cmocka_unit_test(preferred),    cmocka_unit_test(siblings),    cmocka_unit_test(light),
	    cmocka_unit_test(which_of_two), cmocka_unit_test(random_ones),    cmocka_unit_test(reserved),	    cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
