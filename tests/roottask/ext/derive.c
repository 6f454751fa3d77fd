/* InsulaFrameDerive: errors, rights, what a revoke takes back, and its cost. */
#include "roottask/ext/ext.h"
#include "roottask/runtime/tsc_hw.h"

static seL4_Error derive(seL4_CPtr frame, seL4_CPtr dest, seL4_CapRights_t rights, seL4_Word offset,
			 seL4_Word bits)
{
	return insula_Frame_Derive(frame, ROOT, dest, DEPTH, rights, offset, bits);
}

static seL4_CPtr derived(seL4_CPtr frame, seL4_Word offset)
{
	seL4_CPtr slot = object_slot();

	runtime_must(derive(frame, slot, seL4_ReadWrite, offset, 12), "derive");
	return slot;
}

static void errors(void)
{
	struct memory_large m = memory_large();
	seL4_CPtr slot = object_slot(), page = object_new(seL4_X86_4K, 0),
		  ep = object_new(seL4_EndpointObject, 0);

	check_error("derive.short", raw(m.frame, InsulaFrameDerive, 4, 1, ROOT, 0), seL4_TruncatedMessage);
	check_error("derive.no_root", raw(m.frame, InsulaFrameDerive, 5, 0, 0, 0), seL4_TruncatedMessage);
	check_error(
	    "derive.of_endpoint",
	    (seL4_Error)seL4_MessageInfo_get_label(seL4_Call(
		object_new(seL4_X86_PageTableObject, 0), seL4_MessageInfo_new(InsulaFrameDerive, 0, 0, 5))),
	    seL4_IllegalOperation);
	check_error1("derive.size", derive(m.frame, slot, seL4_ReadWrite, 0, 14), seL4_InvalidArgument, 4);
	check_error1("derive.too_large", derive(page, slot, seL4_ReadWrite, 0, 21), seL4_InvalidArgument, 4);
	check_error("derive.unaligned", derive(m.frame, slot, seL4_ReadWrite, 0x800, 12),
		    seL4_AlignmentError);
	check_error2("derive.outside", derive(m.frame, slot, seL4_ReadWrite, BIG, 12), seL4_RangeError, 0,
		     BIG - PAGE);
	check_error2("derive.far_outside", derive(m.frame, slot, seL4_ReadWrite, -PAGE, 12), seL4_RangeError,
		     0, BIG - PAGE);
	check_error2("derive.depth", insula_Frame_Derive(m.frame, ROOT, slot, 65, seL4_ReadWrite, 0, 12),
		     seL4_RangeError, 1, 64);
	check_error("derive.no_cnode", insula_Frame_Derive(m.frame, ep, slot, DEPTH, seL4_ReadWrite, 0, 12),
		    seL4_FailedLookup);
	check_error("derive.slot_used", derive(m.frame, ep, seL4_ReadWrite, 0, 12), seL4_DeleteFirst);
	check_error("derive.onto_itself", derive(m.frame, m.frame, seL4_ReadWrite, 0, 12), seL4_DeleteFirst);
	check_error("derive.ept_short", raw(m.frame, InsulaFrameDeriveEPT, 6, 2, ROOT, HERE),
		    seL4_TruncatedMessage);
	check_error("derive.ept_no_root", raw(m.frame, InsulaFrameDeriveEPT, 7, 1, ROOT, 0),
		    seL4_TruncatedMessage);
	check_error1("derive.ept_of_vspace",
		     insula_Frame_DeriveEPT(m.frame, ROOT, slot, DEPTH, seL4_ReadWrite, 0, 12, HERE, 0, 6),
		     seL4_InvalidCapability, 2);
	check("derive.nothing_made", memory_empty(slot), "a refused call made a capability");
}

static void content(void)
{
	struct memory_large m = memory_large();
	uint64_t large = memory_window(), small = memory_window();
	seL4_CPtr table = memory_table(), part = object_slot(), ro = object_slot(), none = object_slot(),
		  copy;
	const seL4_CapRights_t write_only = seL4_CapRights_new(0, 0, 0, 1);

	runtime_must(seL4_X86_PageTable_Map(table, HERE, small, 0), "PT");
	runtime_must(memory_map(m.frame, large, seL4_ReadWrite), "map");
	for (uint64_t i = 0; i < 512; i++)
		ext_write(large + i * PAGE + 8, i + 1000);
	check_error("derive.ok", derive(m.frame, part, seL4_ReadWrite, 77 * PAGE, 12), 0);
	check_equal("derive.address", seL4_X86_Page_GetAddress(part).paddr,
		    seL4_X86_Page_GetAddress(m.frame).paddr + 77 * PAGE);
	check_error("derive.map", memory_map(part, small, seL4_ReadWrite), 0);
	check_equal("derive.content", ext_word(small + 8), 1077);
	ext_write(small + 16, 5);
	check_equal("derive.same_memory", ext_word(large + 77 * PAGE + 16), 5);
	check_error("derive.read_only", derive(part, ro, seL4_CanRead, 0, 12), 0);
	check_error("derive.map_read_only", memory_map(ro, small + PAGE, seL4_ReadWrite), 0);
	check_equal("derive.read", ext_word(small + PAGE + 16), 5);
	/* the kernel takes the rights of the capability, whatever Map asks for: a copy with more is not to be
	 * had either */
	copy = object_copy(ro);
	check_error("derive.copy_rights", derive(copy, none, write_only, 0, 12), 0);
	check_error("derive.revoke", seL4_CNode_Revoke(ROOT, m.frame, DEPTH), 0);
	check("derive.revoke_takes_all",
	      memory_empty(part) && memory_empty(ro) && memory_empty(copy) && memory_empty(none),
	      "something is left");
	check_equal("derive.own_mapping_stays", ext_word(large + 8), 1000);
}

