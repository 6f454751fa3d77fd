// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched.c kernel/sched/sched_context.c
// links: kernel/sched/sched_context_decode.c kernel/sched/sched_control.c kernel/sched/remote.c
// links: kernel/object/object.c kernel/object/tcb_config.c kernel/object/tcb_registers.c
// links: kernel/object/tcb_sched.c kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c
// links: kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c
// links: kernel/cap/untyped.c kernel/arch/x86/context.c lib/rbtree/rbtree.c
/* Invocations on threads: the checks in their order, registers, buffers, stopping and starting, and the end
 * of a thread. */
#include "object/tcb.h"
#include "api/sim_fake.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum {
	A = 1,
	B,
	C,
	SC_A,
	SC_B,
	SC_C,
	EP,
	SEND_EP,
	REPLY,
	NTFN,
	ROOT,
	SPACE,
	NO_SPACE,
	FRAME,
	DEVICE,
	RO_FRAME,
	BIG,
	NOTHING,
	SPARE
};

static struct tcb *a, *b;

static cap_t frame(uint64_t p, enum frame_size size, bool device, unsigned rights)
{
	return cap_frame_new(paddr(p), size, device, rights);
}

static int setup(void **state)
{
	cap_t space = cap_of_type(CAP_PML4);

	(void)state;
	sim_reset();
	a = sim_thread(A, 100);
	b = sim_thread(B, 90);
	b->slot[TCB_CSPACE].cap = cap_null(); /* set by configuration here */
	sim_endpoint(EP);
	sim_mint(SEND_EP, EP, seL4_RightWrite, 9);
	sim_reply(REPLY);
	sim_notification(NTFN);
	cte_insert_root(sim_slot(ROOT), cap_cnode_new(window_pa(sim_slot(0)), SIM_CNODE_RADIX));
	cte_insert_root(sim_slot(SPACE), cap_paging_with_is_mapped(cap_paging_with_ptr(space, 0x5000), 1));
	cte_insert_root(sim_slot(NO_SPACE), cap_paging_with_ptr(space, 0x6000));
	cte_insert_root(sim_slot(FRAME), frame(0x180000, FRAME_4K, false, 3));
	cte_insert_root(sim_slot(DEVICE), frame(0x181000, FRAME_4K, true, 3));
	cte_insert_root(sim_slot(RO_FRAME), frame(0x182000, FRAME_4K, false, 2));
	sim_start(a, SC_A, 10000, 10000);
	assert_ptr_equal(sim_exit(), a);
	return 0;
}

#define CAPS(...)                                                                                            \
	sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned), (unsigned[])                                   \
	{                                                                                                    \
		__VA_ARGS__                                                                                  \
	}
#define WORDS(...)                                                                                           \
	sizeof((word_t[]){__VA_ARGS__}) / sizeof(word_t), (word_t[])                                         \
	{                                                                                                    \
		__VA_ARGS__                                                                                  \
	}

static word_t no_caps(unsigned slot, word_t label, unsigned n, const word_t *words)
{
	return sim_invoke(a, slot, label, 0, NULL, n, words);
}

