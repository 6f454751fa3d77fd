// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/sched/sched_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
/* Scheduling contexts that are woken first (docs/extensions/wake-first.md): who waited for an event goes
 * ahead of those who compute. */
#include "sched/sched.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "ipc/message.h"
#include "ipc/reply.h"
#include "sched/sched_fake.h" /* last: its threads have short names */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void wake_first(struct tcb *t, unsigned sc, word_t slice, word_t round)
{
	assert_int_equal(sched_fake_configure(t, sc, slice, round, 0, insula_SchedContext_WakeFirst),
			 seL4_NoError);
}

/* a and b compute, c sleeps and is woken. */
static void spinners_and_sleeper(void)
{
	sim_start(c, SC_C, 1000, 1000);
	assert_ptr_equal(sim_exit(), c);
	wake_first(c, SC_C, 1000, 3000);
	assert_null(sim_syscall(c, seL4_SysWait, NTFN, 0));
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	wake_first(a, SC_A, 1000, 3000);
	wake_first(a, SC_B, 1000, 3000);
}

static struct tcb *wake(void)
{
	sched_update_time();
	notification_signal(cap_notification_of(sim_slot(NTFN)->cap), 1);
	return sim_exit();
}

/* Time passes in small steps until another thread runs. */
static struct tcb *next_to_run(ticks_t most)
{
	const struct tcb *before = percpu_host->current;
	ticks_t end = sim_now + most;

	while (percpu_host->current == before && sim_now < end)
		sim_run(10 * US);
	return percpu_host->current;
}

static void test_woken_first(void **state)
{
	(void)state;
	spinners_and_sleeper();
	assert_ptr_equal(sim_run(12300 * US), a);
	for (unsigned i = 0; i < 200; i++) {
		struct tcb *before = percpu_host->current, *other = before == a ? b : a;

		/* the slice that was begun is not interrupted; the other spinner is left behind */
		if (i % 2 || !refill_sufficient(before->sc, percpu_host->consumed + sim_now -
								percpu_host->now + 20 * US)) {
			assert_ptr_equal(wake(), before);
		} else {
			assert_ptr_equal(sim_syscall(before, seL4_SysSend, NTFN, 0), before);
			assert_true(sim_was_fast());
		}
		assert_ptr_equal(next_to_run(1010 * US), c);
		assert_ptr_equal(sim_run(70 * US), c);
		assert_ptr_equal(sim_syscall(c, seL4_SysWait, NTFN, 0), other);
		sim_run((2500 + i * 7) * US);
	}
	/* not those who compute by the same kind of context: they have their slices in turn */
	sched_context_take_consumed(a->sc);
	sched_context_take_consumed(b->sc);
	sim_run(100000 * US);
	sched_reschedule();
	sim_exit();
	assert_in_range(sched_context_take_consumed(a->sc), 48000, 52000);
	assert_in_range(sched_context_take_consumed(b->sc), 48000, 52000);
}

/* c runs, woken while `before` computed; `other` waits for its turn. */
static void woken_ahead(struct tcb **before, struct tcb **other)
{
	spinners_and_sleeper();
	sim_run(12100 * US);
	*before = percpu_host->current;
	*other = *before == a ? b : a;
	assert_ptr_equal(wake(), *before);
	assert_ptr_equal(next_to_run(1010 * US), c);
}

/* What comes ahead of its turn is a quarter of its slice; the rest comes in its turn. */
static void test_woken_first_for_a_part_of_its_slice(void **state)
{
	struct tcb *before, *other;

	(void)state;
	woken_ahead(&before, &other);
	assert_ptr_equal(sim_run(220 * US), c);
	assert_ptr_equal(sim_run(30 * US), other);
	assert_ptr_equal(sim_run(980 * US), other);
	assert_ptr_equal(sim_run(30 * US), before);
	assert_ptr_equal(sim_run(980 * US), before);
	assert_ptr_equal(sim_run(30 * US), c);
	assert_ptr_equal(sim_run(720 * US), c);
	assert_ptr_equal(sim_run(30 * US), other);
	/* it computed: no sooner than the others. What was left when it slept is used up in its turn */
	assert_ptr_equal(next_to_run(1010 * US), before);
	assert_ptr_equal(next_to_run(1010 * US), c);
	assert_ptr_equal(sim_run(900 * US), c);
	assert_ptr_equal(sim_syscall(c, seL4_SysWait, NTFN, 0), other);
	assert_ptr_equal(wake(), other);
	assert_ptr_equal(next_to_run(1010 * US), before);
	assert_ptr_equal(next_to_run(1010 * US), c);
	assert_ptr_equal(sim_run(70 * US), c);
	assert_ptr_equal(sim_run(50 * US), other);
}

