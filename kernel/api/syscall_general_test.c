// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/release/debug_syscall.c kernel/ipc/endpoint.c
// links: kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c kernel/ipc/fault.c
// links: kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c kernel/sched/refill.c
// links: kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
/* System calls between threads: messages, replies, donation, notifications. */
#include "api/sim_fake.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Slots of the shared CNode. */
enum {
	CLIENT = 1,
	SERVER,
	THIRD,
	EP,
	EP2,
	REPLY,
	REPLY2,
	NTFN,
	SC1,
	SC2,
	SC3,
	SC4,
	BADGED,
	SPARE,
	EMPTY,
	HANDLER_EP,
	FOURTH
};

static struct tcb *client, *server, *third;
static struct endpoint *ep;

static bool slow; /* the threads' CSpaces are such that no fast path is taken */

static int setup_all(bool two_levels)
{
	sim_reset();
	sim_two_levels = slow = two_levels;
	client = sim_thread(CLIENT, 100);
	server = sim_thread(SERVER, 100);
	third = sim_thread(THIRD, 100);
	ep = sim_endpoint(EP);
	sim_endpoint(EP2);
	sim_endpoint(HANDLER_EP);
	sim_reply(REPLY);
	sim_reply(REPLY2);
	sim_notification(NTFN);
	sim_mint(BADGED, EP, 15, 77);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_all(false);
}

static int setup_slow(void **state)
{
	(void)state;
	return setup_all(true);
}

/* The server runs, waits on EP with REPLY, and its scheduling context is taken away: it is passive. */
static void passive_server(uint8_t priority)
{
	struct sched_context *sc;

	server->priority = priority;
	sc = sim_start(server, SC2, 1000, 1000);
	assert_ptr_equal(sim_exit(), server);
	server->ctx.r12 = REPLY;
	assert_null(sim_syscall(server, seL4_SysRecv, EP, 0));
	sched_context_unbind_tcb(sc);
}

static void client_runs(void)
{
	sim_start(client, SC1, 1000, 1000);
	assert_ptr_equal(sim_exit(), client);
	/* its CSpace is remembered from its first lookup on */
	sim_syscall(client, seL4_SysDebugCapIdentify, EP, 0);
}

/* ---- messages ---- */

static void test_call_and_reply(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	sim_set_mrs(client, 11, 22, 33, 44);
	sim_set_mrs(server, 1, 2, 3, 4);
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, BADGED, sim_tag(5, 0, 3)), server);
	assert_int_equal(server->ctx.rdi, 77);
	assert_int_equal(server->ctx.rsi, sim_tag(5, 0, 3));
	assert_int_equal(server->ctx.r10, 11);
	assert_int_equal(server->ctx.r8, 22);
	assert_int_equal(server->ctx.r9, 33);
	assert_int_equal(sim_was_fast(), !slow);
	assert_int_equal(server->ctx.r15, 4); /* beyond the message: untouched */
	assert_int_equal(client->state, THREAD_BLOCKED_REPLY);
	assert_null(client->sc);
	assert_ptr_equal(server->sc->tcb, server);

	sim_set_mrs(server, 9, 8, 7, 6);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, EP, sim_tag(3, 0, 1)), client);
	assert_int_equal(client->ctx.rdi, 0);
	assert_int_equal(client->ctx.rsi, sim_tag(3, 0, 1));
	assert_int_equal(client->ctx.r10, 9);
	assert_int_equal(client->ctx.r8, 22);
	assert_null(server->sc);
	assert_ptr_equal(client->sc->tcb, client);
	assert_null(client->sc->reply);
	assert_int_equal(server->state, THREAD_BLOCKED_RECV);
	assert_ptr_equal(endpoint_head(ep), server);
	assert_int_equal(sim_was_fast(), !slow);
}

