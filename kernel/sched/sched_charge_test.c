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
/* What a server used for a caller that waits (docs/extensions/charge.md): the caller's turns are shorter for it. */
#include "sched/sched.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "sched/sched_fake.h" /* last: its threads have short names */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SLICE 1000u

static word_t charge(unsigned sc, unsigned reply, ticks_t ticks)
{
	return sim_invoke(a, sc, InsulaSchedContextCharge, 1, (unsigned[]){reply}, 1, (word_t[]){ticks});
}

static void round_of_two(struct tcb *t, unsigned sc)
{
	assert_int_equal(sched_fake_configure(a, sc, SLICE, 2 * SLICE, 0, insula_SchedContext_WakeFirst), seL4_NoError);
	assert_true(t->sc->round == 2 * SLICE * US);
}

/* a serves, above b and c, who have turns of the same length. b runs. */
static void server_and_two(void)
{
	sim_start(a, SC_A, 1000000, 1000000);
	sched_set_priority(a, 200);
	assert_ptr_equal(sim_exit(), a);
	sim_start(b, SC_B, SLICE, SLICE);
	sim_start(c, SC_C, SLICE, SLICE);
	round_of_two(b, SC_B);
	round_of_two(c, SC_C);
	a->ctx.r12 = REPLY;
	(void)sim_syscall(a, seL4_SysRecv, EP, 0);
	while (percpu_host->current != b)
		sim_run(10 * US);
	sched_context_take_consumed(a->sc);
	sched_context_take_consumed(b->sc);
	sched_context_take_consumed(c->sc);
}

/* The current thread calls, and is served for so long. */
static void call(struct tcb *t, ticks_t serve)
{
	assert_ptr_equal(sim_syscall(t, seL4_SysCall, EP, sim_tag(1, 0, 0)), a);
	assert_ptr_equal(sim_run(serve), a);
}

static struct tcb *answer(void)
{
	a->ctx.r12 = REPLY;
	return sim_syscall(a, seL4_SysReplyRecv, EP, 0);
}

static ticks_t runs_for(struct tcb *t)
{
	ticks_t start = sim_now;

	while (percpu_host->current == t)
		sim_run(5 * US);
	return sim_now - start;
}

static void test_errors(void **state)
{
	(void)state;
	server_and_two();
	assert_int_equal(sim_invoke(b, SC_A, InsulaSchedContextCharge, 0, NULL, 1, (word_t[]){1}), seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(b, SC_A, InsulaSchedContextCharge, 1, (unsigned[]){REPLY}, 0, NULL), seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(b, SC_A, InsulaSchedContextCharge, 1, (unsigned[]){EP}, 1, (word_t[]){1}), seL4_InvalidCapability);
	/* nobody calls: the server waits with it, and is not charged for another */
	assert_int_equal(sim_invoke(b, SC_C, InsulaSchedContextCharge, 1, (unsigned[]){REPLY}, 1, (word_t[]){1}), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(b, SC_A, InsulaSchedContextCharge, 1, (unsigned[]){REPLY}, 1, (word_t[]){1}), seL4_IllegalOperation);
	call(b, 10 * US);
	/* the caller's own */
	assert_int_equal(charge(SC_B, REPLY, 1), seL4_IllegalOperation);
	/* a caller without one */
	sched_context_unbind_tcb(b->sc);
	assert_int_equal(charge(SC_A, REPLY, 1), seL4_IllegalOperation);
}

/* It is moved, and no more than there is. */
static void test_moved(void **state)
{
	ticks_t used;

	(void)state;
	server_and_two();
	assert_ptr_equal(sim_run(100 * US), b);
	call(b, 300 * US);
	assert_int_equal(charge(SC_A, REPLY, 200 * US), seL4_NoError);
	assert_int_equal(a->ctx.r10, 200 * US);
	used = a->sc->consumed;
	assert_in_range(used, 100 * US, 140 * US);
	assert_int_equal(charge(SC_A, REPLY, 100000 * US), seL4_NoError);
	assert_in_range(a->ctx.r10, used, used + 30 * US);
	assert_int_equal(a->sc->consumed, 0);
	assert_in_range(sched_context_take_consumed(b->sc), 400, 440);
	assert_ptr_equal(answer(), b);
}

/* Within its turn: the rest of it is shorter. */
static void test_turn_goes_on(void **state)
{
	(void)state;
	server_and_two();
	call(b, 300 * US);
	assert_int_equal(charge(SC_A, REPLY, 300 * US), seL4_NoError);
	assert_ptr_equal(answer(), b);
	assert_true(sim_was_fast());
	assert_in_range(runs_for(b), 600 * US, 705 * US);
	assert_ptr_equal(percpu_host->current, c);
}

/* Woken ahead of its turn: it is charged of the whole slice, and what is left goes on. */
static void test_ahead(void **state)
{
	(void)state;
	server_and_two();
	assert_ptr_equal(sim_syscall(b, seL4_SysWait, NTFN, 0), c);
	for (unsigned i = 0; i < 200; i++)
		sim_run(100 * US);
	sched_update_time();
	notification_signal(cap_notification_of(sim_slot(NTFN)->cap), 1);
	sim_exit();
	while (percpu_host->current != b)
		sim_run(5 * US);
	assert_true(b->sc->ahead);
	call(b, 600 * US);
	assert_int_equal(charge(SC_A, REPLY, 600 * US), seL4_NoError);
	assert_ptr_equal(answer(), b);
	assert_in_range(runs_for(b), 300 * US, 405 * US);
}

