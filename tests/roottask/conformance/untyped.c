/* Untyped_Retype: checks in their order, how memory is counted, what is made of device memory. */
#include "roottask/conformance/conformance.h"

static seL4_CPtr untyped;

static seL4_Error retype(seL4_Word type, seL4_Word bits, seL4_CPtr slot, seL4_Word count)
{
	return seL4_Untyped_Retype(untyped, type, bits, ROOT, 0, 0, slot, count);
}

static seL4_CPtr device(seL4_Word bits)
{
	const seL4_BootInfo *b = runtime_bootinfo();

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++)
		if (b->untypedList[i].isDevice && b->untypedList[i].sizeBits >= bits)
			return b->untyped.start + i;
	return 0;
}

static void arguments(seL4_CPtr slot)
{
	/* between the last type and Insula's own there is nothing */
	for (seL4_Word type = seL4_ObjectTypeCount; type < 64; type += 11)
		conformance_error1(conformance_name("untyped.type", type), retype(type, 12, slot, 1),
				   seL4_InvalidArgument, 0);
	conformance_error1("untyped.type_huge", retype(~0ull, 12, slot, 1), seL4_InvalidArgument, 0);
	conformance_error2("untyped.size_48", retype(seL4_UntypedObject, 48, slot, 1), seL4_RangeError, 0,
			   47);
	conformance_error2("untyped.size_64", retype(seL4_UntypedObject, 64, slot, 1), seL4_RangeError, 0,
			   47);
	conformance_error2("untyped.size_huge", retype(seL4_UntypedObject, 1ull << 40, slot, 1),
			   seL4_RangeError, 0, 47);
	conformance_error2("untyped.size_huge_of_fixed", retype(seL4_EndpointObject, 1ull << 40, slot, 1),
			   seL4_RangeError, 0, 47);
	conformance_error2("untyped.cnode_43", retype(seL4_CapTableObject, 43, slot, 1), seL4_RangeError, 0,
			   47);
	conformance_error1("untyped.cnode_zero", retype(seL4_CapTableObject, 0, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_error1("untyped.untyped_small", retype(seL4_UntypedObject, 3, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_error1("untyped.sc_small", retype(seL4_SchedContextObject, 6, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_error2("untyped.count_zero", retype(seL4_EndpointObject, 0, slot, 0), seL4_RangeError, 1,
			   256);
	conformance_error2("untyped.count_257", retype(seL4_EndpointObject, 0, slot, 257), seL4_RangeError, 1,
			   256);
	conformance_error2("untyped.count_huge", retype(seL4_EndpointObject, 0, slot, ~0ull), seL4_RangeError,
			   1, 256);
}

static void destinations(void)
{
	const seL4_Word slots = 1ull << runtime_bootinfo()->initThreadCNodeSizeBits;
	seL4_CPtr small = object_new(seL4_CapTableObject, 2), ep = object_new(seL4_EndpointObject, 0);

	conformance_error2("untyped.offset", retype(seL4_EndpointObject, 0, slots, 1), seL4_RangeError, 0,
			   slots - 1);
	conformance_error2("untyped.offset_huge", retype(seL4_EndpointObject, 0, ~0ull, 1), seL4_RangeError,
			   0, slots - 1);
	conformance_error2("untyped.window",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, small, 0, 0, 2, 3),
			   seL4_RangeError, 1, 2);
	conformance_error2("untyped.window_4_of_4",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, small, 0, 0, 1, 4),
			   seL4_RangeError, 1, 3);
	conformance_error("untyped.slot_used", retype(seL4_EndpointObject, 0, ep, 1), seL4_DeleteFirst);
	conformance_error("untyped.second_slot_used", retype(seL4_EndpointObject, 0, ep - 1, 2),
			  seL4_DeleteFirst);
	conformance_error3("untyped.dest_no_cnode",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, ep, DEPTH, 0, 1),
			   seL4_FailedLookup, 0, seL4_MissingCapability, DEPTH);
	conformance_error3("untyped.root_no_cnode",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ep, 0, 0, 0, 1),
			   seL4_FailedLookup, 0, seL4_MissingCapability, 0);
	conformance_error2("untyped.root_no_cnode_depth",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ep, 0, 5, 0, 1),
			   seL4_FailedLookup, 0, seL4_InvalidRoot);
	conformance_error2("untyped.depth_65",
			   seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, ep, 65, 0, 1),
			   seL4_RangeError, 1, 64);
	conformance_error2(
	    "untyped.node_guard",
	    seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, 1ull << 60, DEPTH, 0, 1),
	    seL4_FailedLookup, 0, seL4_GuardMismatch);
	conformance_ok("untyped.dest_by_depth",
		       seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ROOT, small, DEPTH, 1, 2));
	conformance_ok("untyped.in_small", seL4_CNode_Delete(small, 1, 2));
	conformance_ok("untyped.in_small_2", seL4_CNode_Delete(small, 2, 2));
	conformance_ok("untyped.not_outside",
		       seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, small, 0, 0, 0, 4));
}

