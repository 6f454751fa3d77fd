/* TCB invocations on a thread that does not run: arguments, authority, spaces, binding, flags. */
#include "roottask/conformance/conformance.h"

static void authority(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr lesser = object_new(seL4_TCBObject, 0), sc = object_new(seL4_SchedContextObject, 8);

	conformance_error1("tcb.priority_authority", seL4_TCB_SetPriority(tcb, ep, 1), seL4_InvalidCapability,
			   1);
	conformance_error1("tcb.mcp_authority", seL4_TCB_SetMCPriority(tcb, ep, 1), seL4_InvalidCapability,
			   1);
	conformance_error1("tcb.params_authority", seL4_TCB_SetSchedParams(tcb, ep, 1, 1, 0, 0),
			   seL4_InvalidCapability, 1);
	conformance_error1("tcb.authority_empty", seL4_TCB_SetPriority(tcb, 0, 1), seL4_InvalidCapability, 1);
	conformance_error2("tcb.priority_256", seL4_TCB_SetPriority(tcb, SELF, 256), seL4_RangeError, 0, 255);
	conformance_error2("tcb.priority_huge", seL4_TCB_SetPriority(tcb, SELF, ~0ull), seL4_RangeError, 0,
			   255);
	conformance_error2("tcb.new_thread_has_no_mcp", seL4_TCB_SetPriority(tcb, lesser, 1), seL4_RangeError,
			   0, 0);
	conformance_ok("tcb.new_thread_gives_zero", seL4_TCB_SetPriority(tcb, lesser, 0));
	conformance_ok("tcb.mcp", seL4_TCB_SetMCPriority(lesser, SELF, 10));
	conformance_error2("tcb.priority_above_mcp", seL4_TCB_SetPriority(tcb, lesser, 11), seL4_RangeError,
			   0, 10);
	conformance_error2("tcb.mcp_above_mcp", seL4_TCB_SetMCPriority(tcb, lesser, 11), seL4_RangeError, 0,
			   10);
	conformance_error2("tcb.params_mcp_above", seL4_TCB_SetSchedParams(tcb, lesser, 11, 1, 0, 0),
			   seL4_RangeError, 0, 10);
	conformance_error2("tcb.params_priority_above", seL4_TCB_SetSchedParams(tcb, lesser, 1, 11, 0, 0),
			   seL4_RangeError, 0, 10);
	conformance_ok("tcb.priority", seL4_TCB_SetPriority(tcb, lesser, 10));
	/* its own MCP is no limit to what others give it */
	conformance_ok("tcb.priority_above_own_mcp", seL4_TCB_SetPriority(lesser, SELF, 200));
	conformance_error1("tcb.params_context_wrong", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, ep, 0),
			   seL4_InvalidCapability, 2);
	conformance_error1("tcb.params_fault_ep_wrong", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, 0, tcb),
			   seL4_InvalidCapability, 3);
	conformance_error("tcb.own_context_away", seL4_TCB_SetSchedParams(SELF, SELF, 255, 255, 0, 0),
			  seL4_IllegalOperation);
	conformance_ok("tcb.params_context", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, sc, 0));
	conformance_error(
	    "tcb.params_bound_already",
	    seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, object_new(seL4_SchedContextObject, 8), 0),
	    seL4_IllegalOperation);
	conformance_error("tcb.params_context_in_use", seL4_TCB_SetSchedParams(lesser, SELF, 10, 10, sc, 0),
			  seL4_IllegalOperation);
	conformance_ok("tcb.params_no_context", seL4_TCB_SetSchedParams(tcb, SELF, 10, 10, 0, 0));
	conformance_ok("tcb.params_context_is_free", seL4_TCB_SetSchedParams(lesser, SELF, 10, 10, sc, 0));
	/* the checks in their order */
	conformance_error1("tcb.order_authority_range", seL4_TCB_SetSchedParams(tcb, ep, 999, 999, ep, tcb),
			   seL4_InvalidCapability, 1);
	conformance_error("tcb.order_range_context", seL4_TCB_SetSchedParams(tcb, SELF, 999, 1, ep, tcb),
			  seL4_RangeError);
	conformance_error1("tcb.order_context_fault", seL4_TCB_SetSchedParams(tcb, SELF, 1, 1, ep, tcb),
			   seL4_InvalidCapability, 2);
}

