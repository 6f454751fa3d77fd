/* Paging structures, frames, ASIDs: mapping order, errors, and what a mapping shows. */
#include "roottask/conformance/conformance.h"

#define VA 0x10000000000ull

static seL4_Error map(seL4_CPtr frame, seL4_CPtr space, seL4_Word va)
{
	return seL4_X86_Page_Map(frame, space, va, seL4_ReadWrite, seL4_X86_Default_VMAttributes);
}

static void levels(void)
{
	seL4_CPtr space = object_new(seL4_X64_PML4Object, 0), frame = object_new(seL4_X86_4K, 0), copy = object_slot();
	seL4_CPtr pdpt = object_new(seL4_X86_PDPTObject, 0), pd = object_new(seL4_X86_PageDirectoryObject, 0);
	seL4_CPtr pt = object_new(seL4_X86_PageTableObject, 0), other = object_new(seL4_X86_PageTableObject, 0);

	conformance_error1("vspace.no_asid", seL4_X86_PDPT_Map(pdpt, space, VA, 0), seL4_InvalidCapability, 1);
	conformance_error("vspace.assign", seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space), 0);
	conformance_error1("vspace.assign_twice", seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space), seL4_InvalidCapability, 1);
	conformance_error1("vspace.assign_frame", seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, frame), seL4_InvalidCapability, 1);
	conformance_error3("vspace.no_pdpt", map(frame, space, VA), seL4_FailedLookup, 0, seL4_MissingCapability, 39);
	conformance_error("vspace.copy_unmapped_table", seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, pdpt, DEPTH, seL4_AllRights),
			  seL4_IllegalOperation);
	conformance_error("vspace.pt_too_early", seL4_X86_PageTable_Map(pt, space, VA, 0), seL4_FailedLookup);
	conformance_error("vspace.pdpt", seL4_X86_PDPT_Map(pdpt, space, VA, 0), 0);
	conformance_error1("vspace.pdpt_twice", seL4_X86_PDPT_Map(pdpt, space, VA, 0), seL4_InvalidCapability, 0);
	conformance_error3("vspace.no_pd", map(frame, space, VA), seL4_FailedLookup, 0, seL4_MissingCapability, 30);
	conformance_error("vspace.pd", seL4_X86_PageDirectory_Map(pd, space, VA, 0), 0);
	conformance_error3("vspace.no_pt", map(frame, space, VA), seL4_FailedLookup, 0, seL4_MissingCapability, 21);
	conformance_error("vspace.pt", seL4_X86_PageTable_Map(pt, space, VA, 0), 0);
	conformance_error("vspace.slot_in_use", seL4_X86_PageTable_Map(other, space, VA, 0), seL4_DeleteFirst);
	conformance_error1("vspace.above_user", seL4_X86_PageTable_Map(other, space, 0xffff800000000000ull, 0), seL4_InvalidArgument, 0);
	conformance_error("vspace.frame", map(frame, space, VA), 0);
	conformance_error("vspace.copy_mapped_table", seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, pt, DEPTH, seL4_AllRights), 0);
	conformance_error("vspace.unmap_not_last", seL4_X86_PageTable_Unmap(pt), seL4_RevokeFirst);
	conformance_error("vspace.delete_copy", seL4_CNode_Delete(ROOT, copy, DEPTH), 0);
	conformance_error("vspace.unmap_pt", seL4_X86_PageTable_Unmap(pt), 0);
	conformance_error3("vspace.pt_gone", map(frame, space, VA), seL4_FailedLookup, 0, seL4_MissingCapability, 21);
	conformance_error("vspace.delete_space", seL4_CNode_Delete(ROOT, space, DEPTH), 0);
}

static bool zero(const volatile seL4_Word *p)
{
	for (unsigned i = 0; i < 512; i++)
		if (p[i])
			return false;
	return true;
}

static void frames(void)
{
	const seL4_CPtr here = seL4_CapInitThreadVSpace;
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), copy, ep = object_new(seL4_EndpointObject, 0);
	volatile seL4_Word *a = (volatile seL4_Word *)VA, *b = (volatile seL4_Word *)(VA + 0x3000);

	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), here, VA, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), here, VA, 0), "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), here, VA, 0), "PT");
	conformance_error("frame.unaligned", map(frame, here, VA + 8), seL4_AlignmentError);
	conformance_error1("frame.no_vspace", map(frame, ep, VA), seL4_InvalidCapability, 1);
	conformance_error("frame.map", map(frame, here, VA), 0);
	conformance_case("frame.zero", zero(a), "a new frame is not clear");
	*a = 0x1234;
	conformance_error1("frame.elsewhere", map(frame, here, VA + 0x1000), seL4_InvalidArgument, 0);
	conformance_error("frame.map_again", map(frame, here, VA), 0);
	copy = object_copy(frame);
	conformance_error("frame.map_copy", map(copy, here, VA + 0x3000), 0);
	conformance_equal("frame.same_memory", *b, 0x1234);
	*b = 0x5678;
	conformance_equal("frame.same_memory_back", *a, 0x5678);
	conformance_case("frame.address", seL4_X86_Page_GetAddress(frame).paddr == seL4_X86_Page_GetAddress(copy).paddr &&
			 (seL4_X86_Page_GetAddress(frame).paddr & 4095) == 0, "addresses differ");
	conformance_error("frame.unmap", seL4_X86_Page_Unmap(copy), 0);
	conformance_error("frame.unmap_again", seL4_X86_Page_Unmap(copy), 0);
	conformance_error("frame.map_elsewhere", map(copy, here, VA + 0x1000), 0);
	conformance_equal("frame.still_there", *(volatile seL4_Word *)(VA + 0x1000), 0x5678);
	conformance_error("frame.label_unknown",
			  (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(frame, seL4_MessageInfo_new(CNodeCopy, 0, 0, 8))),
			  seL4_IllegalOperation);
	/* mapped by a second space's capability: the same frame capability has one mapping */
	{
		seL4_CPtr space = object_new(seL4_X64_PML4Object, 0);

		runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space), "ASID");
		conformance_error1("frame.other_space", map(frame, space, VA), seL4_InvalidCapability, 1);
	}
	conformance_error("frame.delete_copy", seL4_CNode_Delete(ROOT, copy, DEPTH), 0);
	conformance_equal("frame.other_mapping_stays", *a, 0x5678);
}

void vspace_cases(void)
{
	levels();
	frames();
}