static void test_long_message(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	for (unsigned i = 4; i < 120; i++)
		message_put(client, i, 1000 + i);
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, sim_tag(1, 0, 127)), server);
	assert_int_equal(message_length(server->ctx.rsi), 120);
	assert_int_equal(message_get(server, 4), 1004);
	assert_int_equal(message_get(server, 119), 1119);

	server->ctx.r12 = REPLY;
	client->ipc_buffer_writable = false;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, EP, sim_tag(0, 0, 10)), client);
	assert_int_equal(message_length(client->ctx.rsi), 4);
}

static void test_server_with_own_context(void **state)
{
	(void)state;
	server->priority = 120;
	sim_start(server, SC2, 1000, 1000);
	assert_ptr_equal(sim_exit(), server);
	server->ctx.r12 = REPLY;
	assert_null(sim_syscall(server, seL4_SysRecv, EP, 0));
	client_runs();
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, sim_tag(5, 0, 0)), server);
	assert_non_null(client->sc); /* kept */
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, EP, 0), client);
}

static void test_queued_senders_by_priority(void **state)
{
	(void)state;
	third->priority = 110;
	client_runs();
	assert_null(sim_syscall(client, seL4_SysSend, BADGED, sim_tag(1, 0, 0)));
	sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	assert_null(sim_syscall(third, seL4_SysSend, EP, sim_tag(2, 0, 0)));
	server->priority = 200;
	sim_start(server, SC2, 1000, 1000);
	assert_ptr_equal(sim_exit(), server);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysRecv, EP, 0), server);
	assert_int_equal(server->ctx.rsi >> 12, 2);
	assert_ptr_equal(sim_syscall(server, seL4_SysRecv, EP, 0), server);
	assert_int_equal(server->ctx.rsi >> 12, 1);
	assert_int_equal(server->ctx.rdi, 77);
	/* nobody is left */
	assert_ptr_equal(sim_syscall(server, seL4_SysNBRecv, EP, 5), server);
	assert_int_equal(server->ctx.rdi, 0);
	assert_int_equal(server->ctx.rsi, 5);
}

static void test_capability_transfer(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	client->ipc_buffer_kv[MESSAGE_BUFFER_CAPS] = BADGED;
	client->ipc_buffer_kv[MESSAGE_BUFFER_CAPS + 1] = NTFN;
	client->ipc_buffer_kv[MESSAGE_BUFFER_CAPS + 2] = REPLY2;
	server->slot[TCB_CSPACE].cap = client->slot[TCB_CSPACE].cap;
	/* the CNode has a capability to itself, to name receive slots with */
	sim_slot(SPARE)->cap = client->slot[TCB_CSPACE].cap;
	server->ipc_buffer_kv[MESSAGE_BUFFER_RECEIVE_CNODE] = SPARE;
	server->ipc_buffer_kv[MESSAGE_BUFFER_RECEIVE_INDEX] = EMPTY;
	server->ipc_buffer_kv[MESSAGE_BUFFER_RECEIVE_DEPTH] = 64;
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, sim_tag(1, 3, 0)), server);
	/* the first is unwrapped, the second moved on, for the third there was no slot */
	assert_int_equal(server->ctx.rsi, sim_tag(1, 2, 0) | 1u << 9);
	assert_int_equal(server->ipc_buffer_kv[MESSAGE_BUFFER_CAPS], 77);
	assert_int_equal(cap_type(sim_slot(EMPTY)->cap), CAP_NOTIFICATION);
	assert_false(sim_was_fast());
}

static void test_no_grant_no_capabilities(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	sim_mint(EMPTY, EP, seL4_RightWrite | seL4_RightGrantReply, 3);
	client->ipc_buffer_kv[MESSAGE_BUFFER_CAPS] = EP;
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EMPTY, sim_tag(1, 1, 0)), server);
	assert_int_equal(server->ctx.rsi, sim_tag(1, 0, 0));
}

/* ---- replies ---- */

static void test_call_without_grant_stops_caller(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	sim_mint(EMPTY, EP, seL4_RightWrite, 3);
	sim_syscall(client, seL4_SysCall, EMPTY, sim_tag(1, 0, 0));
	assert_int_equal(client->state, THREAD_INACTIVE);
	assert_int_equal(server->state, THREAD_RUNNING);
	assert_ptr_equal(client->sc->tcb, client);
}

