// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/sched/sched_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
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
#include "insula/ext.h"
#include "ipc/notification.h"
#include "ipc/message.h"
#include "ipc/reply.h"
#include "sched/sched_fake.h" /* last: its threads have short names */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

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
	assert_int_equal(sched_fake_configure(b, SC_A, 1200, 4000, 8, seL4_SchedContext_Sporadic),
			 seL4_NoError);
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
	assert_int_equal(sched_fake_configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
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
	assert_int_equal(sched_fake_configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
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
	assert_int_equal(sched_fake_configure(c, SC_A, 2000, 10000, 0, 0), seL4_NoError);
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
	assert_int_equal(sched_fake_configure(a, SC_B, 19, 1000, 0, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r10, 20);
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, 10, 0, 0), seL4_RangeError);
	assert_int_equal(sched_fake_configure(a, SC_B, UINT64_MAX, UINT64_MAX, 0, 0), seL4_RangeError);
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, 999, 0, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r8, 999);
	assert_int_equal(sched_fake_configure(a, EP, 1000, 1000, 0, 0), seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 1);
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, 2000, 9, 0), seL4_RangeError);
	assert_int_equal(a->ctx.r8, 8); /* 256 bytes */
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, max, 8, seL4_SchedContext_Sporadic),
			 seL4_NoError);
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
	assert_int_equal(sched_fake_configure(a, SC_B, 1000, 1000, 0, 0), seL4_NoError);
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
	    cmocka_unit_test_setup(test_round_robin, sched_fake_setup),
	    cmocka_unit_test_setup(test_priorities, sched_fake_setup),
	    cmocka_unit_test_setup(test_budget_and_period, sched_fake_setup),
	    cmocka_unit_test_setup(test_budget_beside_a_spinner, sched_fake_setup),
	    cmocka_unit_test_setup(test_all_wait_for_budget, sched_fake_setup),
	    cmocka_unit_test_setup(test_syscall_without_budget_is_done_again, sched_fake_setup),
	    cmocka_unit_test_setup(test_timeout_fault, sched_fake_setup),
	    cmocka_unit_test_setup(test_timeout_at_a_syscall_restarts_it, sched_fake_setup),
	    cmocka_unit_test_setup(test_no_timeout_for_round_robin, sched_fake_setup),
	    cmocka_unit_test_setup(test_timeout_of_a_guest, sched_fake_setup),
	    cmocka_unit_test_setup(test_configure_errors, sched_fake_setup),
	    cmocka_unit_test_setup(test_bind_and_unbind, sched_fake_setup),
	    cmocka_unit_test_setup(test_consumed, sched_fake_setup),
	    cmocka_unit_test_setup(test_yield_to, sched_fake_setup),
	    cmocka_unit_test_setup(test_deletion_while_running, sched_fake_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
