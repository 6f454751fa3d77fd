/* CNode invocations: results, check order, error words. */
#include "roottask/conformance/conformance.h"

static void lookups(seL4_CPtr ep)
{
	seL4_CPtr small = object_new(seL4_CapTableObject, 4), guarded = object_slot(), dest = object_slot();
	const seL4_Word root_bits = runtime_bootinfo()->initThreadCNodeSizeBits;

	conformance_error2("cnode.depth_zero", seL4_CNode_Delete(ROOT, ep, 0), seL4_RangeError, 1, 64);
	conformance_error2("cnode.depth_65", seL4_CNode_Delete(ROOT, ep, 65), seL4_RangeError, 1, 64);
	conformance_error("cnode.label_on_tcb", seL4_CNode_Delete(object_new(seL4_TCBObject, 0), 0, 64), seL4_IllegalOperation);
	conformance_error2("cnode.source_root_no_cnode", seL4_CNode_Copy(ROOT, dest, DEPTH, ep, 0, DEPTH, seL4_AllRights),
			   seL4_FailedLookup, 1, seL4_InvalidRoot);
	conformance_error3("cnode.source_empty", seL4_CNode_Copy(ROOT, dest, DEPTH, ROOT, dest, DEPTH, seL4_AllRights),
			   seL4_FailedLookup, 1, seL4_MissingCapability, DEPTH);
	conformance_error3("cnode.bits_left", seL4_CNode_Delete(small, 0, 5), seL4_FailedLookup, 0, seL4_DepthMismatch, 1);
	conformance_error3("cnode.too_few_bits", seL4_CNode_Delete(small, 0, 3), seL4_FailedLookup, 0, seL4_DepthMismatch, 3);
	conformance_equal("cnode.too_few_bits_found", seL4_GetMR(3), 4);
	conformance_error3("cnode.guard_longer", seL4_CNode_Delete(ROOT, 0, 32), seL4_FailedLookup, 0, seL4_GuardMismatch, 32);
	conformance_equal("cnode.guard_longer_bits", seL4_GetMR(4), 64 - root_bits);
	conformance_error("cnode.mint_guard",
			  seL4_CNode_Mint(ROOT, guarded, DEPTH, ROOT, small, DEPTH, seL4_AllRights, seL4_CNode_CapData_new(5, 3)), 0);
	conformance_error3("cnode.guard_differs", seL4_CNode_Delete(guarded, 0x00, 7), seL4_FailedLookup, 0, seL4_GuardMismatch, 7);
	conformance_equal("cnode.guard_differs_found", seL4_GetMR(3), 5);
	conformance_equal("cnode.guard_differs_bits", seL4_GetMR(4), 3);
	conformance_error("cnode.guard_matches", seL4_CNode_Delete(guarded, 0x50, 7), 0);
	conformance_error("cnode.guard_too_long",
			  seL4_CNode_Mint(ROOT, dest, DEPTH, ROOT, small, DEPTH, seL4_AllRights, seL4_CNode_CapData_new(0, 61)),
			  seL4_IllegalOperation);
}