/* ---- registers ---- */

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(no_caps(A, TCBReadRegisters, WORDS(0, 20)), seL4_IllegalOperation);
	assert_int_equal(no_caps(B, TCBReadRegisters, WORDS(0, 21)), seL4_RangeError);
	assert_int_equal(no_caps(B, TCBReadRegisters, WORDS(0, 0)), seL4_RangeError);
	assert_int_equal(a->ctx.r10, 1);
	assert_int_equal(a->ctx.r8, 20);
	assert_int_equal(no_caps(B, TCBReadRegisters, WORDS(0)), seL4_TruncatedMessage);
	assert_int_equal(no_caps(B, TCBWriteRegisters, WORDS(0, 3, 1, 2)), seL4_TruncatedMessage);
	assert_int_equal(no_caps(B, TCBWriteRegisters, WORDS(0, 4, 0x4000, 0x8000, UINT64_MAX, 77)),
			 seL4_NoError);
	assert_int_equal(b->ctx.rip, 0x4000);
	assert_int_equal(b->ctx.rsp, 0x8000);
	assert_int_equal(b->ctx.rflags & 0x202, 0x202);
	assert_int_equal(b->ctx.rflags >> 12, 0);
	assert_int_equal(no_caps(B, TCBReadRegisters, WORDS(0, 20)), seL4_NoError);
	assert_int_equal(message_length(a->ctx.rsi), 20);
	assert_int_equal(a->ctx.r10, 0x4000);
	assert_int_equal(a->ctx.r15, 77);
	assert_int_equal(b->state, THREAD_INACTIVE);
	assert_int_equal(no_caps(B, TCBSetTLSBase, WORDS(0x7000)), seL4_NoError);
	assert_int_equal(b->ctx.fs_base, 0x7000);
	assert_int_equal(no_caps(B, TCBSetFlags, WORDS(0, 0xff)), seL4_NoError);
	assert_int_equal(a->ctx.r10, 1);
	assert_true(b->fpu_disabled);
	assert_int_equal(no_caps(B, TCBSetFlags, WORDS(1, 0)), seL4_NoError);
	assert_false(b->fpu_disabled);
}

static void test_copy_registers(void **state)
{
	(void)state;
	sim_thread(C, 50)->ctx.r14 = 5;
	assert_int_equal(no_caps(B, TCBCopyRegisters, WORDS(4)), seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(a, B, TCBCopyRegisters, CAPS(EP), WORDS(4)), seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 1);
	b->held_trap = 3;
	assert_int_equal(sim_invoke(a, B, TCBCopyRegisters, CAPS(C), WORDS(4)), seL4_NoError);
	assert_int_equal(b->ctx.r14, 5);
	assert_int_equal(b->held_trap, 0); /* taken where it is no more */
}

/* ---- spaces and buffers ---- */

static void test_configure(void **state)
{
	(void)state;
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(ROOT, SPACE), WORDS(0, 0, 0)),
			 seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(EP, SPACE, FRAME), WORDS(0, 0, 0)),
			 seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(ROOT, NO_SPACE, FRAME), WORDS(0, 0, 0)),
			 seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(ROOT, SPACE, DEVICE), WORDS(0, 0, 0x1000)),
			 seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(ROOT, SPACE, FRAME), WORDS(0, 0, 0x1100)),
			 seL4_AlignmentError);
	assert_int_equal(sim_refs, 0);
	/* guard of 56 bits, so that capability addresses are slots */
	assert_int_equal(sim_invoke(a, B, TCBConfigure, CAPS(ROOT, SPACE, FRAME), WORDS(56, 0, 0x7400)),
			 seL4_NoError);
	assert_int_equal(cap_cnode_guard_size(b->slot[TCB_CSPACE].cap), 56);
	assert_int_equal(cap_type(b->slot[TCB_VSPACE].cap), CAP_PML4);
	assert_ptr_equal(b->ipc_buffer_kv, (char *)window_kv(paddr(0x180000)) + 0x400);
	assert_true(b->ipc_buffer_writable);
	assert_int_equal(sim_refs, 1);
	/* the frame goes, and the buffer with it */
	assert_int_equal(cte_revoke(sim_slot(FRAME)), EXC_NONE);
	assert_int_equal(sim_refs, 0);
	assert_null(b->ipc_buffer_kv);
	assert_true(cap_is_null(b->slot[TCB_IPC_BUFFER].cap));
}

static void test_ipc_buffer(void **state)
{
	(void)state;
	assert_int_equal(sim_invoke(a, B, TCBSetIPCBuffer, CAPS(RO_FRAME), WORDS(0x1000)), seL4_NoError);
	assert_int_equal(sim_refs, 1);
	assert_non_null(b->ipc_buffer_kv);
	assert_false(b->ipc_buffer_writable);
	assert_int_equal(sim_invoke(a, B, TCBSetIPCBuffer, CAPS(FRAME), WORDS(0x1c00)), seL4_NoError);
	assert_int_equal(sim_refs, 1);
	assert_true(b->ipc_buffer_writable);
	assert_int_equal(sim_invoke(a, B, TCBSetIPCBuffer, CAPS(EP), WORDS(0x1c00)), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBSetIPCBuffer, CAPS(NOTHING), WORDS(0)), seL4_NoError);
	assert_int_equal(sim_refs, 0);
	assert_null(b->ipc_buffer_kv);
}

