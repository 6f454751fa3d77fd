/* The execute-never attribute of Page_Map. */
#include "roottask/ext/ext.h"

static struct thread_memory never_memory;
static seL4_CPtr never_endpoint, never_reply;
static uint64_t never_at;

enum { NEVER_RETURNED = 77, VM_FAULT = seL4_Fault_VMFault };

static void call(void *at)
{
	((void (*)(void))at)();
	seL4_Send(never_endpoint, seL4_MessageInfo_new(NEVER_RETURNED, 0, 0, 0));
	for (;;)
		seL4_Yield();
}

/* Runs the code at `at` in a thread of its own: NEVER_RETURNED, or VM_FAULT with its words in the message
 * registers. */
static seL4_Word run(uint64_t at)
{
	struct thread t = thread_new(&never_memory, HERE, 200, 10000, never_endpoint);
	seL4_MessageInfo_t info;

	thread_run(&t, call, (void *)at);
	info = seL4_Recv(never_endpoint, 0, never_reply);
	thread_suspend(&t);
	(void)seL4_CNode_Delete(ROOT, t.tcb, DEPTH);
	return seL4_MessageInfo_get_label(info);
}

static seL4_Error map(seL4_CPtr frame, uint64_t at, seL4_CapRights_t rights, seL4_Word attributes)
{
	return seL4_X86_Page_Map(frame, HERE, at, rights, attributes);
}

static void code(uint64_t at)
{
	*(volatile uint8_t *)at = 0xc3; /* RET */
}

void never_cases(void)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), copy = object_copy(frame);
	struct memory_large m = memory_large();
	uint64_t large = memory_window();

	never_endpoint = object_new(seL4_EndpointObject, 0);
	never_reply = object_new(seL4_ReplyObject, 0);
	never_at = memory_window();
	runtime_must(seL4_X86_PageTable_Map(memory_table(), HERE, never_at, 0), "PT");
	check_error("never.map", map(frame, never_at, seL4_ReadWrite, insula_X86_ExecuteNever), 0);
	code(never_at);
	check_equal("never.fault", run(never_at), VM_FAULT);
	check_equal("never.fault_ip", seL4_GetMR(0), never_at);
	check_equal("never.fault_address", seL4_GetMR(1), never_at);
	check_equal("never.fault_is_a_fetch", seL4_GetMR(2), 1);
	check_equal("never.fault_code", seL4_GetMR(3), 0x15); /* present, user, fetch */
	check_error("never.without", map(copy, never_at + PAGE, seL4_CanRead, seL4_X86_Default_VMAttributes),
		    0);
	check_equal("never.without_runs", run(never_at + PAGE), NEVER_RETURNED);
	check_error("never.map_again_without",
		    map(frame, never_at, seL4_ReadWrite, seL4_X86_Default_VMAttributes), 0);
	check_equal("never.now_runs", run(never_at), NEVER_RETURNED);
	check_error("never.map_again_with", map(frame, never_at, seL4_ReadWrite, insula_X86_ExecuteNever), 0);
	check_equal("never.and_not_any_more", run(never_at), VM_FAULT);
	/* a large page, and its parts */
	check_error("never.large", map(m.frame, large, seL4_ReadWrite, insula_X86_ExecuteNever), 0);
	code(large + 5 * PAGE);
	check_equal("never.large_fault", run(large + 5 * PAGE), VM_FAULT);
	check_equal("never.split",
		    insula_Frame_Split(m.frame, ROOT, memory_node(9), DEPTH, 0, memory_table()).left, 0);
	check_equal("never.part_fault", run(large + 5 * PAGE), VM_FAULT);
	check_equal("never.part_fault_is_a_fetch", seL4_GetMR(2), 1);
}
