// links: kernel/debug/check_tree.c kernel/debug/check_ipc.c kernel/debug/check_thread.c kernel/debug/check_sched.c
// links: kernel/debug/check_set.c kernel/debug/check_fake.c
// links: kernel/arch/x86/smp/smp_fake.c kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
/*
 * The walk over all invariants finds nothing in a sound system, and finds each kind of damage. A sound system
 * in which there is something of everything; then one thing at a time is broken, and mended again.
 */
#include "api/sim_fake.h"
#include "debug/check.h"
#include "insula/ext.h"
#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "object/timer.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
	RUNNER = 1,
	SENDER,
	SENDER2,
	SERVER,
	CALLER,
	WAITER,
	READY,
	READY2,
	EMPTY,
	EP = 16,
	EP2,
	REPLY,
	NTFN,
	NTFN2,
	TIMER,
	UT,
	BADGED,
	BADGED2,
	REPLY2,
	NTFN3,
	OBJECTS = 64,
	SC = 128
};

static struct tcb *runner, *sender, *sender2, *server, *caller, *waiter, *ready, *ready2, *empty;
static struct endpoint *ep, *ep2;
static struct notification *ntfn, *ntfn2;
static struct reply *reply;
static struct timer *timer;

static const char *verdict(void)
{
	static struct check_result r;

	return check_all(&r) ? "sound" : r.what;
}

static struct tcb *start(unsigned slot, uint8_t priority)
{
	struct tcb *t = sim_thread(slot, priority);

	sim_start(t, SC + slot, 1000, 10000);
	assert_ptr_equal(sim_exit(), t);
	return t;
}

/* Each thread runs while it has the highest priority, and then waits for something. */
static int setup(void **state)
{
	const unsigned notification[] = {NTFN};
	word_t deadline[1];

	(void)state;
	sim_reset();
	deadline[0] = sim_now + 1000000;
	ep = sim_endpoint(EP);
	ep2 = sim_endpoint(EP2);
	ntfn = sim_notification(NTFN);
	ntfn2 = sim_notification(NTFN2);
	reply = sim_reply(REPLY);
	timer = sim_timer(TIMER);
	sim_untyped(UT, 16);
	sim_mint(BADGED, EP, 15, 7);
	sim_mint(BADGED2, BADGED, 15, 0);
	sim_mint(REPLY2, REPLY, 15, 0);
	sim_mint(NTFN3, NTFN, 15, 0);
	sender = start(SENDER, 200);
	assert_null(sim_syscall(sender, seL4_SysSend, EP, 0));
	sender2 = start(SENDER2, 100);
	assert_null(sim_syscall(sender2, seL4_SysCall, BADGED, 0));
	server = start(SERVER, 200);
	server->ctx.r12 = REPLY;
	assert_null(sim_syscall(server, seL4_SysRecv, EP2, 0));
	sched_context_unbind_tcb(server->sc);
	caller = start(CALLER, 90);
	assert_ptr_equal(sim_syscall(caller, seL4_SysCall, EP2, 0), server);
	server->priority = 80; /* the call goes on, on the caller's time */
	waiter = start(WAITER, 200);
	assert_ptr_equal(sim_syscall(waiter, seL4_SysWait, NTFN, 0), server);
	runner = start(RUNNER, 150);
	assert_int_equal(sim_invoke(runner, TIMER, InsulaTimerBind, 1, notification, 0, NULL), 0);
	assert_int_equal(sim_invoke(runner, TIMER, InsulaTimerSet, 0, NULL, 1, deadline), 0);
	notification_signal(ntfn2, 5);
	ready = sim_thread(READY, 50);
	sim_start(ready, SC + READY, 1000, 1000);
	ready2 = sim_thread(READY2, 50);
	sim_start(ready2, SC + READY2, 1000, 1000);
	empty = sim_thread(EMPTY, 60);
	sim_start(empty, SC + EMPTY, 1000, 10000);
	refill_head(empty->sc)->time += 5000 * SIM_TICKS_PER_US;
	sched_postpone(empty->sc);
	assert_ptr_equal(sim_exit(), runner);
	for (unsigned i = 0; i < 3; i++) {
		static const word_t types[] = {seL4_CapTableObject, seL4_EndpointObject, seL4_UntypedObject};
		const word_t words[] = {types[i], i == 2 ? 12 : 4, 0, 0, OBJECTS + 2 * i, 2};

		assert_int_equal(
		    sim_invoke(runner, UT, UntypedRetype, 1, (const unsigned[]){SIM_ROOT}, 6, words), 0);
	}
	return 0;
}