static void handlers(seL4_CPtr tcb)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);

	for (seL4_Word rights = 0; rights < 16; rights++) {
		seL4_CPtr cap = object_mint(ep, (seL4_CapRights_t){{rights}}, 1);
		const seL4_Error want = (rights & 1) && (rights & 12) ? seL4_NoError : seL4_InvalidCapability;

		conformance_error(conformance_name("tcb.timeout_handler_rights", rights),
				  seL4_TCB_SetTimeoutEndpoint(tcb, cap), want);
		conformance_error(conformance_name("tcb.fault_handler_rights", rights),
				  seL4_TCB_SetSpace(tcb, cap, ROOT, 0, HERE, 0), want);
	}
	conformance_error1("tcb.timeout_handler_kind", seL4_TCB_SetTimeoutEndpoint(tcb, tcb),
			   seL4_InvalidCapability, 1);
	conformance_error1("tcb.fault_handler_kind", seL4_TCB_SetSpace(tcb, tcb, ROOT, 0, HERE, 0),
			   seL4_InvalidCapability, 1);
	conformance_ok("tcb.timeout_handler_none", seL4_TCB_SetTimeoutEndpoint(tcb, 0));
	conformance_ok("tcb.fault_handler_none", seL4_TCB_SetSpace(tcb, 0, ROOT, 0, HERE, 0));
}

static void spaces(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), raw = object_new(seL4_X64_PML4Object, 0),
		  cnode = object_new(seL4_CapTableObject, 4);
	seL4_CPtr large = object_slot();

	runtime_must(
	    seL4_Untyped_Retype(conformance_untyped(21), seL4_X86_LargePageObject, 0, ROOT, 0, 0, large, 1),
	    "a large frame");
	conformance_error("tcb.cspace_wrong", seL4_TCB_Configure(tcb, ep, 0, HERE, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.cspace_empty", seL4_TCB_Configure(tcb, 0, 0, HERE, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.vspace_wrong", seL4_TCB_Configure(tcb, ROOT, 0, ep, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.vspace_empty", seL4_TCB_Configure(tcb, ROOT, 0, 0, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.vspace_no_asid", seL4_TCB_Configure(tcb, ROOT, 0, raw, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.space_cspace_wrong", seL4_TCB_SetSpace(tcb, 0, ep, 0, HERE, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.space_vspace_wrong", seL4_TCB_SetSpace(tcb, 0, ROOT, 0, ep, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.space_vspace_no_asid", seL4_TCB_SetSpace(tcb, 0, ROOT, 0, raw, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.order_space_fault_handler", seL4_TCB_SetSpace(tcb, tcb, ep, 0, HERE, 0),
			  seL4_IllegalOperation);
	conformance_error("tcb.guard_too_long",
			  seL4_TCB_SetSpace(tcb, 0, cnode, seL4_CNode_CapData_new(0, 61), HERE, 0),
			  seL4_IllegalOperation);
	conformance_ok("tcb.guard", seL4_TCB_SetSpace(tcb, 0, cnode, seL4_CNode_CapData_new(0, 60), HERE, 0));
	conformance_error("tcb.buffer_unaligned", seL4_TCB_SetIPCBuffer(tcb, 0x700010, frame),
			  seL4_AlignmentError);
	conformance_error("tcb.buffer_aligned_512", seL4_TCB_SetIPCBuffer(tcb, 0x700200, frame),
			  seL4_AlignmentError);
	conformance_error("tcb.buffer_no_frame", seL4_TCB_SetIPCBuffer(tcb, 0x700000, ep),
			  seL4_IllegalOperation);
	conformance_error("tcb.buffer_empty", seL4_TCB_SetIPCBuffer(tcb, 0x700000, 0), seL4_IllegalOperation);
	conformance_error("tcb.order_buffer_kind_alignment", seL4_TCB_SetIPCBuffer(tcb, 0x700010, ep),
			  seL4_IllegalOperation);
	conformance_ok("tcb.buffer", seL4_TCB_SetIPCBuffer(tcb, 0x700400, frame));
	conformance_ok("tcb.buffer_again", seL4_TCB_SetIPCBuffer(tcb, 0x700c00, frame));
	conformance_ok("tcb.buffer_in_large_frame", seL4_TCB_SetIPCBuffer(tcb, 0x601000, large));
	conformance_ok("tcb.buffer_away", seL4_TCB_SetIPCBuffer(tcb, 0, ep));
	conformance_error("tcb.configure_buffer_unaligned",
			  seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0x700008, frame), seL4_AlignmentError);
	conformance_error("tcb.configure_buffer_no_frame",
			  seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0x700000, ep), seL4_IllegalOperation);
	conformance_ok("tcb.configure", seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0x700000, frame));
	conformance_ok("tcb.configure_no_buffer", seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0, ep));
}

