// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/release/debug_syscall.c kernel/ipc/endpoint.c
// links: kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c kernel/sched/refill.c
// links: kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
// links: kernel/api/syscall_general.c
/* Faults of threads: what their handlers get, and what the handlers' answers do. */
#include "ipc/fault.h"
#include "api/sim_fake.h"
#include "ipc/message.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CLIENT = 1, SERVER, EP, REPLY, SC1, SC2, EMPTY, HANDLER_EP };

static struct tcb *client, *server;

static int setup(void **state)
{
	(void)state;
	sim_reset();
	client = sim_thread(CLIENT, 100);
	server = sim_thread(SERVER, 100);
	sim_endpoint(EP);
	sim_endpoint(HANDLER_EP);
	sim_reply(REPLY);
	return 0;
}

static void client_runs(void)
{
	sim_start(client, SC1, 1000, 1000);
	assert_ptr_equal(sim_exit(), client);
}

/* Passive, or with time of its own: then the client has a period, too. */
static void handler_waits_as(bool passive)
{
	struct sched_context *sc;

	server->priority = 150;
	sc = sim_start(server, SC2, 1000, 1000);
	assert_ptr_equal(sim_exit(), server);
	server->ctx.r12 = REPLY;
	assert_null(sim_syscall(server, seL4_SysRecv, HANDLER_EP, 0));
	if (passive)
		sched_context_unbind_tcb(sc);
	sim_mint(EMPTY, HANDLER_EP, 15, 31);
	client->slot[TCB_FAULT_HANDLER].cap = sim_slot(EMPTY)->cap;
	if (passive) {
		client_runs();
		return;
	}
	sim_start(client, SC1, 1000, 5000);
	assert_ptr_equal(sim_exit(), client);
}

static void handler_waits(void)
{
	handler_waits_as(true);
}

static void test_cap_fault(void **state)
{
	(void)state;
	handler_waits();
	client->ctx.rip = 0x4000;
	assert_ptr_equal(sim_syscall(client, seL4_SysSend, 0xabcdef, 0), server);
	assert_int_equal(server->ctx.rdi, 31);
	assert_int_equal(server->ctx.rsi >> 12, seL4_Fault_CapFault);
	assert_int_equal(server->ctx.r10, 0x4000);
	assert_int_equal(server->ctx.r8, 0xabcdef);
	assert_int_equal(server->ctx.r9, 0);
	assert_int_equal(server->ctx.r15, seL4_GuardMismatch);
	/* any reply restarts it at the same place */
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, sim_tag(1, 0, 0)), client);
	assert_int_equal(client->ctx.rip, 0x4000);
	/* not with a non-blocking send */
	assert_ptr_equal(sim_syscall(client, seL4_SysNBSend, 0xabcdef, 0), client);
	/* in the receive phase: the endpoint, then the reply object */
	assert_ptr_equal(sim_syscall(client, seL4_SysRecv, REPLY, 0), server);
	assert_int_equal(server->ctx.r9, 1);
	assert_int_equal(server->ctx.r15, seL4_MissingCapability);
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, 0), client);
	client->ctx.r12 = 0;
	assert_ptr_equal(sim_syscall(client, seL4_SysRecv, EP, 0), server);
	assert_int_equal(server->ctx.r8, 0);
	assert_int_equal(server->ctx.r9, 1);
}

static void test_unknown_syscall(void **state)
{
	(void)state;
	handler_waits();
	client->ctx.rip = 0x4000;
	client->ctx.rax = 1;
	client->ctx.r15 = 15;
	client->ctx.rsp = 0x9000;
	assert_ptr_equal(sim_syscall(client, -1000, 2, 3), server);
	assert_int_equal(server->ctx.rsi, sim_tag(seL4_Fault_UnknownSyscall, 0, 19));
	assert_int_equal(message_get(server, 0), 1);
	assert_int_equal(message_get(server, 14), 15);
	assert_int_equal(message_get(server, 15), 0x4000);
	assert_int_equal(message_get(server, 16), 0x9000);
	assert_int_equal(message_get(server, 18), (word_t)-1000);
	message_put(server, 0, 42);
	message_put(server, 15, 0x5000);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, sim_tag(0, 0, 18)), client);
	assert_int_equal(client->ctx.rax, 42);
	assert_int_equal(client->ctx.rip, 0x5000);
	assert_int_equal(client->ctx.syscall, 0);
}