/* What is checked before what. */
static void order(seL4_CPtr slot)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);

	conformance_error1("untyped.order_type_size", retype(200, 99, slot, 0), seL4_InvalidArgument, 0);
	conformance_error2("untyped.order_size_dest",
			   seL4_Untyped_Retype(untyped, seL4_UntypedObject, 99, ep, 0, 0, 0, 0),
			   seL4_RangeError, 0, 47);
	conformance_error("untyped.order_dest_offset",
			  seL4_Untyped_Retype(untyped, seL4_EndpointObject, 0, ep, 0, 0, ~0ull, 0),
			  seL4_FailedLookup);
	conformance_error1("untyped.order_offset_count", retype(seL4_EndpointObject, 0, ~0ull, 0),
			   seL4_RangeError, 0);
	conformance_error("untyped.order_slots_room", retype(seL4_UntypedObject, 30, ep, 1),
			  seL4_DeleteFirst);
}

static void amounts(seL4_CPtr slot)
{
	seL4_CPtr parent = object_new(seL4_UntypedObject, 12), copy = object_slot(), other = object_slot();

	untyped = parent;
	conformance_error1("untyped.no_room", retype(seL4_UntypedObject, 13, slot, 1), seL4_NotEnoughMemory,
			   4096);
	conformance_ok("untyped.one_of_many", retype(seL4_EndpointObject, 0, object_slot(), 1));
	conformance_ok("untyped.revoke_first", seL4_CNode_Revoke(ROOT, parent, DEPTH));
	conformance_ok("untyped.half", retype(seL4_UntypedObject, 11, slot, 1));
	conformance_error1("untyped.no_room_left", retype(seL4_UntypedObject, 12, other, 1),
			   seL4_NotEnoughMemory, 2048);
	conformance_error("untyped.copy_with_children",
			  seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, parent, DEPTH, seL4_AllRights),
			  seL4_RevokeFirst);
	conformance_ok("untyped.move_with_children", seL4_CNode_Move(ROOT, copy, DEPTH, ROOT, parent, DEPTH));
	runtime_must(seL4_CNode_Move(ROOT, parent, DEPTH, ROOT, copy, DEPTH), "move back");
	conformance_ok("untyped.revoke", seL4_CNode_Revoke(ROOT, parent, DEPTH));
	conformance_equal("untyped.revoke_takes_children", conformance_type(slot), 0);
	conformance_ok("untyped.whole_again", retype(seL4_X86_4K, 0, slot, 1));
	conformance_ok("untyped.delete_child", seL4_CNode_Delete(ROOT, slot, DEPTH));
	conformance_ok("untyped.whole_after_delete", retype(seL4_UntypedObject, 12, slot, 1));
	conformance_error1("untyped.full", retype(seL4_EndpointObject, 0, other, 1), seL4_NotEnoughMemory, 0);
	conformance_ok("untyped.delete", seL4_CNode_Delete(ROOT, slot, DEPTH));
}

/* Objects are aligned to their size; what is skipped is lost until the next reset. */
static void alignment(void)
{
	seL4_CPtr parent = object_new(seL4_UntypedObject, 14), small = object_slot(), frames = object_slot();
	seL4_Word first;

	for (unsigned i = 0; i < 3; i++)
		(void)object_slot();
	untyped = parent;
	runtime_must(retype(seL4_EndpointObject, 0, small, 1), "an endpoint");
	conformance_error1("untyped.aligned_does_not_fit", retype(seL4_X86_4K, 0, frames, 4),
			   seL4_NotEnoughMemory, 16384 - 16);
	conformance_ok("untyped.aligned", retype(seL4_X86_4K, 0, frames, 3));
	first = seL4_X86_Page_GetAddress(frames).paddr;
	conformance_equal("untyped.aligned_address", first & 4095, 0);
	conformance_equal("untyped.in_a_row", seL4_X86_Page_GetAddress(frames + 1).paddr, first + 4096);
	conformance_equal("untyped.in_a_row_2", seL4_X86_Page_GetAddress(frames + 2).paddr, first + 8192);
	conformance_equal("untyped.behind_the_small", first & 16383, 4096);
	conformance_error1("untyped.gap_is_lost", retype(seL4_EndpointObject, 0, object_slot(), 1),
			   seL4_NotEnoughMemory, 0);
}

