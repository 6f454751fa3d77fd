/* Frames of all sizes: mapping, attributes, rights, one mapping per capability, memory that is clear and
 * shared. */
#include "roottask/conformance/worker.h"

#define VA  0x11000000000ull /* 1 GiB aligned */
#define TOP 0x7fffffffffffull

static seL4_Error map_with(seL4_CPtr frame, seL4_CPtr space, seL4_Word va, seL4_Word attributes)
{
	return seL4_X86_Page_Map(frame, space, va, seL4_ReadWrite, attributes);
}

static seL4_Error map(seL4_CPtr frame, seL4_CPtr space, seL4_Word va)
{
	return map_with(frame, space, va, seL4_X86_Default_VMAttributes);
}

static bool zero(const volatile seL4_Word *p, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		if (p[i])
			return false;
	return true;
}

static seL4_CPtr large_new(void)
{
	seL4_CPtr slot = object_slot();

	runtime_must(
	    seL4_Untyped_Retype(conformance_untyped(21), seL4_X86_LargePageObject, 0, ROOT, 0, 0, slot, 1),
	    "a large frame");
	return slot;
}

static void small_pages(void)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), copy, ep = object_new(seL4_EndpointObject, 0),
		  other = object_new(seL4_X86_4K, 0);
	seL4_CPtr space = object_new(seL4_X64_PML4Object, 0);
	volatile seL4_Word *a = (volatile seL4_Word *)VA, *b = (volatile seL4_Word *)(VA + 0x3000);

	conformance_error3("frame.no_pdpt", map(frame, HERE, VA), seL4_FailedLookup, 0,
			   seL4_MissingCapability, 39);
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, VA, 0), "PDPT");
	conformance_error3("frame.no_pd", map(frame, HERE, VA), seL4_FailedLookup, 0, seL4_MissingCapability,
			   30);
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, VA, 0),
		     "PD");
	conformance_error3("frame.no_pt", map(frame, HERE, VA), seL4_FailedLookup, 0, seL4_MissingCapability,
			   21);
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, VA, 0), "PT");
	conformance_error("frame.unaligned", map(frame, HERE, VA + 8), seL4_AlignmentError);
	conformance_error1("frame.no_vspace", map(frame, ep, VA), seL4_InvalidCapability, 1);
	conformance_error1("frame.no_asid", map(frame, space, VA), seL4_InvalidCapability, 1);
	conformance_error1("frame.above_user", map(frame, HERE, TOP + 1), seL4_InvalidArgument, 0);
	conformance_error1("frame.at_the_top", map(frame, HERE, TOP - 0xfff), seL4_InvalidArgument, 0);
	conformance_error1("frame.kernel_half", map(frame, HERE, 0xffffffff80000000ull), seL4_InvalidArgument,
			   0);
	conformance_error1("frame.order_vspace_address", map(frame, ep, TOP + 1), seL4_InvalidCapability, 1);
	conformance_error("frame.order_alignment_lookup", map(frame, HERE, 0x30000000008ull),
			  seL4_AlignmentError);
	conformance_ok("frame.unmap_unmapped", seL4_X86_Page_Unmap(frame));
	conformance_ok("frame.map", map(frame, HERE, VA));
	conformance_case("frame.zero", zero(a, 512), "a new frame is not clear");
	*a = 0x1234;
	conformance_error1("frame.elsewhere", map(frame, HERE, VA + 0x1000), seL4_InvalidArgument, 0);
	conformance_ok("frame.map_again", map(frame, HERE, VA));
	conformance_equal("frame.content_stays", *a, 0x1234);
	copy = object_copy(frame);
	conformance_ok("frame.map_copy", map(copy, HERE, VA + 0x3000));
	conformance_equal("frame.same_memory", *b, 0x1234);
	*b = 0x5678;
	conformance_equal("frame.same_memory_back", *a, 0x5678);
	conformance_equal("frame.same_address", seL4_X86_Page_GetAddress(frame).paddr,
			  seL4_X86_Page_GetAddress(copy).paddr);
	conformance_equal("frame.address_aligned", seL4_X86_Page_GetAddress(frame).paddr & 4095, 0);
	/* a small page takes the place of another */
	conformance_ok("frame.replace", map(other, HERE, VA + 0x3000));
	conformance_equal("frame.replaced", *b, 0);
	conformance_ok("frame.unmap_replaced", seL4_X86_Page_Unmap(copy));
	*b = 0x99;
	conformance_equal("frame.unmap_replaced_takes_nothing", *b, 0x99);
	conformance_ok("frame.map_copy_elsewhere", map(copy, HERE, VA + 0x1000));
	conformance_equal("frame.still_there", *(volatile seL4_Word *)(VA + 0x1000), 0x5678);
	/* one space for each mapping */
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, space), "ASID");
	conformance_error1("frame.other_space", map(frame, space, VA), seL4_InvalidCapability, 1);
	conformance_ok("frame.delete_copy", seL4_CNode_Delete(ROOT, copy, DEPTH));
	conformance_equal("frame.other_mapping_stays", *a, 0x5678);
	conformance_ok("frame.move_mapped", seL4_CNode_Move(ROOT, copy, DEPTH, ROOT, frame, DEPTH));
	conformance_equal("frame.moved_is_mapped", *a, 0x5678);
	conformance_error1("frame.moved_remembers", map(copy, HERE, VA + 0x1000), seL4_InvalidArgument, 0);
}