static void test_nested_calls_return_the_context(void **state)
{
	struct sched_context *sc;

	(void)state;
	passive_server(100);
	/* third waits on EP2 with REPLY2, passive too */
	sc = sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	third->ctx.r12 = REPLY2;
	assert_null(sim_syscall(third, seL4_SysRecv, EP2, 0));
	sched_context_unbind_tcb(sc);
	client_runs();
	sc = client->sc;
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, 0), server);
	assert_ptr_equal(sim_syscall(server, seL4_SysCall, EP2, 0), third);
	assert_ptr_equal(sc->tcb, third);
	assert_ptr_equal(sc->reply->tcb, server);
	assert_ptr_equal(sc->reply->prev->tcb, client);

	third->ctx.r12 = REPLY2;
	assert_ptr_equal(sim_syscall(third, seL4_SysReplyRecv, EP2, 0), server);
	assert_ptr_equal(sc->tcb, server);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, EP, 0), client);
	assert_ptr_equal(sc->tcb, client);
	assert_null(sc->reply);
}

static void test_deleting_the_middle_breaks_the_stack(void **state)
{
	struct sched_context *sc;

	(void)state;
	passive_server(100);
	sc = sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	third->ctx.r12 = REPLY2;
	assert_null(sim_syscall(third, seL4_SysRecv, EP2, 0));
	sched_context_unbind_tcb(sc);
	client_runs();
	sc = client->sc;
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, 0), server);
	assert_ptr_equal(sim_syscall(server, seL4_SysCall, EP2, 0), third);
	/* REPLY holds the client, below the top */
	cte_delete_one(sim_slot(REPLY));
	assert_int_equal(client->state, THREAD_INACTIVE);
	assert_null(sc->reply->prev);
	third->ctx.r12 = REPLY2;
	assert_ptr_equal(sim_syscall(third, seL4_SysReplyRecv, EP2, 0), server);
	assert_ptr_equal(sc->tcb, server);
	assert_null(sc->reply);
}

static void test_deleting_the_reply_gives_the_context_back(void **state)
{
	struct sched_context *sc;

	(void)state;
	passive_server(100);
	client_runs();
	sc = client->sc;
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, 0), server);
	cte_delete_one(sim_slot(REPLY));
	assert_ptr_equal(sc->tcb, client);
	assert_int_equal(client->state, THREAD_INACTIVE);
	assert_null(sim_exit());
}

static void test_reply_object_reused(void **state)
{
	(void)state;
	passive_server(100);
	third->priority = 120;
	sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	third->ctx.r12 = REPLY; /* the server waits with it */
	assert_null(sim_syscall(third, seL4_SysRecv, EP2, 0));
	assert_int_equal(server->state, THREAD_INACTIVE);
	assert_int_equal(ep->head, 0);
}

static void test_reply_from_a_call_on_the_reply_capability(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, 0), server);
	sim_set_mrs(server, 5, 0, 0, 0);
	sim_syscall(server, seL4_SysSend, REPLY, sim_tag(4, 0, 1));
	assert_int_equal(client->ctx.r10, 5);
	assert_int_equal(client->ctx.rsi >> 12, 4);
}

/* ---- notifications ---- */

static void test_signal_switches_to_higher_priority(void **state)
{
	(void)state;
	server->priority = 150;
	sim_start(server, SC2, 1000, 1000);
	assert_ptr_equal(sim_exit(), server);
	server->ctx.rsi = 0x1234;
	assert_null(sim_syscall(server, seL4_SysWait, NTFN, 0x1234));
	client_runs();
	sim_mint(EMPTY, NTFN, 15, 6);
	assert_ptr_equal(sim_syscall(client, seL4_SysSend, EMPTY, sim_tag(0, 0, 1)), server);
	assert_int_equal(server->ctx.rdi, 6);
	assert_int_equal(server->ctx.rsi, 0x1234);
	assert_ptr_equal(sim_syscall(server, seL4_SysWait, NTFN, 0), client);
}