static void copies(seL4_CPtr ep)
{
	seL4_CPtr a = object_slot(), b = object_slot(), c = object_slot();

	conformance_error("cnode.dest_used", seL4_CNode_Copy(ROOT, ep, DEPTH, ROOT, ep, DEPTH, seL4_AllRights), seL4_DeleteFirst);
	/* the destination is looked at before the source */
	conformance_error("cnode.dest_before_source", seL4_CNode_Copy(ROOT, ep, DEPTH, ROOT, a, DEPTH, seL4_AllRights), seL4_DeleteFirst);
	conformance_error("cnode.copy", seL4_CNode_Copy(ROOT, a, DEPTH, ROOT, ep, DEPTH, seL4_AllRights), 0);
	conformance_error("cnode.mint_badge", seL4_CNode_Mint(ROOT, b, DEPTH, ROOT, ep, DEPTH, seL4_AllRights, 7), 0);
	conformance_error("cnode.badge_twice", seL4_CNode_Mint(ROOT, c, DEPTH, ROOT, b, DEPTH, seL4_AllRights, 8), seL4_IllegalOperation);
	conformance_error("cnode.mutate_badge", seL4_CNode_Mutate(ROOT, c, DEPTH, ROOT, a, DEPTH, 9), seL4_IllegalOperation);
	conformance_error("cnode.move", seL4_CNode_Move(ROOT, c, DEPTH, ROOT, a, DEPTH), 0);
	conformance_equal("cnode.move_leaves_nothing", seL4_DebugCapIdentify(a), 0);
	conformance_equal("cnode.move_arrives", seL4_DebugCapIdentify(c), 4);
	conformance_error("cnode.copy_irq_control",
			  seL4_CNode_Copy(ROOT, a, DEPTH, ROOT, seL4_CapIRQControl, DEPTH, seL4_AllRights), seL4_IllegalOperation);
	conformance_error("cnode.copy_ioport_control",
			  seL4_CNode_Copy(ROOT, a, DEPTH, ROOT, seL4_CapIOPortControl, DEPTH, seL4_AllRights), seL4_IllegalOperation);
	conformance_error("cnode.delete_empty", seL4_CNode_Delete(ROOT, a, DEPTH), 0);
	conformance_error("cnode.revoke", seL4_CNode_Revoke(ROOT, ep, DEPTH), 0);
	conformance_equal("cnode.revoke_takes_badged", seL4_DebugCapIdentify(b), 0);
	conformance_equal("cnode.revoke_keeps_itself", seL4_DebugCapIdentify(ep), 4);
}

static void rotations(seL4_CPtr ep)
{
	seL4_CPtr a = object_copy(ep), n = object_new(seL4_NotificationObject, 0), free = object_slot();

	conformance_error("cnode.rotate_pivot_source",
			  seL4_CNode_Rotate(ROOT, free, DEPTH, 0, ROOT, a, DEPTH, 0, ROOT, a, DEPTH), seL4_IllegalOperation);
	conformance_error("cnode.rotate_pivot_dest",
			  seL4_CNode_Rotate(ROOT, n, DEPTH, 0, ROOT, n, DEPTH, 0, ROOT, a, DEPTH), seL4_IllegalOperation);
	conformance_error("cnode.rotate_dest_used",
			  seL4_CNode_Rotate(ROOT, ep, DEPTH, 0, ROOT, n, DEPTH, 0, ROOT, a, DEPTH), seL4_DeleteFirst);
}

static void rights(seL4_CPtr ep)
{
	seL4_CPtr badged = object_mint(ep, seL4_AllRights, 5), weak = object_mint(ep, seL4_CanWrite, 5);
	seL4_CPtr n = object_new(seL4_NotificationObject, 0);

	conformance_error("cnode.cancel_badged", seL4_CNode_CancelBadgedSends(ROOT, badged, DEPTH), 0);
	conformance_error("cnode.cancel_unbadged", seL4_CNode_CancelBadgedSends(ROOT, ep, DEPTH), 0);
	conformance_error("cnode.cancel_few_rights", seL4_CNode_CancelBadgedSends(ROOT, weak, DEPTH), seL4_IllegalOperation);
	conformance_error("cnode.cancel_no_endpoint", seL4_CNode_CancelBadgedSends(ROOT, n, DEPTH), seL4_IllegalOperation);
}

static seL4_Error raw(seL4_Word label, seL4_Word caps, seL4_Word length)
{
	return (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(ROOT, seL4_MessageInfo_new(label, 0, caps, length)));
}

static void messages(void)
{
	/* an empty slot is found: no fault, but nothing to invoke */
	conformance_error1("cnode.call_empty_slot",
			   (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(object_slot(), seL4_MessageInfo_new(1, 0, 0, 0))),
			   seL4_InvalidCapability, 0);
	conformance_error("cnode.label_unknown", raw(1000, 0, 8), seL4_IllegalOperation);
	conformance_error("cnode.label_of_others", raw(TCBSuspend, 0, 0), seL4_IllegalOperation);
	conformance_error("cnode.short_delete", raw(CNodeDelete, 0, 1), seL4_TruncatedMessage);
	seL4_SetMR(0, object_slot());
	seL4_SetMR(1, DEPTH);
	conformance_error("cnode.short_copy", raw(CNodeCopy, 0, 5), seL4_TruncatedMessage);
}

void cnode_cases(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);

	lookups(ep);
	copies(ep);
	rotations(ep);
	rights(ep);
	messages();
}
