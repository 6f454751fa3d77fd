/* Untyped_Retype: checks in their order, and what memory looks like. */
#include "roottask/conformance/conformance.h"

static seL4_CPtr untyped;

static seL4_Error retype(seL4_Word type, seL4_Word bits, seL4_CPtr slot, seL4_Word count)
{
	return seL4_Untyped_Retype(untyped, type, bits, ROOT, 0, 0, slot, count);
}

static seL4_CPtr device(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++)
		if (b->untypedList[i].isDevice && b->untypedList[i].sizeBits >= 12)
			return b->untyped.start + i;
	return 0;
}

static void arguments(seL4_CPtr slot)
{
	conformance_error1("untyped.type", retype(200, 12, slot, 1), seL4_InvalidArgument, 0);
	conformance_error2("untyped.size_64", retype(seL4_UntypedObject, 64, slot, 1), seL4_RangeError, 0, 47);
	conformance_error2("untyped.cnode_huge", retype(seL4_CapTableObject, 60, slot, 1), seL4_RangeError, 0, 47);
	conformance_error1("untyped.cnode_zero", retype(seL4_CapTableObject, 0, slot, 1), seL4_InvalidArgument, 1);
	conformance_error1("untyped.untyped_small", retype(seL4_UntypedObject, 3, slot, 1), seL4_InvalidArgument, 1);
	conformance_error1("untyped.sc_small", retype(seL4_SchedContextObject, 6, slot, 1), seL4_InvalidArgument, 1);
	conformance_error2("untyped.count_zero", retype(seL4_EndpointObject, 0, slot, 0), seL4_RangeError, 1, 256);
	conformance_error2("untyped.count_257", retype(seL4_EndpointObject, 0, slot, 257), seL4_RangeError, 1, 256);
}

static void destinations(seL4_CPtr slot)
{
	const seL4_Word slots = 1ull << runtime_bootinfo()->initThreadCNodeSizeBits;
	seL4_CPtr small = object_new(seL4_CapTableObject, 2), ep = object_new(seL4_EndpointObject, 0);

	conformance_error2("untyped.offset", retype(seL4_EndpointObject, 0, slots, 1), seL4_RangeError, 0, slots - 1);
	conformance_error2("untyped.window", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, small, 0, 0, 2, 3), seL4_RangeError, 1, 2);
	conformance_error("untyped.slot_used", retype(seL4_EndpointObject, 0, ep, 1), seL4_DeleteFirst);
	conformance_error3("untyped.dest_no_cnode", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, ep, DEPTH, 0, 1),
			   seL4_FailedLookup, 0, seL4_MissingCapability, DEPTH);
	conformance_error("untyped.dest_by_depth", seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, small, DEPTH, 1, 2), 0);
	conformance_error("untyped.in_small", seL4_CNode_Delete(small, 1, 2), 0);
	conformance_error("untyped.in_small_2", seL4_CNode_Delete(small, 2, 2), 0);
	(void)slot;
}

static void amounts(seL4_CPtr slot)
{
	seL4_CPtr parent = object_new(seL4_UntypedObject, 12), copy = object_slot(), other = object_slot();

	untyped = parent;
	conformance_error1("untyped.no_room", retype(seL4_UntypedObject, 13, slot, 1), seL4_NotEnoughMemory, 4096);
	conformance_error("untyped.half", retype(seL4_UntypedObject, 11, slot, 1), 0);
	conformance_error1("untyped.no_room_left", retype(seL4_UntypedObject, 12, other, 1), seL4_NotEnoughMemory, 2048);
	conformance_error("untyped.copy_with_children",
			  seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, parent, DEPTH, seL4_AllRights), seL4_RevokeFirst);
	conformance_error("untyped.revoke", seL4_CNode_Revoke(ROOT, parent, DEPTH), 0);
	conformance_equal("untyped.revoke_takes_children", seL4_DebugCapIdentify(slot), 0);
	conformance_error("untyped.whole_again", retype(seL4_X86_4K, 0, slot, 1), 0);
	conformance_error("untyped.delete_child", seL4_CNode_Delete(ROOT, slot, DEPTH), 0);
	conformance_error("untyped.whole_after_delete", retype(seL4_UntypedObject, 12, slot, 1), 0);
	conformance_error("untyped.delete", seL4_CNode_Delete(ROOT, slot, DEPTH), 0);
}

void untyped_cases(void)
{
	seL4_CPtr slot = object_slot();

	untyped = object_new(seL4_UntypedObject, 14);
	arguments(slot);
	destinations(slot);
	amounts(slot);
	untyped = device();
	conformance_error1("untyped.device_object", retype(seL4_TCBObject, 0, slot, 1), seL4_InvalidArgument, 1);
	conformance_error("untyped.device_frame", retype(seL4_X86_4K, 0, slot, 1), 0);
}