/* Grants of one page through different copies: each can be taken back alone. */
static void families(void)
{
	struct memory_large m = memory_large();
	seL4_CPtr a = object_copy(m.frame), b = object_copy(m.frame), a1 = derived(a, 0), a2 = derived(a, 0),
		  b1 = derived(b, 0), a11;

	a11 = object_copy(a1);
	check_error("derive.revoke_copy", seL4_CNode_Revoke(ROOT, a, DEPTH), 0);
	check("derive.only_its_own",
	      memory_empty(a1) && memory_empty(a2) && memory_empty(a11) && !memory_empty(b1) &&
		  !memory_empty(b),
	      "revoking one copy took another's, or not all of its own");
	a1 = derived(a, 0);
	runtime_must(seL4_CNode_Delete(ROOT, a, DEPTH), "delete");
	check_error("derive.revoke_sibling", seL4_CNode_Revoke(ROOT, b, DEPTH), 0);
	check("derive.orphan_is_not_the_sibling's", !memory_empty(a1) && memory_empty(b1),
	      "a copy got power over another's orphan");
	check_error("derive.revoke_whole", seL4_CNode_Revoke(ROOT, m.frame, DEPTH), 0);
	check("derive.orphan_is_the_owner's", memory_empty(a1) && memory_empty(b),
	      "the frame's revoke left something");
}

static void levels(void)
{
	struct memory_large m = memory_large();
	seL4_CPtr first = derived(m.frame, 0), at = first, slot = object_slot();
	unsigned n = 1;
	seL4_Error e;

	while ((e = derive(at, slot, seL4_ReadWrite, 0, 12)) == seL4_NoError && n < 100) {
		at = slot;
		slot = object_slot();
		n++;
	}
	check_error("derive.deepest", e, seL4_IllegalOperation);
	check_equal("derive.levels", n, 62);
	check_error("derive.copy_deepest",
		    seL4_CNode_Copy(ROOT, slot, DEPTH, ROOT, at, DEPTH, seL4_AllRights), 0);
	check_error("derive.revoke_deep", seL4_CNode_Revoke(ROOT, first, DEPTH), 0);
	check("derive.deep_is_gone", memory_empty(slot) && memory_empty(at) && !memory_empty(first),
	      "revoke stopped early");
}

/* The 16th of a row: everything is warm, and the average hides no first time. */
static void costs(void)
{
	struct memory_large m = memory_large();
	uint64_t at = memory_window(), t[5] = {0}, sum[4] = {0};
	seL4_CPtr slot = object_slot(), timer = object_new(insula_TimerObject, 0);

	runtime_must(seL4_X86_PageTable_Map(memory_table(), HERE, at, 0), "PT");
	for (unsigned i = 0; i < 16; i++) {
		t[0] = tsc_read();
		runtime_must(derive(m.frame, slot, seL4_ReadWrite, i * PAGE, 12), "derive");
		t[1] = tsc_read();
		runtime_must(memory_map(slot, at, seL4_ReadWrite), "map");
		t[2] = tsc_read();
		runtime_must(seL4_X86_Page_Unmap(slot), "unmap");
		t[3] = tsc_read();
		runtime_must(seL4_CNode_Delete(ROOT, slot, DEPTH), "delete");
		t[4] = tsc_read();
		for (unsigned k = 0; k < 4; k++)
			sum[k] += t[k + 1] - t[k];
	}
	t[0] = tsc_read();
	(void)insula_Timer_Cancel(timer);
	cost("least_invocation", tsc_read() - t[0]);
	cost("derive", sum[0] / 16);
	cost("map", sum[1] / 16);
	cost("unmap", sum[2] / 16);
	cost("delete", sum[3] / 16);
}

void derive_cases(void)
{
	errors();
	content();
	families();
	levels();
	costs();
}