static void test_pending_badges_add_up(void **state)
{
	(void)state;
	client_runs();
	sim_mint(EMPTY, NTFN, 15, 6);
	sim_mint(SPARE, NTFN, 15, 9);
	sim_syscall(client, seL4_SysSend, EMPTY, 0);
	sim_syscall(client, seL4_SysNBSend, SPARE, 0);
	assert_ptr_equal(sim_syscall(client, seL4_SysNBWait, NTFN, 0), client);
	assert_int_equal(client->ctx.rdi, 15);
	sim_syscall(client, seL4_SysNBWait, NTFN, 0);
	assert_int_equal(client->ctx.rdi, 0);
}

static void test_bound_notification_wakes_a_receiver(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);

	(void)state;
	passive_server(150);
	notification_bind(n, server);
	sched_context_bind_tcb(cap_sched_context_of(sim_slot(SC2)->cap), server);
	client_runs();
	sim_mint(EMPTY, NTFN, 15, 6);
	assert_ptr_equal(sim_syscall(client, seL4_SysSend, EMPTY, 0), server);
	assert_int_equal(server->ctx.rdi, 6);
	assert_int_equal(ep->head, 0);
	assert_null(cap_reply_of(sim_slot(REPLY)->cap)->tcb);
	/* a pending signal wins over a sender */
	n->state = NOTIFICATION_ACTIVE;
	n->badge = 8;
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysRecv, EP, 0), server);
	assert_int_equal(server->ctx.rdi, 8);
	/* others may not wait on it */
	server->ctx.r12 = REPLY;
	sim_syscall(server, seL4_SysRecv, EP, 0);
	assert_ptr_equal(percpu_host->current, client);
	sim_syscall(client, seL4_SysWait, NTFN, 0);
	assert_int_equal(client->state, THREAD_INACTIVE); /* cap fault, no handler */
}

static void test_notification_lends_its_context(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);
	struct sched_context *sc = sim_sched_context(SC4);

	(void)state;
	passive_server(150);
	notification_bind(n, server);
	sched_control_configure(sc, 0, 500, 500, 0, 0, false);
	sched_context_bind_notification(sc, n);
	client_runs();
	assert_ptr_equal(sim_syscall(client, seL4_SysSend, NTFN, 0), server);
	assert_ptr_equal(server->sc, sc);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysRecv, EP, 0), client);
	assert_null(server->sc);
	assert_null(sc->tcb);
	/* then a call donates the caller's */
	assert_ptr_equal(sim_syscall(client, seL4_SysCall, EP, 0), server);
	assert_ptr_equal(server->sc, cap_sched_context_of(sim_slot(SC1)->cap));
}

static void test_signal_to_a_guest(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);

	(void)state;
	notification_bind(n, client);
	client_runs();
	assert_null(sim_syscall(client, seL4_SysVMEnter, 0, 0));
	assert_int_equal(client->state, THREAD_RUNNING_VM);
	notification_signal(n, 4);
	assert_ptr_equal(sim_exit(), client);
	assert_int_equal(client->ctx.rdi, 4);
}

/* ---- combined and small calls ---- */

static void test_first_half_refuses_and_goes_on(void **state)
{
	(void)state;
	client_runs();
	client->ctx.r12 = REPLY;
	client->ctx.r13 = CLIENT; /* a TCB: TCBSuspend would stop it */
	assert_null(sim_syscall(client, seL4_SysNBSendRecv, EP, sim_tag(TCBSuspend, 0, 0)));
	assert_int_equal(client->state, THREAD_BLOCKED_RECV);
}

