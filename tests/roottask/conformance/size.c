/* Sizes of objects: one fits into an Untyped of exactly its size, none into half of it. */
#include "roottask/conformance/conformance.h"

struct size {
	const char *name;
	seL4_Word type, user_bits, bits, cap_type;
	bool guest;
};

static const struct size sizes[] = {
    {"untyped_min", seL4_UntypedObject, 4, 4, 2, false},
    {"untyped", seL4_UntypedObject, 15, 15, 2, false},
    {"tcb", seL4_TCBObject, 0, 12, 12, false},
    {"endpoint", seL4_EndpointObject, 0, 4, 4, false},
    {"notification", seL4_NotificationObject, 0, 6, 6, false},
    {"cnode_2", seL4_CapTableObject, 1, 6, 10, false},
    {"cnode_512", seL4_CapTableObject, 9, 14, 10, false},
    {"sched_context_min", seL4_SchedContextObject, 7, 7, 22, false},
    {"sched_context", seL4_SchedContextObject, 10, 10, 22, false},
    {"reply", seL4_ReplyObject, 0, 5, 8, false},
    {"pdpt", seL4_X86_PDPTObject, 0, 12, 7, false},
    {"pml4", seL4_X64_PML4Object, 0, 12, 9, false},
    {"frame_4k", seL4_X86_4K, 0, 12, 1, false},
    {"frame_2m", seL4_X86_LargePageObject, 0, 21, 1, false},
    {"page_table", seL4_X86_PageTableObject, 0, 12, 3, false},
    {"page_directory", seL4_X86_PageDirectoryObject, 0, 12, 5, false},
    {"io_page_table", seL4_X86_IOPageTableObject, 0, 12, 17, false},
    {"vcpu", seL4_X86_VCPUObject, 0, 14, 21, true},
    {"ept_pml4", seL4_X86_EPTPML4Object, 0, 12, 29, true},
    {"ept_pdpt", seL4_X86_EPTPDPTObject, 0, 12, 27, true},
    {"ept_page_directory", seL4_X86_EPTPDObject, 0, 12, 25, true},
    {"ept_page_table", seL4_X86_EPTPTObject, 0, 12, 23, true},
    {"timer", insula_TimerObject, 0, 7, insula_CapTypeTimer, false},
};

static seL4_Error make(seL4_CPtr untyped, const struct size *s, seL4_CPtr slot)
{
	return seL4_Untyped_Retype(untyped, s->type, s->user_bits, ROOT, 0, 0, slot, 1);
}

static void one(const struct size *s)
{
	seL4_CPtr exact =
	    s->bits > 16 ? conformance_untyped((unsigned)s->bits) : object_new(seL4_UntypedObject, s->bits);
	seL4_CPtr slot = object_slot();

	if (s->guest && !conformance_has_virt()) {
		conformance_error1(conformance_name2("size.absent", s->name), make(exact, s, slot),
				   seL4_InvalidArgument, 0);
		return;
	}
	conformance_ok(conformance_name2("size.exact", s->name), make(exact, s, slot));
	conformance_equal(conformance_name2("size.type", s->name), conformance_type(slot), s->cap_type);
	conformance_error1(conformance_name2("size.no_second", s->name), make(exact, s, object_slot()),
			   seL4_NotEnoughMemory, 0);
	(void)seL4_CNode_Revoke(ROOT, exact, DEPTH);
	conformance_equal(conformance_name2("size.revoked", s->name), conformance_type(slot), 0);
	if (s->bits > 4) {
		seL4_CPtr half = object_slot();

		runtime_must(seL4_Untyped_Retype(exact, seL4_UntypedObject, s->bits - 1, ROOT, 0, 0, half, 1),
			     "a half");
		conformance_error1(conformance_name2("size.half", s->name), make(half, s, object_slot()),
				   seL4_NotEnoughMemory, 1ull << (s->bits - 1));
	}
	(void)seL4_CNode_Revoke(ROOT, exact, DEPTH);
	(void)seL4_CNode_Delete(ROOT, exact, DEPTH);
}

static void huge(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();

	/* of a 1 GiB page only the size is sure to be testable: RAM may have none that is free */
	conformance_error1("size.half.frame_1g",
			   seL4_Untyped_Retype(conformance_untyped(21), seL4_X64_HugePageObject, 0, ROOT, 0,
					       0, object_slot(), 1),
			   seL4_NotEnoughMemory, 1ull << 21);
	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++)
		if (b->untypedList[i].isDevice && b->untypedList[i].sizeBits >= 31) {
			seL4_CPtr slot = object_slot();

			conformance_ok("size.exact.frame_1g",
				       seL4_Untyped_Retype(b->untyped.start + i, seL4_X64_HugePageObject, 0,
							   ROOT, 0, 0, slot, 1));
			conformance_equal("size.aligned.frame_1g",
					  seL4_X86_Page_GetAddress(slot).paddr & ((1ull << 30) - 1), 0);
			return;
		}
	conformance_case("size.exact.frame_1g", false, "no device memory of 2 GiB");
}

void size_cases(void)
{
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		one(&sizes[i]);
	huge();
}