static void attributes(void)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0);
	volatile seL4_Word *a = (volatile seL4_Word *)(VA + 0x8000);

	for (seL4_Word bits = 0; bits < 8; bits++) {
		conformance_ok(conformance_name("frame.attribute", bits),
			       map_with(frame, HERE, VA + 0x8000, bits));
		*a = 0x1000 + bits;
		conformance_equal(conformance_name("frame.attribute_memory", bits), *a, 0x1000 + bits);
	}
	conformance_ok("frame.unknown_attributes", map_with(frame, HERE, VA + 0x8000, 0xf0));
	conformance_ok("frame.unmap_attributes", seL4_X86_Page_Unmap(frame));
}

static void large_pages(void)
{
	seL4_CPtr large = large_new(), copy = object_copy(large), small = object_new(seL4_X86_4K, 0);
	const seL4_Word va = VA + 0x200000;
	volatile seL4_Word *a = (volatile seL4_Word *)va;

	conformance_error("large.unaligned", map(large, HERE, va + 0x1000), seL4_AlignmentError);
	conformance_error("large.over_table", map(large, HERE, VA), seL4_DeleteFirst);
	conformance_error3("large.no_pdpt", map(large, HERE, 0x30000000000ull), seL4_FailedLookup, 0,
			   seL4_MissingCapability, 39);
	conformance_ok("large.map", map(large, HERE, va));
	conformance_case("large.zero", zero(a, 512 * 512), "a new frame is not clear");
	a[512 * 512 - 1] = 7;
	conformance_ok("large.again", map(large, HERE, va));
	conformance_equal("large.content_stays", a[512 * 512 - 1], 7);
	/* no table, and no small page, where a large one is */
	conformance_error("large.no_table_there",
			  seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, va, 0),
			  seL4_DeleteFirst);
	conformance_error3("large.no_small_there", map(small, HERE, va), seL4_FailedLookup, 0,
			   seL4_MissingCapability, 21);
	conformance_ok("large.copy_replaces", map(copy, HERE, va));
	conformance_ok("large.unmap_original", seL4_X86_Page_Unmap(large));
	conformance_ok("large.unmap_copy", seL4_X86_Page_Unmap(copy));
	conformance_ok("large.table_now",
		       seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, va, 0));
	conformance_error("large.over_new_table", map(large, HERE, va), seL4_DeleteFirst);
	conformance_equal("large.address", seL4_X86_Page_GetAddress(large).paddr & 0x1fffff, 0);
}