static void test_send_then_wait(void **state)
{
	(void)state;
	passive_server(100);
	client_runs();
	client->ctx.r12 = EP;
	assert_ptr_equal(sim_syscall(client, seL4_SysNBSendWait, NTFN, sim_tag(2, 0, 0)), server);
	assert_ptr_equal(server->sc, cap_sched_context_of(sim_slot(SC1)->cap)); /* went along */
	assert_int_equal(client->state, THREAD_BLOCKED_NOTIFICATION);
}

static void test_debug_calls(void **state)
{
	(void)state;
	client_runs();
	sim_syscall(client, seL4_SysDebugPutChar, 'x', 0);
	assert_string_equal(sim_console, "x");
	sim_syscall(client, seL4_SysDebugCapIdentify, EP, 0);
	assert_int_equal(client->ctx.rdi, CAP_ENDPOINT);
	sim_syscall(client, seL4_SysDebugCapIdentify, 200, 0);
	assert_int_equal(client->ctx.rdi, CAP_NULL);
	memcpy(&client->ipc_buffer_kv[1], "worker", 7);
	sim_syscall(client, seL4_SysDebugNameThread, SERVER, 0);
	assert_string_equal(server->name, "worker");
	sim_syscall(client, seL4_SysSetTLSBase, 0x7000, 0);
	assert_int_equal(client->ctx.fs_base, 0x7000);
	sim_syscall(client, seL4_SysSetTLSBase, 0x8000000000000000, 0);
	assert_int_equal(client->ctx.fs_base, 0);
}

static void test_cancel_badged_sends(void **state)
{
	(void)state;
	client_runs();
	assert_null(sim_syscall(client, seL4_SysSend, BADGED, 0));
	sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	assert_null(sim_syscall(third, seL4_SysSend, EP, 0));
	assert_int_equal(ipc_cancel_badged(ep, 77), EXC_NONE);
	assert_int_equal(client->state, THREAD_RESTART);
	assert_int_equal(third->state, THREAD_BLOCKED_SEND);
	assert_ptr_equal(endpoint_head(ep), third);
	assert_ptr_equal(sim_exit(), client);
}

static void test_priority_moves_a_waiter(void **state)
{
	(void)state;
	client_runs();
	assert_null(sim_syscall(client, seL4_SysSend, EP, 0));
	sim_start(third, SC3, 1000, 1000);
	assert_ptr_equal(sim_exit(), third);
	assert_null(sim_syscall(third, seL4_SysSend, EP, 0));
	assert_ptr_equal(endpoint_head(ep), client);
	sched_set_priority(third, 101);
	assert_ptr_equal(endpoint_head(ep), third);
	assert_ptr_equal(endpoint_tail(ep), client);
	ipc_cancel_all(ep);
	assert_int_equal(ep->head, 0);
	assert_ptr_equal(sim_exit(), third);
}

/* ---- many waiting threads ---- */

#define CROWD	    120u
#define CROWD_FIRST 100u

/* Threads that send on EP, every third with the badge 77, and go to sleep there. */
static void crowd_waits(struct tcb *crowd[CROWD])
{
	for (unsigned i = 0; i < CROWD; i++) {
		cap_t cap = sim_slot(i % 3 ? EP : BADGED)->cap;

		crowd[i] = sim_thread(CROWD_FIRST + i, (uint8_t)(1 + i % 5));
		ipc_send(true, false, cap, false, crowd[i]);
		assert_int_equal(crowd[i]->state, THREAD_BLOCKED_SEND);
	}
}

static unsigned crowd_count(struct tcb *const crowd[CROWD], enum thread_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CROWD; i++)
		n += crowd[i]->state == state;
	return n;
}