static void test_set_space(void **state)
{
	(void)state;
	assert_int_equal(sim_invoke(a, B, TCBSetSpace, CAPS(SEND_EP, ROOT, SPACE), WORDS(0, 0)),
			 seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 1);
	assert_int_equal(sim_invoke(a, B, TCBSetSpace, CAPS(EP, ROOT, SPACE), WORDS(56, 0)), seL4_NoError);
	assert_int_equal(cap_type(b->slot[TCB_FAULT_HANDLER].cap), CAP_ENDPOINT);
	assert_int_equal(sim_invoke(a, B, TCBSetSpace, CAPS(NOTHING, ROOT, SPACE), WORDS(56, 0)),
			 seL4_NoError);
	assert_true(cap_is_null(b->slot[TCB_FAULT_HANDLER].cap));
	assert_int_equal(sim_invoke(a, B, TCBSetTimeoutEndpoint, CAPS(SEND_EP), 0, NULL),
			 seL4_InvalidCapability);
	assert_int_equal(sim_invoke(a, B, TCBSetTimeoutEndpoint, CAPS(EP), 0, NULL), seL4_NoError);
	assert_true(fault_timeout_handler_set(b));
}

/* ---- scheduling ---- */

static void test_priorities(void **state)
{
	(void)state;
	a->mcp = 150;
	assert_int_equal(sim_invoke(a, B, TCBSetPriority, CAPS(EP), WORDS(10)), seL4_InvalidCapability);
	assert_int_equal(sim_invoke(a, B, TCBSetPriority, CAPS(A), WORDS(151)), seL4_RangeError);
	assert_int_equal(a->ctx.r8, 150);
	assert_int_equal(sim_invoke(a, B, TCBSetPriority, CAPS(A), WORDS(150)), seL4_NoError);
	assert_int_equal(b->priority, 150);
	assert_int_equal(sim_invoke(a, B, TCBSetMCPriority, CAPS(A), WORDS(140)), seL4_NoError);
	assert_int_equal(b->mcp, 140);
}

static void test_sched_params(void **state)
{
	struct sched_context *sc = sim_sched_context(SC_B);

	(void)state;
	sched_control_configure(sc, 0, 100000, 100000, 0, 0, false);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, SC_B), WORDS(1, 2)),
			 seL4_TruncatedMessage);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, EP, NOTHING), WORDS(1, 2)),
			 seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 2);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, SC_A, NOTHING), WORDS(1, 2)),
			 seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, A, TCBSetSchedParams, CAPS(A, NOTHING, NOTHING), WORDS(1, 2)),
			 seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, SC_B, SEND_EP), WORDS(1, 2)),
			 seL4_InvalidCapability);
	assert_int_equal(a->ctx.r10, 3);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, SC_B, EP), WORDS(1, 2)), seL4_NoError);
	assert_int_equal(b->priority, 2);
	assert_ptr_equal(b->sc, sc);
	assert_int_equal(no_caps(B, TCBResume, 0, NULL), seL4_NoError);
	assert_ptr_equal(percpu_host->current, a);
	assert_int_equal(sim_invoke(a, B, TCBSetSchedParams, CAPS(A, NOTHING, EP), WORDS(1, 2)),
			 seL4_NoError);
	assert_null(b->sc);
}