/* More than its turn: the others are next, and its next turns are shorter until all is paid. */
static void test_turn_ends(void **state)
{
	ticks_t turn[6];

	(void)state;
	server_and_two();
	call(b, 3400 * US);
	assert_int_equal(charge(SC_A, REPLY, 3400 * US), seL4_NoError);
	assert_ptr_equal(answer(), c);
	for (unsigned i = 0; i < ARRAY_SIZE(turn); i++) {
		assert_in_range(runs_for(c), 990 * US, 1010 * US);
		turn[i] = runs_for(b);
	}
	/* 2.4 slices were owed; a turn is the minimum at least */
	assert_in_range(turn[0], 15 * US, 30 * US);
	assert_in_range(turn[1], 15 * US, 30 * US);
	assert_in_range(turn[2], 500 * US, 600 * US);
	for (unsigned i = 3; i < ARRAY_SIZE(turn); i++)
		assert_in_range(turn[i], 990 * US, 1010 * US);
}

/* One operation that took very long does not keep its caller away for ever. */
static void test_debts_are_bounded(void **state)
{
	unsigned rounds = 0;

	(void)state;
	server_and_two();
	call(b, 1000000 * US);
	assert_int_equal(charge(SC_A, REPLY, 1000000 * US), seL4_NoError);
	assert_ptr_equal(answer(), c);
	do {
		runs_for(c);
		rounds++;
	} while (runs_for(b) < 900 * US);
	assert_in_range(rounds, 17, 18);
}

/* Who is alone has nobody to wait for. */
static void test_alone(void **state)
{
	(void)state;
	server_and_two();
	tcb_suspend(c);
	call(b, 5000 * US);
	assert_int_equal(charge(SC_A, REPLY, 5000 * US), seL4_NoError);
	assert_ptr_equal(answer(), b);
	assert_ptr_equal(sim_run(3000 * US), b);
}

/* A budget and a period: it has to wait as if it had computed. */
static void test_sporadic(void **state)
{
	ticks_t start;

	(void)state;
	server_and_two();
	tcb_suspend(c);
	call(b, 10 * US);
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, 10000, 4, seL4_SchedContext_Sporadic), seL4_NoError);
	assert_ptr_equal(answer(), b);
	start = sim_now;
	call(b, 1200 * US);
	assert_int_equal(charge(SC_A, REPLY, 1200 * US), seL4_NoError);
	/* nobody else runs: the time goes on until it does */
	assert_ptr_equal(answer(), b);
	assert_in_range(sim_now - start, 10000 * US, 20500 * US);
}

/* New parameters are a new beginning. */
static void test_forgiven(void **state)
{
	(void)state;
	server_and_two();
	call(b, 9000 * US);
	assert_int_equal(charge(SC_A, REPLY, 9000 * US), seL4_NoError);
	round_of_two(b, SC_B);
	assert_ptr_equal(answer(), b);
	assert_in_range(runs_for(b), 990 * US, 1010 * US);
	runs_for(c);
	assert_in_range(runs_for(b), 990 * US, 1010 * US);
}

/* It does not come to sleeping before it has paid. */
static void test_no_sleep_in_debt(void **state)
{
	unsigned turns = 0;

	(void)state;
	server_and_two();
	call(b, 9000 * US);
	assert_int_equal(charge(SC_A, REPLY, 9000 * US), seL4_NoError);
	(void)answer();
	while (b->state != THREAD_BLOCKED_NOTIFICATION) {
		while (percpu_host->current != b)
			sim_run(5 * US);
		turns++;
		while (percpu_host->current == b && b->state != THREAD_BLOCKED_NOTIFICATION)
			(void)sim_syscall(b, seL4_SysWait, NTFN, 0);
	}
	assert_in_range(turns, 8, 10);
	assert_int_equal(b->sc->refills[1].amount, 0);
}

/* Whoever has how much done for it: all together it is no more than its part. */
static void test_parts(void **state)
{
	(void)state;
	srand(3);
	for (unsigned serve = 20; serve < 3000; serve = serve * 3 / 2) {
		ticks_t start, own[2];

		assert_int_equal(sched_fake_setup(NULL), 0);
		server_and_two();
		start = sim_now;
		while (sim_now < start + 400000 * US)
			if (percpu_host->current != b) {
				sim_run(10 * US);
			} else if (sim_run((1 + (ticks_t)rand() % 10) * US) == b && sim_syscall(b, seL4_SysCall, EP, sim_tag(1, 0, 0)) == a) {
				assert_ptr_equal(sim_run((ticks_t)rand() % (2 * serve) * US), a);
				assert_int_equal(charge(SC_A, REPLY, UINT64_MAX), seL4_NoError);
				(void)answer();
			}
		own[0] = sched_context_take_consumed(b->sc);
		own[1] = sched_context_take_consumed(c->sc);
		assert_in_range(own[0], 180000, 225000);
		assert_in_range(own[1], 180000, 215000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_errors, sched_fake_setup),	 cmocka_unit_test_setup(test_moved, sched_fake_setup),
	    cmocka_unit_test_setup(test_turn_goes_on, sched_fake_setup), cmocka_unit_test_setup(test_turn_ends, sched_fake_setup),
	    cmocka_unit_test_setup(test_debts_are_bounded, sched_fake_setup), cmocka_unit_test_setup(test_alone, sched_fake_setup),
	    cmocka_unit_test_setup(test_sporadic, sched_fake_setup),	 cmocka_unit_test_setup(test_forgiven, sched_fake_setup),
	    cmocka_unit_test_setup(test_no_sleep_in_debt, sched_fake_setup), cmocka_unit_test_setup(test_ahead, sched_fake_setup),
	    cmocka_unit_test_setup(test_parts, sched_fake_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