/* A copy of an Untyped: the two are one, only one of them may have children. */
static void copies(seL4_CPtr slot)
{
	seL4_CPtr parent = object_new(seL4_UntypedObject, 12), copy = object_copy(parent),
		  other = object_slot();

	untyped = copy;
	conformance_ok("untyped.of_copy", retype(seL4_X86_4K, 0, slot, 1));
	untyped = parent;
	conformance_error1("untyped.of_original", retype(seL4_X86_4K, 0, other, 1), seL4_NotEnoughMemory, 0);
	conformance_ok("untyped.revoke_original", seL4_CNode_Revoke(ROOT, parent, DEPTH));
	conformance_equal("untyped.revoke_takes_copy", conformance_type(copy) | conformance_type(slot), 0);
	conformance_ok("untyped.original_again", retype(seL4_X86_4K, 0, slot, 1));
	conformance_ok("untyped.256_endpoints", seL4_CNode_Revoke(ROOT, parent, DEPTH));
	{
		seL4_CPtr table = object_new(seL4_CapTableObject, 8);

		conformance_ok("untyped.256",
			       seL4_Untyped_Retype(parent, seL4_EndpointObject, 0, table, 0, 0, 0, 256));
		conformance_ok("untyped.256th", seL4_CNode_Move(ROOT, object_slot(), DEPTH, table, 255, 8));
	}
}

/* A child of a child; a revoke at any height. */
static void generations(void)
{
	seL4_CPtr a = object_new(seL4_UntypedObject, 14), b = object_slot(), c = object_slot(),
		  d = object_slot(), e;

	untyped = a;
	runtime_must(retype(seL4_UntypedObject, 13, b, 1), "b");
	untyped = b;
	runtime_must(retype(seL4_UntypedObject, 12, c, 1), "c");
	untyped = c;
	runtime_must(retype(seL4_EndpointObject, 0, d, 1), "d");
	e = object_mint(d, seL4_AllRights, 5);
	conformance_ok("untyped.revoke_child", seL4_CNode_Revoke(ROOT, c, DEPTH));
	conformance_equal("untyped.revoke_child_takes", conformance_type(d) | conformance_type(e), 0);
	conformance_equal("untyped.revoke_child_keeps", conformance_type(b) == 2 && conformance_type(c) == 2,
			  1);
	runtime_must(retype(seL4_EndpointObject, 0, d, 1), "d again");
	/* its Untyped's capability goes: the child belongs to the grandparent then */
	conformance_ok("untyped.delete_middle", seL4_CNode_Delete(ROOT, c, DEPTH));
	conformance_equal("untyped.delete_middle_keeps", conformance_type(d), 4);
	conformance_ok("untyped.revoke_top", seL4_CNode_Revoke(ROOT, a, DEPTH));
	conformance_equal("untyped.revoke_top_takes", conformance_type(b) | conformance_type(d), 0);
}

static void devices(seL4_CPtr slot)
{
	static const seL4_Word objects[] = {
	    seL4_TCBObject,	      seL4_EndpointObject,	    seL4_NotificationObject,
	    seL4_ReplyObject,	      seL4_X86_PDPTObject,	    seL4_X64_PML4Object,
	    seL4_X86_PageTableObject, seL4_X86_PageDirectoryObject, seL4_X86_IOPageTableObject};
	seL4_CPtr part = object_slot(), frame = object_slot();

	untyped = device(14);
	for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		conformance_error1(conformance_name("untyped.device_object", objects[i]),
				   retype(objects[i], 0, slot, 1), seL4_InvalidArgument, 1);
	conformance_error1("untyped.device_cnode", retype(seL4_CapTableObject, 4, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_error1("untyped.device_sc", retype(seL4_SchedContextObject, 8, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_ok("untyped.device_untyped", retype(seL4_UntypedObject, 13, part, 1));
	untyped = part;
	conformance_error1("untyped.device_stays_device", retype(seL4_EndpointObject, 0, slot, 1),
			   seL4_InvalidArgument, 1);
	conformance_ok("untyped.device_frame", retype(seL4_X86_4K, 0, frame, 1));
	conformance_error("untyped.device_buffer",
			  seL4_TCB_SetIPCBuffer(object_new(seL4_TCBObject, 0), 0x700000, frame),
			  seL4_IllegalOperation);
	conformance_error1("untyped.device_room", retype(seL4_X86_4K, 0, object_slot(), 2),
			   seL4_NotEnoughMemory, 4096);
	conformance_ok("untyped.device_revoke", seL4_CNode_Revoke(ROOT, part, DEPTH));
	conformance_ok("untyped.device_delete", seL4_CNode_Delete(ROOT, part, DEPTH));
}

void untyped_cases(void)
{
	seL4_CPtr slot = object_slot();

	untyped = object_new(seL4_UntypedObject, 14);
	arguments(slot);
	order(slot);
	destinations();
	amounts(slot);
	alignment();
	copies(object_slot());
	generations();
	devices(object_slot());
}
