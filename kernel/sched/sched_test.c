// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
/* Scheduling as threads see it: priorities, slices, budgets and periods, timeouts, YieldTo, and its
 * invocations' errors. */
#include "sched/sched.h"
#include "api/sim_fake.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "ipc/message.h"
#include "ipc/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define US SIM_TICKS_PER_US

enum { A = 1, B, C, SC_A, SC_B, SC_C, EP, REPLY, CONTROL, NTFN, NTFN2, SPARE };

static struct tcb *a, *b, *c;

static int setup(void **state)
{
	(void)state;
	sim_reset();
	a = sim_thread(A, 100);
	b = sim_thread(B, 100);
	c = sim_thread(C, 100);
	sim_endpoint(EP);
	sim_reply(REPLY);
	sim_notification(NTFN);
	sim_notification(NTFN2);
	sim_slot(CONTROL)->cap = cap_of_type(CAP_SCHED_CONTROL);
	return 0;
}

static word_t configure(struct tcb *t, unsigned sc, word_t budget, word_t period, word_t extra, word_t flags)
{
	return sim_invoke(t, CONTROL, SchedControlConfigureFlags, 1, (unsigned[]){sc}, 5,
			  (word_t[]){budget, period, extra, 7, flags});
}

static word_t invoke_with(struct tcb *t, unsigned slot, word_t label, unsigned extra)
{
	return sim_invoke(t, slot, label, 1, (unsigned[]){extra}, 0, NULL);
}

/* ---- slices ---- */

static void test_round_robin(void **state)
{
	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	assert_ptr_equal(sim_run(990 * US), a);
	assert_ptr_equal(sim_run(20 * US), b);
	assert_ptr_equal(sim_run(1000 * US), a);
	/* Yield ends a slice; what was given up is not consumed */
	assert_ptr_equal(sim_syscall(a, seL4_SysYield, 0, 0), b);
	assert_in_range(sched_context_take_consumed(a->sc), 990, 1020);
}

static void test_priorities(void **state)
{
	(void)state;
	b->priority = 101;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), b);
	assert_ptr_equal(sim_run(5000 * US), b);
	tcb_suspend(b);
	assert_ptr_equal(sim_exit(), a);
	sched_restart(b);
	assert_ptr_equal(sim_exit(), b);
	sched_set_priority(b, 99);
	assert_ptr_equal(sim_exit(), a);
	sched_set_priority(b, 100);
	assert_ptr_equal(sim_exit(), a);
	sched_set_priority(b, 255);
	assert_ptr_equal(sim_exit(), b);
}

static void test_budget_and_period(void **state)
{
	ticks_t start = sim_now;

	(void)state;
	b->priority = 200;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 10000);
	assert_ptr_equal(sim_exit(), b);
	assert_ptr_equal(sim_run(990 * US), b);
	assert_ptr_equal(sim_run(20 * US), a);
	assert_true(b->released_queued);
	assert_ptr_equal(sim_run(8000 * US), a);
	assert_ptr_equal(sim_run(start + 10000 * US + 10 - sim_now), b);
	assert_false(b->released_queued);
	/* over many periods it gets its share, and no more */
	sched_context_take_consumed(b->sc);
	sim_run(1000000 * US);
	sched_reschedule();
	sim_exit();
	assert_in_range(sched_context_take_consumed(b->sc), 99000, 101500);
}

/* Beside one that always wants to run, a budget that comes back has its turn in each period. */
static void test_budget_beside_a_spinner(void **state)
{
	(void)state;
	sim_start(b, SC_B, 1000, 1000);
	sim_start(a, SC_A, 1000, 1000);
	assert_ptr_equal(sim_exit(), b);
	assert_int_equal(configure(b, SC_A, 1200, 4000, 8, seL4_SchedContext_Sporadic), seL4_NoError);
	sim_run(20000 * US);
	sched_context_take_consumed(a->sc);
	sim_run(400000 * US);
	sched_reschedule();
	sim_exit();
	assert_in_range(sched_context_take_consumed(a->sc), 117000, 121500);
}

static void test_all_wait_for_budget(void **state)
{
	ticks_t start = sim_now;

	(void)state;
	sim_start(a, SC_A, 1000, 10000);
	assert_ptr_equal(sim_exit(), a);
	sim_run(2000 * US); /* idles until it comes back */
	assert_ptr_equal(percpu_host->current, a);
	assert_true(sim_now >= start + 9980 * US);
}

static void test_syscall_without_budget_is_done_again(void **state)
{
	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	a->ctx.rip = 0x1000;
	sim_now += 985 * US; /* less than the minimum is left */
	assert_ptr_equal(sim_syscall(a, seL4_SysDebugCapIdentify, EP, 0), b);
	assert_int_equal(a->ctx.rdi, EP);
	assert_ptr_equal(sim_run(1000 * US), a);
	assert_int_equal(a->ctx.rip, 0x1000);
}

/* ---- woken first ---- */