/* Woken again within a round: the rest of its slice is not lost, nor is it sooner. */
static void test_woken_first_once_in_a_round(void **state)
{
	struct tcb *before, *other;

	(void)state;
	woken_ahead(&before, &other);
	assert_ptr_equal(sim_run(200 * US), c);
	assert_ptr_equal(sim_syscall(c, seL4_SysWait, NTFN, 0), other);
	assert_ptr_equal(wake(), other);
	assert_ptr_equal(next_to_run(1010 * US), before);
	assert_ptr_equal(next_to_run(1010 * US), c);
	assert_ptr_equal(sim_run(770 * US), c);
	assert_ptr_equal(sim_run(50 * US), other);
}

/* Two that wake all the time: who was interrupted waits for the slices of the others and their parts, no
 * longer. */
static void test_woken_first_delays_others_little(void **state)
{
	ticks_t ended = 0, worst = 0;
	int sleeps = 1, wakes = 1;

	(void)state;
	srand(2);
	spinners_and_sleeper();
	sim_run(4000 * US);
	ended = sim_now;
	for (unsigned i = 0; i < 400000; i++) {
		static const int often[] = {3, 20, 60, 150, 500};
		struct tcb *was = percpu_host->current;

		if (i % 2000 == 0) {
			sleeps = often[rand() % 5];
			wakes = often[rand() % 5];
		}
		if (was != a && was != percpu_host->idle && rand() % sleeps == 0)
			sim_syscall(was, seL4_SysWait, was == b ? NTFN2 : NTFN, 0);
		else
			sim_run(10 * US);
		for (unsigned n = 0; n < 2; n++)
			if (rand() % wakes == 0) {
				sched_update_time();
				notification_signal(cap_notification_of(sim_slot(n ? NTFN2 : NTFN)->cap), 1);
				sim_exit();
			}
		if (percpu_host->current == a && was != a && sim_now - ended > worst)
			worst = sim_now - ended;
		if (was == a)
			ended = sim_now;
	}
	assert_in_range(worst, 1900 * US, 2510 * US);
}

/* Of a sporadic context nothing changes. */
static void test_woken_first_not_sporadic(void **state)
{
	(void)state;
	spinners_and_sleeper();
	assert_int_equal(sched_fake_configure(percpu_host->current, SC_C, 1000, 3000, 2,
					      insula_SchedContext_WakeFirst | seL4_SchedContext_Sporadic),
			 seL4_NoError);
	assert_true(c->sc->sporadic && c->sc->period == 3000 * US && !c->sc->round);
}

/* Who wakes beside nobody, or beside less urgent ones, runs at once. */
static void test_woken_first_at_once(void **state)
{
	(void)state;
	spinners_and_sleeper();
	sched_set_priority(a, 90);
	tcb_suspend(b);
	assert_ptr_equal(sim_exit(), a);
	sim_run(3500 * US);
	assert_ptr_equal(wake(), c);
	assert_ptr_equal(sim_syscall(c, seL4_SysWait, NTFN, 0), a);
	tcb_suspend(a);
	sim_exit();
	sim_now += 5000 * US;
	assert_ptr_equal(wake(), c);
}

/* Whatever it does to be woken: it has its share, and the others theirs. */
static void test_woken_first_is_no_more_than_a_share(void **state)
{
	static const unsigned naps[] = {1, 5, 25, 300, 900, 985, 999};

	(void)state;
	srand(1);
	spinners_and_sleeper();
	for (unsigned n = 0; n < sizeof(naps) / sizeof(naps[0]) + 1; n++) {
		ticks_t start = sim_now;

		for (unsigned i = 0; i < 3; i++)
			sched_context_take_consumed(cap_sched_context_of(sim_slot(SC_A + i)->cap));
		while (sim_now < start + 600000 * US) {
			ticks_t work =
			    n < sizeof(naps) / sizeof(naps[0]) ? naps[n] : 1 + (ticks_t)rand() % 1000;

			if (c->state == THREAD_BLOCKED_NOTIFICATION)
				wake();
			if (percpu_host->current != c) {
				sim_run(10 * US);
				continue;
			}
			if (sim_run(work * US) == c)
				sim_syscall(c, seL4_SysWait, NTFN, 0);
		}
		sched_reschedule();
		sim_exit();
		assert_in_range(sched_context_take_consumed(a->sc), 190000, 400000);
		assert_in_range(sched_context_take_consumed(b->sc), 190000, 400000);
		assert_in_range(sched_context_take_consumed(c->sc), 1, 220000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_woken_first, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_for_a_part_of_its_slice, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_once_in_a_round, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_delays_others_little, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_is_no_more_than_a_share, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_at_once, sched_fake_setup),
	    cmocka_unit_test_setup(test_woken_first_not_sporadic, sched_fake_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
