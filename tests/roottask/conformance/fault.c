/* Faults of a thread as its handler sees them, and what replies do. */
#include "roottask/conformance/conformance.h"

#define NOWHERE 0x20000000000ull
#define BEYOND  (1ull << 40) /* a CPtr that the root CNode's guard does not match */

static struct thread_memory faulter_memory;
static seL4_CPtr handler, reply, done;
static volatile seL4_Word went_on;

static void read_nowhere(void *argument)
{
	(void)argument;
	went_on = *(volatile seL4_Word *)NOWHERE;
	for (;;)
		seL4_Yield();
}

static void write_text(void *argument)
{
	*(volatile seL4_Word *)(NOWHERE + 8) = (seL4_Word)(uintptr_t)argument;
	for (;;)
		seL4_Yield();
}

static void illegal(void *argument)
{
	(void)argument;
	__builtin_trap();
}

static void unknown(void *argument)
{
	(void)argument;
	went_on = sel4_syscall_word((seL4_Word)-100, 0x4321);
	seL4_Signal(done);
	for (;;)
		seL4_Yield();
}

static void no_cap(void *argument)
{
	(void)argument;
	(void)seL4_Call(BEYOND, seL4_MessageInfo_new(0, 0, 0, 0));
	went_on = 0xcafe;
	for (;;)
		seL4_Yield();
}

static void receive_nothing(void *argument)
{
	seL4_Word badge;

	(void)argument;
	(void)seL4_Recv(0, &badge, 0);
	for (;;)
		seL4_Yield();
}

static struct thread faulter;

static seL4_MessageInfo_t provoke(void (*entry)(void *))
{
	seL4_Word badge;

	went_on = 0;
	thread_suspend(&faulter);
	thread_run(&faulter, entry, 0);
	return seL4_Recv(handler, &badge, reply);
}

static void vm_faults(void)
{
	seL4_MessageInfo_t info = provoke(read_nowhere);

	conformance_equal("fault.vm_label", seL4_MessageInfo_get_label(info), seL4_Fault_VMFault);
	conformance_equal("fault.vm_length", seL4_MessageInfo_get_length(info), 4);
	conformance_equal("fault.vm_address", seL4_GetMR(1), NOWHERE);
	conformance_equal("fault.vm_no_fetch", seL4_GetMR(2), 0);
	conformance_equal("fault.vm_read_code", seL4_GetMR(3), 4);
	(void)provoke(write_text);
	conformance_equal("fault.vm_write_code", seL4_GetMR(3), 6);
	(void)provoke((void (*)(void *))NOWHERE);
	conformance_equal("fault.vm_fetch", seL4_GetMR(2), 1);
	conformance_equal("fault.vm_fetch_ip", seL4_GetMR(0), NOWHERE);
}

static void exceptions(void)
{
	seL4_MessageInfo_t info = provoke(illegal);

	conformance_equal("fault.exception_label", seL4_MessageInfo_get_label(info), seL4_Fault_UserException);
	conformance_equal("fault.exception_length", seL4_MessageInfo_get_length(info), 5);
	conformance_equal("fault.exception_vector", seL4_GetMR(3), 6);
	conformance_equal("fault.exception_code", seL4_GetMR(4), 0);
}

static void system_calls(void)
{
	seL4_MessageInfo_t info = provoke(unknown);

	conformance_equal("fault.syscall_label", seL4_MessageInfo_get_label(info), seL4_Fault_UnknownSyscall);
	conformance_equal("fault.syscall_length", seL4_MessageInfo_get_length(info), 19);
	conformance_equal("fault.syscall_number", seL4_GetMR(18), (seL4_Word)-100);
	conformance_equal("fault.syscall_rdi", seL4_GetMR(5), 0x4321);
	conformance_equal("fault.syscall_ip", *(const uint16_t *)seL4_GetMR(15), 0x050f); /* the instruction itself: SYSCALL */
	/* the reply's words are its registers: we let it go on behind the instruction */
	seL4_SetMR(5, 0x8765);
	seL4_SetMR(15, seL4_GetMR(15) + 2);
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 18));
	(void)seL4_Wait(done, 0);
	conformance_equal("fault.syscall_reply", went_on, 0x8765);
}

static void capability_faults(void)
{
	seL4_MessageInfo_t info = provoke(no_cap);

	conformance_equal("fault.cap_label", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	conformance_equal("fault.cap_address", seL4_GetMR(1), BEYOND);
	conformance_equal("fault.cap_sending", seL4_GetMR(2), 0);
	conformance_equal("fault.cap_lookup", seL4_GetMR(3), seL4_GuardMismatch);
	conformance_equal("fault.cap_bits_left", seL4_GetMR(4), 64);
	conformance_equal("fault.cap_guard", seL4_GetMR(5), 0);
	conformance_equal("fault.cap_guard_bits", seL4_GetMR(6), 64 - runtime_bootinfo()->initThreadCNodeSizeBits);
	conformance_equal("fault.cap_ip", *(const uint16_t *)seL4_GetMR(0), 0x050f);
	/* a reply starts the call again, which faults again, whatever its label */
	{
		seL4_Word badge;

		seL4_Send(reply, seL4_MessageInfo_new(1, 0, 0, 0));
		info = seL4_Recv(handler, &badge, reply);
		conformance_equal("fault.cap_restarts", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
		conformance_equal("fault.cap_did_not_go_on", went_on, 0);
	}
	info = provoke(receive_nothing);
	conformance_equal("fault.cap_receive_label", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	conformance_equal("fault.cap_receiving", seL4_GetMR(2), 1);
	conformance_equal("fault.cap_receive_lookup", seL4_GetMR(3), seL4_MissingCapability);
}

void fault_cases(void)
{
	handler = object_new(seL4_EndpointObject, 0);
	reply = object_new(seL4_ReplyObject, 0);
	done = object_new(seL4_NotificationObject, 0);
	faulter = thread_new(&faulter_memory, seL4_CapInitThreadVSpace, 100, 10000, handler);
	vm_faults();
	exceptions();
	system_calls();
	capability_faults();
	thread_suspend(&faulter);
}
