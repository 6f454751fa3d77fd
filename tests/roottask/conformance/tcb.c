/* TCB invocations on a thread that does not run. */
#include "roottask/conformance/conformance.h"

#define SELF  seL4_CapInitThreadTCB
#define WORDS (sizeof(seL4_UserContext) / sizeof(seL4_Word))

static void registers(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_UserContext in = {.rip = 0x401000, .rsp = 0x500000, .rflags = ~0ull, .rax = 1, .r15 = 15, .fs_base = 0x600000}, out = {0};

	conformance_error("tcb.read_self", seL4_TCB_ReadRegisters(SELF, false, 0, WORDS, &out), seL4_IllegalOperation);
	conformance_error("tcb.write_self", seL4_TCB_WriteRegisters(SELF, false, 0, WORDS, &in), seL4_IllegalOperation);
	conformance_error2("tcb.read_none", seL4_TCB_ReadRegisters(tcb, false, 0, 0, &out), seL4_RangeError, 1, 20);
	conformance_error2("tcb.read_21", seL4_TCB_ReadRegisters(tcb, false, 0, 21, &out), seL4_RangeError, 1, 20);
	conformance_error("tcb.write", seL4_TCB_WriteRegisters(tcb, false, 0, WORDS, &in), 0);
	conformance_error("tcb.read", seL4_TCB_ReadRegisters(tcb, false, 0, WORDS, &out), 0);
	conformance_case("tcb.context", out.rip == in.rip && out.rsp == in.rsp && out.rax == 1 && out.r15 == 15 && out.fs_base == in.fs_base,
			 "what was written is not read");
	conformance_equal("tcb.rflags", out.rflags & ~0xfffull, 0);
	conformance_equal("tcb.rflags_on", out.rflags & 0x202, 0x202);
	in.rip = 0x8000000000000000ull;
	in.gs_base = 0x0000900000000000ull;
	conformance_error("tcb.write_not_canonical", seL4_TCB_WriteRegisters(tcb, false, 0, WORDS, &in), 0);
	(void)seL4_TCB_ReadRegisters(tcb, false, 0, WORDS, &out);
	conformance_equal("tcb.rip_not_canonical", out.rip, 0);
	conformance_equal("tcb.gs_not_canonical", out.gs_base, 0);
	conformance_error1("tcb.copy_from_endpoint", seL4_TCB_CopyRegisters(tcb, ep, false, false, true, true, 0), seL4_InvalidCapability, 1);
	conformance_error("tcb.truncated",
			  (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(tcb, seL4_MessageInfo_new(TCBWriteRegisters, 0, 0, 1))),
			  seL4_TruncatedMessage);
}

static void priorities(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr lesser = object_new(seL4_TCBObject, 0);

	conformance_error1("tcb.authority", seL4_TCB_SetPriority(tcb, ep, 1), seL4_InvalidCapability, 1);
	conformance_error2("tcb.priority_256", seL4_TCB_SetPriority(tcb, SELF, 256), seL4_RangeError, 0, 255);
	conformance_error("tcb.mcp", seL4_TCB_SetMCPriority(lesser, SELF, 10), 0);
	conformance_error2("tcb.priority_above_mcp", seL4_TCB_SetPriority(tcb, lesser, 11), seL4_RangeError, 0, 10);
	conformance_error2("tcb.mcp_above_mcp", seL4_TCB_SetMCPriority(tcb, lesser, 11), seL4_RangeError, 0, 10);
	conformance_error("tcb.priority", seL4_TCB_SetPriority(tcb, lesser, 10), 0);
	conformance_error1("tcb.sc_wrong", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, ep, 0), seL4_InvalidCapability, 2);
	conformance_error1("tcb.fault_ep_wrong", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, 0, tcb), seL4_InvalidCapability, 3);
	conformance_error("tcb.own_sc_away", seL4_TCB_SetSchedParams(SELF, SELF, 255, 255, 0, 0), seL4_IllegalOperation);
	conformance_error1("tcb.timeout_ep", seL4_TCB_SetTimeoutEndpoint(tcb, tcb), seL4_InvalidCapability, 1);
	conformance_error("tcb.timeout_none", seL4_TCB_SetTimeoutEndpoint(tcb, 0), 0);
}

static void spaces(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), raw = object_new(seL4_X64_PML4Object, 0);
	const seL4_CPtr space = seL4_CapInitThreadVSpace;

	conformance_error("tcb.cspace_wrong", seL4_TCB_Configure(tcb, ep, 0, space, 0, 0, 0), seL4_IllegalOperation);
	conformance_error("tcb.vspace_wrong", seL4_TCB_Configure(tcb, ROOT, 0, ep, 0, 0, 0), seL4_IllegalOperation);
	conformance_error("tcb.vspace_no_asid", seL4_TCB_Configure(tcb, ROOT, 0, raw, 0, 0, 0), seL4_IllegalOperation);
	conformance_error("tcb.buffer_unaligned", seL4_TCB_SetIPCBuffer(tcb, 0x700010, frame), seL4_AlignmentError);
	conformance_error("tcb.buffer_no_frame", seL4_TCB_SetIPCBuffer(tcb, 0x700000, ep), seL4_IllegalOperation);
	conformance_error("tcb.buffer", seL4_TCB_SetIPCBuffer(tcb, 0x700400, frame), 0);
	conformance_error("tcb.buffer_away", seL4_TCB_SetIPCBuffer(tcb, 0, 0), 0);
	conformance_error1("tcb.space_fault_ep", seL4_TCB_SetSpace(tcb, tcb, ROOT, 0, space, 0), seL4_InvalidCapability, 1);
	conformance_error("tcb.configure", seL4_TCB_Configure(tcb, ROOT, 0, space, 0, 0, 0), 0);
}

static void notifications(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), other = object_new(seL4_TCBObject, 0);
	seL4_CPtr deaf = object_mint(n, seL4_CanWrite, 0);

	conformance_error("tcb.bind_endpoint", seL4_TCB_BindNotification(tcb, ep), seL4_IllegalOperation);
	conformance_error("tcb.bind_no_receive", seL4_TCB_BindNotification(tcb, deaf), seL4_IllegalOperation);
	conformance_error("tcb.bind", seL4_TCB_BindNotification(tcb, n), 0);
	conformance_error("tcb.bind_twice", seL4_TCB_BindNotification(tcb, n), seL4_IllegalOperation);
	conformance_error("tcb.bind_bound", seL4_TCB_BindNotification(other, n), seL4_IllegalOperation);
	conformance_error("tcb.unbind", seL4_TCB_UnbindNotification(tcb), 0);
	conformance_error("tcb.bind_other", seL4_TCB_BindNotification(other, n), 0);
	conformance_equal("tcb.flags_set", seL4_TCB_SetFlags(tcb, 0, ~0ull).flags, 1);
	conformance_equal("tcb.flags_clear", seL4_TCB_SetFlags(tcb, 1, 0).flags, 0);
	conformance_error("tcb.suspend", seL4_TCB_Suspend(tcb), 0);
	conformance_error("tcb.label_unknown",
			  (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(tcb, seL4_MessageInfo_new(CNodeCopy, 0, 0, 8))),
			  seL4_IllegalOperation);
}

void tcb_cases(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), ep = object_new(seL4_EndpointObject, 0);

	registers(tcb, ep);
	priorities(tcb, ep);
	spaces(tcb, ep);
	notifications(tcb, ep);
}