static void huge_pages(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	seL4_CPtr huge = object_slot(), pdpt = object_new(seL4_X86_PDPTObject, 0);
	const seL4_Word va = 0x68000000000ull;
	seL4_Error e = seL4_NotEnoughMemory;

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start && e; i++)
		if (b->untypedList[i].isDevice && b->untypedList[i].sizeBits >= 30)
			e = seL4_Untyped_Retype(b->untyped.start + i, seL4_X64_HugePageObject, 0, ROOT, 0, 0,
						huge, 1);
	conformance_ok("huge.retype", e);
	conformance_error3("huge.no_pdpt", map(huge, HERE, va), seL4_FailedLookup, 0, seL4_MissingCapability,
			   39);
	runtime_must(seL4_X86_PDPT_Map(pdpt, HERE, va, 0), "PDPT");
	conformance_error("huge.unaligned", map(huge, HERE, va + 0x200000), seL4_AlignmentError);
	conformance_ok("huge.map", map(huge, HERE, va));
	conformance_ok("huge.again", map_with(huge, HERE, va, seL4_X86_CacheDisabled));
	conformance_error1("huge.elsewhere", map(huge, HERE, va + 0x40000000), seL4_InvalidArgument, 0);
	conformance_error(
	    "huge.no_table_there",
	    seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, va, 0),
	    seL4_DeleteFirst);
	conformance_error3("huge.no_small_there", map(object_new(seL4_X86_4K, 0), HERE, va),
			   seL4_FailedLookup, 0, seL4_MissingCapability, 30);
	conformance_ok("huge.unmap", seL4_X86_Page_Unmap(huge));
	conformance_ok("huge.table_now",
		       seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, va, 0));
	conformance_error("huge.over_table", map(huge, HERE, va), seL4_DeleteFirst);
	conformance_ok("huge.delete", seL4_CNode_Delete(ROOT, huge, DEPTH));
	conformance_ok("huge.delete_pdpt", seL4_CNode_Delete(ROOT, pdpt, DEPTH));
}

/* What was written in a frame is gone when its memory is handed out again. */
static void cleared(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 12), frame = object_slot();
	volatile seL4_Word *a = (volatile seL4_Word *)(VA + 0x9000);

	runtime_must(seL4_Untyped_Retype(u, seL4_X86_4K, 0, ROOT, 0, 0, frame, 1), "a frame");
	runtime_must(map(frame, HERE, VA + 0x9000), "map");
	for (unsigned i = 0; i < 512; i++)
		a[i] = ~0ull;
	runtime_must(seL4_CNode_Revoke(ROOT, u, DEPTH), "revoke");
	runtime_must(seL4_Untyped_Retype(u, seL4_X86_4K, 0, ROOT, 0, 0, frame, 1), "a frame again");
	runtime_must(map(frame, HERE, VA + 0x9000), "map");
	conformance_case("frame.cleared_when_reused", zero(a, 512), "shows old content");
	/* and after it was a kernel object */
	runtime_must(seL4_CNode_Revoke(ROOT, u, DEPTH), "revoke");
	runtime_must(seL4_Untyped_Retype(u, seL4_TCBObject, 0, ROOT, 0, 0, frame, 1), "a thread");
	runtime_must(seL4_CNode_Revoke(ROOT, u, DEPTH), "revoke");
	runtime_must(seL4_Untyped_Retype(u, seL4_X86_4K, 0, ROOT, 0, 0, frame, 1), "a frame again");
	runtime_must(map(frame, HERE, VA + 0x9000), "map");
	conformance_case("frame.cleared_after_thread", zero(a, 512), "shows a thread");
	conformance_ok("frame.revoke_unmaps", seL4_CNode_Revoke(ROOT, u, DEPTH));
}

/* A revoke takes the mapping away from whoever has it, at once. */
static void touch(struct worker *w)
{
	for (;;) {
		w->sum = *(volatile seL4_Word *)(VA + 0xa000);
		w->begun++;
		(void)seL4_Wait(w->cap, &w->badge);
	}
}

static void revoked(void)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), copy = object_copy(frame),
		  fault = object_new(seL4_EndpointObject, 0);
	seL4_CPtr reply = object_new(seL4_ReplyObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault);
	seL4_Word badge;

	runtime_must(map(copy, HERE, VA + 0xa000), "map");
	w->cap = object_new(seL4_NotificationObject, 0);
	worker_run(w, touch);
	conformance_equal("frame.shared_with_worker", w->begun, 2);
	conformance_ok("frame.revoke", seL4_CNode_Revoke(ROOT, frame, DEPTH));
	seL4_Signal(w->cap);
	worker_settle();
	conformance_equal("frame.revoked_faults",
			  seL4_MessageInfo_get_label(seL4_NBRecv(fault, &badge, reply)), seL4_Fault_VMFault);
	conformance_equal("frame.revoked_not_present", seL4_GetMR(3), 4);
	worker_end(w);
}

void frame_cases(void)
{
	small_pages();
	attributes();
	large_pages();
	huge_pages();
	cleared();
	revoked();
}