static void test_sound(void **state)
{
	(void)state;
	assert_string_equal(verdict(), "sound");
}

/* Found while it is broken, and not when it is mended. */
#define BREAK(place, value)                                                                                  \
	do {                                                                                                 \
		__typeof__(place) was = (place);                                                             \
		(place) = (value);                                                                           \
		assert_string_not_equal(verdict(), "sound");                                                 \
		(place) = was;                                                                               \
		assert_string_equal(verdict(), "sound");                                                     \
	} while (0)

static void test_derivation(void **state)
{
	struct cte *a = sim_slot(OBJECTS), *b = sim_slot(OBJECTS + 1), *u = sim_slot(UT),
		   *spare = sim_slot(250);

	(void)state;
	BREAK(a->mdb, mdb_with_prev(a->mdb, mdb_prev(b->mdb)));
	BREAK(a->mdb, mdb_with_next(a->mdb, 0));
	BREAK(a->mdb, mdb_with_next(a->mdb, mdb_next(b->mdb)));
	BREAK(spare->cap, sim_slot(EP)->cap); /* not in the list */
	BREAK(spare->mdb, sim_slot(EP)->mdb);
	for (unsigned i = 0; i < 2; i++) {
		BREAK(spare->cap.w[i], BIT(63));
		BREAK(spare->mdb.w[i], BIT(63));
	}
	BREAK(a->cap, cap_null());
	BREAK(u->cap, cap_untyped_with_free(u->cap, 0)); /* memory in use that is called free */
	BREAK(u->cap, cap_untyped_with_free(u->cap, BIT(17)));
	BREAK(u->mdb, mdb_with_revocable(u->mdb, 0));
	/* two objects in one place, a size that reaches into the next */
	BREAK(a->cap, cap_cnode_with_ptr(a->cap, cap_cnode_ptr(b->cap) + 256));
	BREAK(b->cap, cap_cnode_with_radix(b->cap, 6));
	BREAK(sim_slot(OBJECTS + 4)->cap, cap_untyped_with_bits(sim_slot(OBJECTS + 4)->cap, 14));
	BREAK(sim_slot(OBJECTS + 4)->cap, cap_untyped_with_device(sim_slot(OBJECTS + 4)->cap, 1));
	BREAK(sim_slot(EP)->cap, cap_endpoint_with_ptr(sim_slot(EP)->cap, cap_untyped_ptr(u->cap)));
	BREAK(sim_slot(BADGED)->mdb, mdb_with_first_badged(sim_slot(BADGED)->mdb, 0));
}

/* A child allows what its parent does not. */
static void test_rights(void **state)
{
	struct cte *of_badge = sim_slot(BADGED2), *badged = sim_slot(BADGED), *first = sim_slot(EP),
		   *r = sim_slot(REPLY);
	cap_t cap = of_badge->cap;

	(void)state;
	for (unsigned right = 1; right < 16; right <<= 1) {
		BREAK(first->cap, cap_mask_rights(first->cap, 15 ^ right));
		BREAK(badged->cap, cap_mask_rights(badged->cap, 15 ^ right));
		/* the other way round is in order */
		of_badge->cap = cap_mask_rights(cap, right);
		assert_string_equal(verdict(), "sound");
		of_badge->cap = cap;
	}
	BREAK(r->cap, cap_mask_rights(r->cap, 0));
	BREAK(sim_slot(NTFN)->cap, cap_mask_rights(sim_slot(NTFN)->cap, seL4_RightWrite));
}