static void test_suspend_and_resume(void **state)
{
	(void)state;
	b->slot[TCB_CSPACE].cap = a->slot[TCB_CSPACE].cap;
	b->priority = 110;
	sim_start(b, SC_B, 10000, 10000);
	assert_ptr_equal(sim_exit(), b);
	b->ctx.rip = 0x3000;
	b->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(b, seL4_SysRecv, EP, 0), a);
	assert_int_equal(no_caps(B, TCBSuspend, 0, NULL), seL4_NoError);
	assert_int_equal(b->state, THREAD_INACTIVE);
	assert_int_equal(cap_endpoint_of(sim_slot(EP)->cap)->head, 0);
	assert_null(cap_reply_of(sim_slot(REPLY)->cap)->tcb);
	/* resumed, it repeats the receive */
	no_caps(B, TCBResume, 0, NULL);
	assert_ptr_equal(percpu_host->current, b);
	assert_int_equal(b->ctx.rip, 0x3000);
	/* one that runs goes on where it was */
	b->ctx.rip = 0x3333;
	tcb_suspend(b);
	sched_restart(b);
	assert_ptr_equal(sim_exit(), b);
	assert_int_equal(b->ctx.rip, 0x3333);
	/* itself: it goes on behind the call, with its answer */
	b->ctx.rip = 0x3000;
	assert_ptr_equal(sim_syscall(b, seL4_SysCall, B, sim_tag(TCBSuspend, 0, 0)), a);
	no_caps(B, TCBResume, 0, NULL);
	assert_int_equal(b->ctx.rip, 0x3002);
	assert_int_equal(b->ctx.rsi, 0);
}

static void test_bind_notification(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);

	(void)state;
	sim_mint(SPARE, NTFN, seL4_RightWrite, 0);
	assert_int_equal(no_caps(B, TCBUnbindNotification, 0, NULL), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBBindNotification, CAPS(EP), 0, NULL), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBBindNotification, CAPS(SPARE), 0, NULL), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBBindNotification, CAPS(NTFN), 0, NULL), seL4_NoError);
	assert_ptr_equal(n->bound_tcb, b);
	assert_int_equal(sim_invoke(a, A, TCBBindNotification, CAPS(NTFN), 0, NULL), seL4_IllegalOperation);
	assert_int_equal(sim_invoke(a, B, TCBBindNotification, CAPS(NTFN), 0, NULL), seL4_IllegalOperation);
	assert_int_equal(no_caps(B, TCBUnbindNotification, 0, NULL), seL4_NoError);
	assert_null(n->bound_tcb);
	assert_int_equal(no_caps(B, 5000, 0, NULL), seL4_IllegalOperation);
}

static void test_deletion(void **state)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN)->cap);

	(void)state;
	sim_invoke(a, B, TCBConfigure, CAPS(ROOT, SPACE, FRAME), WORDS(56, 0, 0x7400));
	notification_bind(n, b);
	b->priority = 110;
	sim_start(b, SC_B, 10000, 10000);
	assert_ptr_equal(sim_exit(), b);
	b->ctx.r12 = REPLY;
	assert_ptr_equal(sim_syscall(b, seL4_SysRecv, EP, 0), a);
	assert_int_equal(cte_delete(sim_slot(B), true), EXC_NONE);
	assert_null(n->bound_tcb);
	assert_null(cap_sched_context_of(sim_slot(SC_B)->cap)->tcb);
	assert_int_equal(cap_endpoint_of(sim_slot(EP)->cap)->head, 0);
	assert_int_equal(sim_refs, 0);
	for (unsigned i = 0; i < TCB_SLOT_COUNT; i++)
		assert_true(cap_is_null(b->slot[i].cap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_registers, setup),
	    cmocka_unit_test_setup(test_copy_registers, setup),
	    cmocka_unit_test_setup(test_configure, setup),
	    cmocka_unit_test_setup(test_ipc_buffer, setup),
	    cmocka_unit_test_setup(test_set_space, setup),
	    cmocka_unit_test_setup(test_priorities, setup),
	    cmocka_unit_test_setup(test_sched_params, setup),
	    cmocka_unit_test_setup(test_suspend_and_resume, setup),
	    cmocka_unit_test_setup(test_bind_notification, setup),
	    cmocka_unit_test_setup(test_deletion, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