static void test_deletion_of_a_crowded_endpoint_goes_on(void **state)
{
	struct tcb *crowd[CROWD];
	unsigned rounds = 0;

	(void)state;
	client_runs();
	crowd_waits(crowd);
	assert_int_equal(cte_delete(sim_slot(BADGED), true), EXC_NONE);
	sim_interrupt = true;
	while (cte_delete(sim_slot(EP), true) == EXC_PREEMPTED) {
		cap_t cap = sim_slot(EP)->cap;

		rounds++;
		assert_in_range(crowd_count(crowd, THREAD_RESTART), 1, CROWD - 1);
		/* nobody can come anew, and no copy keeps the endpoint alive */
		assert_int_equal(cap_mask_rights(cap, 15).w[1], cap.w[1]);
		assert_false(cap_endpoint_can_send(cap) || cap_endpoint_can_receive(cap));
		assert_true(cap_is_null(cap_derive(sim_slot(EP), cap).cap));
	}
	sim_interrupt = false;
	assert_in_range(rounds, 2, CROWD);
	assert_int_equal(crowd_count(crowd, THREAD_RESTART), CROWD);
	assert_true(cap_is_null(sim_slot(EP)->cap));
}

static void test_cancel_badged_goes_on_behind_others(void **state)
{
	struct tcb *crowd[CROWD], *again = NULL;
	unsigned rounds = 0;

	(void)state;
	client_runs();
	crowd_waits(crowd);
	sim_interrupt = true;
	while (ipc_cancel_badged(ep, 77) == EXC_PREEMPTED) {
		/* one that was restarted sends again, before those that wait still: it is not meant */
		if (rounds++ != 0)
			continue;
		for (unsigned i = 0; i < CROWD && !again; i++)
			again = crowd[i]->state == THREAD_RESTART ? crowd[i] : NULL;
		assert_non_null(again);
		sched_set_priority(again, 200);
		ipc_send(true, false, sim_slot(BADGED)->cap, false, again);
	}
	sim_interrupt = false;
	assert_in_range(rounds, 1, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(crowd[i]->state,
				 i % 3 || crowd[i] == again ? THREAD_BLOCKED_SEND : THREAD_RESTART);
	assert_int_equal(ipc_cancel_badged(ep, 77), EXC_NONE);
	assert_int_equal(again->state, THREAD_RESTART);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_call_and_reply, setup),
	    cmocka_unit_test_setup(test_call_and_reply, setup_slow),
	    cmocka_unit_test_setup(test_long_message, setup),
	    cmocka_unit_test_setup(test_server_with_own_context, setup),
	    cmocka_unit_test_setup(test_queued_senders_by_priority, setup),
	    cmocka_unit_test_setup(test_capability_transfer, setup),
	    cmocka_unit_test_setup(test_no_grant_no_capabilities, setup),
	    cmocka_unit_test_setup(test_call_without_grant_stops_caller, setup),
	    cmocka_unit_test_setup(test_nested_calls_return_the_context, setup),
	    cmocka_unit_test_setup(test_nested_calls_return_the_context, setup_slow),
	    cmocka_unit_test_setup(test_deleting_the_middle_breaks_the_stack, setup),
	    cmocka_unit_test_setup(test_deleting_the_reply_gives_the_context_back, setup),
	    cmocka_unit_test_setup(test_reply_object_reused, setup),
	    cmocka_unit_test_setup(test_reply_from_a_call_on_the_reply_capability, setup),
	    cmocka_unit_test_setup(test_signal_switches_to_higher_priority, setup),
	    cmocka_unit_test_setup(test_pending_badges_add_up, setup),
	    cmocka_unit_test_setup(test_bound_notification_wakes_a_receiver, setup),
	    cmocka_unit_test_setup(test_notification_lends_its_context, setup),
	    cmocka_unit_test_setup(test_signal_to_a_guest, setup),
	    cmocka_unit_test_setup(test_first_half_refuses_and_goes_on, setup),
	    cmocka_unit_test_setup(test_send_then_wait, setup),
	    cmocka_unit_test_setup(test_debug_calls, setup),
	    cmocka_unit_test_setup(test_cancel_badged_sends, setup),
	    cmocka_unit_test_setup(test_priority_moves_a_waiter, setup),
	    cmocka_unit_test_setup(test_deletion_of_a_crowded_endpoint_goes_on, setup),
	    cmocka_unit_test_setup(test_cancel_badged_goes_on_behind_others, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