static void test_ipc(void **state)
{
	(void)state;
	assert_int_equal(endpoint_state(ep), ENDPOINT_SEND);
	BREAK(ep->head, (ep->head & ~MASK(2)) | ENDPOINT_RECV);
	BREAK(ep->head, 0);
	BREAK(ep->tail, window_pa(sender).v);
	BREAK(ep->head, window_pa(sender2).v | ENDPOINT_SEND);
	BREAK(sender->ipc_next, NULL);
	BREAK(sender2->ipc_prev, NULL);
	BREAK(sender->state, THREAD_BLOCKED_RECV);
	BREAK(sender->state, THREAD_INACTIVE);
	BREAK(sender->blocking_object, (void *)ep2);
	BREAK(sender->priority, 99);
	BREAK(sender2->ipc_next, sender);
	BREAK(runner->ipc_next, sender);
	BREAK(waiter->state, THREAD_INACTIVE);
	BREAK(waiter->state, THREAD_BLOCKED_SEND);
	BREAK(ntfn->head, NULL);
	BREAK(ntfn->state, NOTIFICATION_IDLE);
	BREAK(ntfn->badge, 1);
	BREAK(ntfn2->state, NOTIFICATION_IDLE);
	BREAK(ntfn2->bound_tcb, waiter);
	BREAK(waiter->bound_notification, ntfn2);
	BREAK(ntfn2->sc, runner->sc);
	BREAK(runner->sc->notification, ntfn2);
	assert_int_equal(caller->state, THREAD_BLOCKED_REPLY);
	BREAK(reply->tcb, sender);
	BREAK(reply->tcb, NULL);
	BREAK(reply->next, NULL);
	BREAK(reply->prev, reply);
	BREAK(caller->reply, NULL);
	BREAK(server->sc->reply, NULL);
	BREAK(caller->state, THREAD_INACTIVE);
	BREAK(runner->reply, reply);
	BREAK(runner->fault.type, seL4_Fault_VMFault);
}

static void test_scheduling(void **state)
{
	struct percpu *p = percpu_host;
	struct sched_context *sc = runner->sc;

	(void)state;
	assert_ptr_equal(p->current, runner);
	assert_true(ready->queued && ready2->queued && empty->released_queued);
	BREAK(ready->queued, false);
	BREAK(runner->queued, true);
	BREAK(ready->queue_next, NULL);
	BREAK(ready2->queue_prev, NULL);
	BREAK(ready->priority, 51);
	BREAK(ready->state, THREAD_INACTIVE);
	BREAK(ready->sc, NULL);
	BREAK(ready->sc->tcb, NULL);
	BREAK(p->ready_top, 255);
	BREAK(p->ready_top, -1);
	BREAK(p->ready_l1, 0);
	BREAK(p->ready_l2[0], p->ready_l2[0] | 1);
	BREAK(p->ready[50].tail, ready);
	BREAK(p->ready[77].head, ready);
	BREAK(p->ready[255].tail, ready);
	BREAK(p->current_sc, ready->sc);
	BREAK(p->current, ready);
	BREAK(p->context, &ready->ctx);
	BREAK(runner->state, THREAD_INACTIVE);
	BREAK(runner->priority, 10); /* below what is ready */
	BREAK(empty->released_queued, false);
	BREAK(empty->release_node.key, 0);
	BREAK(refill_head(empty->sc)->time, sim_now);
	BREAK(sc->refills[sc->refill_head].amount, 1);
	BREAK(sc->budget, sc->budget + 1);
	BREAK(sc->refill_count, 0);
	BREAK(sc->refill_head, 99);
	BREAK(sc->refill_max, 1000);
	BREAK(runner->yield_to, ready->sc);
	BREAK(ready->sc->yield_from, runner);
	BREAK(runner->cpu, 5);
	BREAK(timer->armed, 0);
	BREAK(timer->cpu, 3);
	BREAK(runner->cspace_slots, runner->cspace_slots + 1);
	BREAK(runner->slot[TCB_FAULT_HANDLER].cap, sim_slot(NTFN)->cap);
}

/* A thread that can run and that everybody forgot. */
static void test_lost_thread(void **state)
{
	(void)state;
	ready_unlink(ready);
	assert_string_equal(verdict(), "a thread that can run is in no queue");
	ready_append(ready);
	assert_string_equal(verdict(), "sound");
	release_unlink(empty);
	assert_string_equal(verdict(), "a thread that can run is in no queue");
	release_add(empty);
	assert_string_equal(verdict(), "sound");
}

static void test_deleting(void **state)
{
	struct cte *node = sim_slot(OBJECTS);
	cap_t zombie = cap_zombie_with_ptr(cap_of_type(CAP_ZOMBIE), cap_cnode_ptr(node->cap));

	(void)state;
	zombie = cap_zombie_with_bits(zombie, 4);
	node->cap = cap_zombie_with_number(zombie, 3);
	assert_string_equal(verdict(), "sound");
	node->cap = cap_zombie_with_number(zombie, 17);
	assert_string_not_equal(verdict(), "sound");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_sound, setup),	     cmocka_unit_test_setup(test_derivation, setup),
	    cmocka_unit_test_setup(test_rights, setup),	     cmocka_unit_test_setup(test_ipc, setup),
	    cmocka_unit_test_setup(test_scheduling, setup),
	    cmocka_unit_test_setup(test_lost_thread, setup), cmocka_unit_test_setup(test_deleting, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