static void notifications(seL4_CPtr tcb, seL4_CPtr ep)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), other = object_new(seL4_TCBObject, 0);
	seL4_CPtr deaf = object_mint(n, seL4_CanWrite, 0);

	conformance_error("tcb.bind_endpoint", seL4_TCB_BindNotification(tcb, ep), seL4_IllegalOperation);
	conformance_error("tcb.bind_empty", seL4_TCB_BindNotification(tcb, 0), seL4_IllegalOperation);
	conformance_error("tcb.bind_no_receive", seL4_TCB_BindNotification(tcb, deaf), seL4_IllegalOperation);
	conformance_error("tcb.unbind_nothing", seL4_TCB_UnbindNotification(tcb), seL4_IllegalOperation);
	conformance_ok("tcb.bind", seL4_TCB_BindNotification(tcb, n));
	conformance_error("tcb.bind_twice",
			  seL4_TCB_BindNotification(tcb, object_new(seL4_NotificationObject, 0)),
			  seL4_IllegalOperation);
	conformance_error("tcb.bind_bound", seL4_TCB_BindNotification(other, n), seL4_IllegalOperation);
	conformance_ok("tcb.unbind", seL4_TCB_UnbindNotification(tcb));
	conformance_ok("tcb.bind_other", seL4_TCB_BindNotification(other, n));
	conformance_ok("tcb.bind_read_only",
		       seL4_TCB_BindNotification(
			   tcb, object_mint(object_new(seL4_NotificationObject, 0), seL4_CanRead, 3)));
	conformance_ok("tcb.unbind_read_only", seL4_TCB_UnbindNotification(tcb));
}

static void flags(seL4_CPtr tcb)
{
	conformance_equal("tcb.flags_none", seL4_TCB_SetFlags(tcb, 0, 0).flags, 0);
	conformance_equal("tcb.flags_unknown_ignored", seL4_TCB_SetFlags(tcb, 0, ~1ull).flags, 0);
	conformance_equal("tcb.flags_set", seL4_TCB_SetFlags(tcb, 0, 1).flags, 1);
	conformance_equal("tcb.flags_keep", seL4_TCB_SetFlags(tcb, 0, 0).flags, 1);
	conformance_equal("tcb.flags_set_after_clear", seL4_TCB_SetFlags(tcb, 1, 1).flags, 1);
	conformance_equal("tcb.flags_clear", seL4_TCB_SetFlags(tcb, ~0ull, 0).flags, 0);
	conformance_ok("tcb.suspend", seL4_TCB_Suspend(tcb));
	conformance_ok("tcb.suspend_again", seL4_TCB_Suspend(tcb));
	conformance_ok("tcb.tls_base", seL4_TCB_SetTLSBase(tcb, 0x1234560));
}

void tcb_cases(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), ep = object_new(seL4_EndpointObject, 0);

	authority(tcb, ep);
	handlers(tcb);
	spaces(tcb, ep);
	notifications(tcb, ep);
	flags(tcb);
}