static void wake_first(struct tcb *t, unsigned sc, word_t slice, word_t round)
{
	assert_int_equal(configure(t, sc, slice, round, 0, insula_SchedContext_WakeFirst), seL4_NoError);
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

/* Two that wake all the time: who was interrupted waits for the slices of the others and their parts, no longer. */
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
	assert_int_equal(configure(percpu_host->current, SC_C, 1000, 3000, 2,
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

/* ---- timeout faults ---- */

static void handler_waits(void)
{
	struct sched_context *sc;

	c->priority = 200;
	sc = sim_start(c, SC_C, 1000, 1000);
	assert_ptr_equal(sim_exit(), c);
	c->ctx.r12 = REPLY;
	assert_null(sim_syscall(c, seL4_SysRecv, EP, 0));
	(void)sc;
	a->slot[TCB_TIMEOUT_HANDLER].cap = sim_slot(EP)->cap;
}

static void test_timeout_fault(void **state)
{
	(void)state;
	handler_waits();
	sim_start(a, SC_A, 1000, 10000);
	assert_ptr_equal(sim_exit(), a);
	a->ctx.rip = 0x2000;
	assert_ptr_equal(sim_run(1000 * US), c);
	assert_int_equal(c->ctx.rsi, sim_tag(seL4_Fault_Timeout, 0, 2));
	assert_int_equal(c->ctx.r10, SC_A); /* badge */
	assert_in_range(c->ctx.r8, 980, 1010);
	/* gets more, and goes on */
	assert_int_equal(configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
	c->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(c, seL4_SysReplyRecv, EP, 0), a);
	assert_int_equal(a->ctx.rip, 0x2000);
}

static void test_timeout_at_a_syscall_restarts_it(void **state)
{
	(void)state;
	handler_waits();
	sim_start(a, SC_A, 1000, 10000);
	assert_ptr_equal(sim_exit(), a);
	a->ctx.rip = 0x2000;
	sim_now += 985 * US;
	assert_ptr_equal(sim_syscall(a, seL4_SysDebugCapIdentify, EP, 0), c);
	assert_int_equal(configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
	c->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(c, seL4_SysReplyRecv, EP, 0), a);
	assert_int_equal(a->ctx.rip, 0x2000);
}

static void test_no_timeout_for_round_robin(void **state)
{
	(void)state;
	handler_waits();
	sim_start(a, SC_A, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	assert_ptr_equal(sim_run(5000 * US), a);
}

static void test_timeout_of_a_guest(void **state)
{
	(void)state;
	handler_waits();
	sim_start(a, SC_A, 1000, 10000);
	assert_ptr_equal(sim_exit(), a);
	a->ctx.rip = 0x2000;
	assert_null(sim_syscall(a, seL4_SysVMEnter, 0, 0));
	assert_ptr_equal(sim_run(1000 * US), c);
	assert_int_equal(a->ctx.r10, 0x1ea5e); /* its message was brought up to date */
	assert_int_equal(configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
	c->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(c, seL4_SysReplyRecv, EP, 0), a);
	assert_int_equal(a->ctx.rip, 0x2000); /* enters again */
}

/* ---- invocations ---- */

static void test_configure_errors(void **state)
{
	word_t max = 1u << 20;

	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_sched_context(SC_B);
	assert_ptr_equal(sim_exit(), a);
	assert_int_equal(configure(a, SC_B, 19, 1000, 0, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r10, 20);
	assert_int_equal(configure(a, SC_B, 1000, 10, 0, 0), seL4_RangeError);
	assert_int_equal(configure(a, SC_B, UINT64_MAX, UINT64_MAX, 0, 0), seL4_RangeError);
	assert_int_equal(configure(a, SC_B, 1000, 999, 0, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r8, 999);
	assert_int_equal(configure(a, EP, 1000, 1000, 0, 0), seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 1);
	assert_int_equal(configure(a, SC_B, 1000, 2000, 9, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r8, 8); /* 256 bytes */
	assert_int_equal(configure(a, SC_B, 1000, max, 8, seL4_SchedContext_Sporadic), seL4_NoError);
	assert_int_equal(
	    sim_invoke(a, CONTROL, SchedControlConfigureFlags, 0, NULL, 5, (word_t[]){1000, 1000, 0, 0, 0}),
	    seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(a, CONTROL, SchedContextBind, 0, NULL, 0, NULL), seL4_IllegalOperation);
}

static void test_bind_and_unbind(void **state)
{
	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_sched_context(SC_B);
	assert_ptr_equal(sim_exit(), a);
	assert_int_equal(invoke_with(a, SC_A, SchedContextBind, B), seL4_IllegalOperation);
	assert_int_equal(invoke_with(a, SC_B, SchedContextBind, A), seL4_IllegalOperation);
	assert_int_equal(invoke_with(a, SC_B, SchedContextBind, EP), seL4_InvalidCapability);
	assert_int_equal(invoke_with(a, SC_B, SchedContextBind, B), seL4_NoError);
	sched_restart(b);
	assert_false(sched_schedulable(b)); /* not configured */
	assert_int_equal(configure(a, SC_B, 1000, 1000, 0, 0), seL4_NoError);
	assert_true(sched_schedulable(b));
	assert_int_equal(invoke_with(a, SC_A, SchedContextUnbindObject, A), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, SC_A, SchedContextUnbind, 0, NULL, 0, NULL), seL4_IllegalOperation);
	assert_int_equal(invoke_with(a, SC_B, SchedContextUnbindObject, A), seL4_IllegalOperation);
	assert_int_equal(invoke_with(a, SC_B, SchedContextUnbindObject, B), seL4_NoError);
	assert_null(b->sc);
	assert_int_equal(invoke_with(a, SC_B, SchedContextBind, NTFN), seL4_NoError);
	assert_int_equal(invoke_with(a, SC_B, SchedContextBind, NTFN), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, SC_B, SchedContextUnbind, 0, NULL, 0, NULL), seL4_NoError);
	assert_int_equal(invoke_with(a, SC_B, SchedContextUnbindObject, NTFN), seL4_IllegalOperation);
}

static void test_consumed(void **state)
{
	(void)state;
	sim_start(a, SC_A, 10000, 10000);
	assert_ptr_equal(sim_exit(), a);
	sim_run(500 * US);
	assert_int_equal(sim_invoke(a, SC_A, SchedContextConsumed, 0, NULL, 0, NULL), seL4_NoError);
	assert_int_equal(a->ctx.r10, 500);
	sim_run(100 * US);
	sim_invoke(a, SC_A, SchedContextConsumed, 0, NULL, 0, NULL);
	assert_int_equal(a->ctx.r10, 100);
}

static void test_yield_to(void **state)
{
	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(c, SC_C, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	a->ctx.r10 = 99;
	sim_invoke(a, SC_B, SchedContextYieldTo, 0, NULL, 0, NULL);
	assert_ptr_equal(percpu_host->current, b); /* before c */
	assert_int_equal(a->ctx.r10, 99);
	assert_ptr_equal(sim_run(300 * US), b);
	assert_ptr_equal(sim_syscall(b, seL4_SysYield, 0, 0), a);
	assert_int_equal(a->ctx.rsi, sim_tag(0, 0, 1));
	assert_in_range(a->ctx.r10, 299, 301);
	/* not above one's own limit, nor to oneself */
	a->mcp = 99;
	assert_int_equal(sim_invoke(a, SC_B, SchedContextYieldTo, 0, NULL, 0, NULL), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, SC_A, SchedContextYieldTo, 0, NULL, 0, NULL), seL4_IllegalOperation);
	/* one of lower priority does not run first: the answer comes at once */
	a->mcp = 255;
	sched_set_priority(b, 50);
	assert_int_equal(sim_invoke(a, SC_B, SchedContextYieldTo, 0, NULL, 0, NULL), seL4_NoError);
	assert_ptr_equal(percpu_host->current, a);
}

static void test_deletion_while_running(void **state)
{
	(void)state;
	sim_start(a, SC_A, 1000, 1000);
	sim_start(b, SC_B, 1000, 1000);
	assert_ptr_equal(sim_exit(), a);
	cte_delete_one(sim_slot(SC_A));
	assert_null(a->sc);
	assert_ptr_equal(sim_exit(), b);
	assert_int_equal(cte_delete(sim_slot(B), true), EXC_NONE);
	assert_null(sim_exit());
	assert_null(cap_sched_context_of(sim_slot(SC_B)->cap)->tcb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_round_robin, setup),
	    cmocka_unit_test_setup(test_priorities, setup),
	    cmocka_unit_test_setup(test_budget_and_period, setup),
	    cmocka_unit_test_setup(test_budget_beside_a_spinner, setup),
	    cmocka_unit_test_setup(test_all_wait_for_budget, setup),
	    cmocka_unit_test_setup(test_syscall_without_budget_is_done_again, setup),
	    cmocka_unit_test_setup(test_woken_first, setup),
	    cmocka_unit_test_setup(test_woken_first_for_a_part_of_its_slice, setup),
	    cmocka_unit_test_setup(test_woken_first_once_in_a_round, setup),
	    cmocka_unit_test_setup(test_woken_first_delays_others_little, setup),
	    cmocka_unit_test_setup(test_woken_first_is_no_more_than_a_share, setup),
	    cmocka_unit_test_setup(test_woken_first_at_once, setup),
	    cmocka_unit_test_setup(test_woken_first_not_sporadic, setup),
	    cmocka_unit_test_setup(test_timeout_fault, setup),
	    cmocka_unit_test_setup(test_timeout_at_a_syscall_restarts_it, setup),
	    cmocka_unit_test_setup(test_no_timeout_for_round_robin, setup),
	    cmocka_unit_test_setup(test_timeout_of_a_guest, setup),
	    cmocka_unit_test_setup(test_configure_errors, setup),
	    cmocka_unit_test_setup(test_bind_and_unbind, setup),
	    cmocka_unit_test_setup(test_consumed, setup),
	    cmocka_unit_test_setup(test_yield_to, setup),
	    cmocka_unit_test_setup(test_deletion_while_running, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