static void test_exceptions(void **state)
{
	(void)state;
	handler_waits();
	client->ctx.rip = 0x4000;
	sim_cr2 = 0xdead000;
	assert_ptr_equal(sim_trap(client, 14, 0x14), server);
	assert_int_equal(server->ctx.rsi, sim_tag(seL4_Fault_VMFault, 0, 4));
	assert_int_equal(server->ctx.r8, 0xdead000);
	assert_int_equal(server->ctx.r9, 1);
	assert_int_equal(server->ctx.r15, 0x14);
	server->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, 0), client);
	assert_ptr_equal(sim_trap(client, 6, 0), server);
	assert_int_equal(server->ctx.rsi, sim_tag(seL4_Fault_UserException, 0, 5));
	assert_int_equal(server->ctx.r15, 6);
	/* refused: it stays where it is */
	assert_null(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, sim_tag(1, 0, 0)));
	assert_int_equal(client->state, THREAD_INACTIVE);
	assert_int_equal(client->fault.type, seL4_Fault_NullFault);
}

/*
 * Traps: their instruction is behind the thread, and does not raise them again. So one whose budget was spent when it came, or that
 * was taken off its CPU on the way into the kernel, has them when it runs next. (Of a machine check nobody knows whether it would come again.)
 */
static void test_traps_are_put_off(void **state)
{
	static const unsigned vector[] = {1, 3, 4, 18};

	(void)state;
	handler_waits();
	server->ctx.r12 = REPLY;
	for (unsigned i = 0; i < ARRAY_SIZE(vector); i++) {
		sim_now += 2000 * SIM_TICKS_PER_US; /* its slice is over, and the timer has not come yet */
		assert_ptr_equal(sim_trap(client, vector[i], 0), server);
		assert_int_equal(server->ctx.rsi, sim_tag(seL4_Fault_UserException, 0, 5));
		assert_int_equal(server->ctx.r15, vector[i]);
		assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, 0), client);
		/* once */
		assert_ptr_equal(sim_exit(), client);

		sched_hold_trap(client, vector[i]);
		sched_vacate();
		assert_ptr_equal(sim_exit(), server);
		assert_int_equal(server->ctx.r15, vector[i]);
		assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, 0), client);
	}
	/* a fault comes again with its instruction */
	sim_now += 2000 * SIM_TICKS_PER_US;
	assert_ptr_equal(sim_trap(client, 6, 0), client);
	assert_int_equal(client->state, THREAD_RUNNING);
}

/* Its handler of timeouts hears first; what it answers leaves the trap where it is, unless it says where the thread goes on. */
static void test_trap_behind_a_timeout(void **state)
{
	struct tcb *next;

	(void)state;
	handler_waits_as(false);
	client->slot[TCB_TIMEOUT_HANDLER].cap = client->slot[TCB_FAULT_HANDLER].cap;
	server->ctx.r12 = REPLY;
	for (unsigned registers = 0; registers < 2; registers++) {
		client->ctx.rip = 0x4000;
		sim_now += 2000 * SIM_TICKS_PER_US;
		assert_ptr_equal(sim_trap(client, 3, 0), server);
		assert_int_equal(server->ctx.rsi >> 12, seL4_Fault_Timeout);
		message_put(server, 0, 0x5000);
		next = sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, sim_tag(0, 0, registers)); /* when there is time again */
		if (registers == 0) {
			assert_ptr_equal(next, server);
			assert_int_equal(server->ctx.rsi >> 12, seL4_Fault_UserException);
			assert_int_equal(server->ctx.r10, 0x4000);
			assert_int_equal(server->ctx.r15, 3);
			assert_ptr_equal(sim_syscall(server, seL4_SysReplyRecv, HANDLER_EP, 0), client);
		} else {
			assert_ptr_equal(next, client);
			assert_int_equal(client->ctx.rip, 0x5000);
		}
	}
}

static void test_no_handler(void **state)
{
	(void)state;
	client_runs();
	assert_null(sim_trap(client, 14, 0));
	assert_int_equal(client->state, THREAD_INACTIVE);
	assert_non_null(strstr(sim_console, "thread1"));
}

/* Who makes threads fault without end does not fill the console. */
static void test_lines_are_bounded(void **state)
{
	unsigned lines = 0;

	(void)state;
	client_runs();
	for (unsigned i = 0; i < 100; i++) {
		sim_console[0] = '\0';
		sim_trap(client, 14, 0);
		lines += sim_console[0] != '\0';
		sched_restart(client);
		assert_ptr_equal(sim_exit(), client);
	}
	assert_in_range(lines, 1, 16);
	/* a second later there may be one again */
	sim_run(1100000 * SIM_TICKS_PER_US);
	sim_console[0] = '\0';
	sim_trap(client, 14, 0);
	assert_non_null(strstr(sim_console, "thread1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_cap_fault, setup),
	    cmocka_unit_test_setup(test_unknown_syscall, setup),
	    cmocka_unit_test_setup(test_exceptions, setup),
	    cmocka_unit_test_setup(test_traps_are_put_off, setup),
	    cmocka_unit_test_setup(test_trap_behind_a_timeout, setup),
	    cmocka_unit_test_setup(test_no_handler, setup),
	    cmocka_unit_test_setup(test_lines_are_bounded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
