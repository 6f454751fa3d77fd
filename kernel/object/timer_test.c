// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched.c kernel/sched/sched_context.c
// links: kernel/sched/sched_context_decode.c kernel/sched/sched_control.c kernel/sched/remote.c
// links: kernel/object/object.c kernel/object/tcb.c kernel/object/tcb_config.c
// links: kernel/object/tcb_registers.c kernel/object/tcb_sched.c kernel/cap/mdb.c kernel/cap/derive.c
// links: kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c
// links: kernel/cap/untyped.c kernel/arch/x86/context.c lib/rbtree/rbtree.c
/* Timer objects: expiry, order, re-arming, and the end of what they are bound to. */
#include "object/timer.h"
#include "api/sim_fake.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { A = 1, B, SC_A, SC_B, NTFN, TIMER, TIMER2, EP, BADGED, BADGED2, MANY };

static struct tcb *a, *b;

static int setup(void **state)
{
	(void)state;
	sim_reset();
	a = sim_thread(A, 100);
	b = sim_thread(B, 200);
	sim_notification(NTFN);
	sim_endpoint(EP);
	sim_timer(TIMER);
	sim_timer(TIMER2);
	sim_mint(BADGED, NTFN, 15, 1);
	sim_mint(BADGED2, NTFN, 15, 2);
	sim_start(b, SC_B, 100000, 100000);
	assert_ptr_equal(sim_exit(), b);
	assert_null(sim_syscall(b, seL4_SysWait, NTFN, 0));
	sim_start(a, SC_A, 100000, 100000);
	assert_ptr_equal(sim_exit(), a);
	return 0;
}

static word_t bind(unsigned timer, unsigned n)
{
	return sim_invoke(a, timer, InsulaTimerBind, n ? 1 : 0, (unsigned[]){n}, 0, NULL);
}

static word_t set(unsigned timer, ticks_t deadline)
{
	return sim_invoke(a, timer, InsulaTimerSet, 0, NULL, 1, (word_t[]){deadline});
}

static void test_expiry(void **state)
{
	(void)state;
	assert_int_equal(set(TIMER, sim_now + 1000), seL4_IllegalOperation);
	assert_int_equal(bind(TIMER, EP), seL4_InvalidCapability);
	assert_int_equal(bind(TIMER, BADGED), seL4_NoError);
	assert_int_equal(set(TIMER, sim_now + 1000), seL4_NoError);
	assert_ptr_equal(sim_run(900), a);
	assert_ptr_equal(sim_run(200), b);
	assert_int_equal(b->ctx.rdi, 1);
	assert_int_equal(sim_invoke(b, TIMER, UntypedRetype, 0, NULL, 0, NULL), seL4_IllegalOperation);
}

static void test_past_deadline_signals_at_once(void **state)
{
	(void)state;
	bind(TIMER, BADGED);
	set(TIMER, sim_now - 5);
	assert_ptr_equal(percpu_host->current, b);
	assert_int_equal(b->ctx.rdi, 1);
}

static void test_two_timers_and_rearm(void **state)
{
	(void)state;
	bind(TIMER, BADGED);
	bind(TIMER2, BADGED2);
	set(TIMER, sim_now + 1000);
	set(TIMER2, sim_now + 500);
	set(TIMER, sim_now + 2000); /* replaces */
	assert_ptr_equal(sim_run(700), b);
	assert_int_equal(b->ctx.rdi, 2);
	assert_ptr_equal(sim_syscall(b, seL4_SysWait, NTFN, 0), a);
	assert_ptr_equal(sim_run(600), a);
	assert_ptr_equal(sim_run(1000), b);
	assert_int_equal(b->ctx.rdi, 1);
}

static void test_cancel_and_unbind(void **state)
{
	(void)state;
	bind(TIMER, BADGED);
	set(TIMER, sim_now + 1000);
	assert_int_equal(sim_invoke(a, TIMER, InsulaTimerCancel, 0, NULL, 0, NULL), seL4_NoError);
	assert_ptr_equal(sim_run(2000), a);
	set(TIMER, sim_now + 1000);
	assert_int_equal(bind(TIMER, 0), seL4_NoError);
	assert_ptr_equal(sim_run(2000), a);
	assert_int_equal(set(TIMER, sim_now + 1000), seL4_IllegalOperation);
}

static void test_revoked_notification(void **state)
{
	(void)state;
	bind(TIMER, BADGED);
	set(TIMER, sim_now + 1000);
	assert_int_equal(cte_revoke(sim_slot(NTFN)), EXC_NONE);
	assert_ptr_equal(sim_run(2000), a);
	assert_int_equal(timer_next(percpu_self()), UINT64_MAX);
}

static void test_deleted_timer(void **state)
{
	(void)state;
	bind(TIMER, BADGED);
	set(TIMER, sim_now + 1000);
	assert_int_equal(cte_delete(sim_slot(TIMER), true), EXC_NONE);
	assert_int_equal(timer_next(percpu_self()), UINT64_MAX);
	assert_false(cap_is_null(sim_slot(NTFN)->cap));
}

static void test_many_at_once(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		sim_timer(MANY + i);
		bind(MANY + i, BADGED2);
		set(MANY + i, sim_now + 1000 - i);
	}
	tcb_suspend(b);
	sim_run(2000);
	assert_int_equal(timer_next(percpu_self()), UINT64_MAX);
	assert_int_equal(n->badge, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_expiry, setup),
	    cmocka_unit_test_setup(test_past_deadline_signals_at_once, setup),
	    cmocka_unit_test_setup(test_two_timers_and_rearm, setup),
	    cmocka_unit_test_setup(test_cancel_and_unbind, setup),
	    cmocka_unit_test_setup(test_revoked_notification, setup),
	    cmocka_unit_test_setup(test_deleted_timer, setup),
	    cmocka_unit_test_setup(test_many_at_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
