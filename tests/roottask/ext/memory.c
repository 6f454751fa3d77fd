/* Large frames, and where to map them. */
#include "roottask/ext/ext.h"

#define WINDOW 0x18000000000ull /* 512 large pages under one PD */

static seL4_CPtr memory_source(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	static seL4_CPtr found;
	unsigned best = 0;

	for (seL4_Word i = 0; !found && i < b->untyped.end - b->untyped.start; i++)
		if (!b->untypedList[i].isDevice && b->untypedList[i].sizeBits > best)
			best = b->untypedList[i].sizeBits;
	for (seL4_Word i = 0; !found && i < b->untyped.end - b->untyped.start; i++)
		if (!b->untypedList[i].isDevice && b->untypedList[i].sizeBits == best)
			found = b->untyped.start + i;
	return found;
}

static seL4_CPtr memory_make(seL4_CPtr untyped, seL4_Word type, seL4_Word bits)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_Untyped_Retype(untyped, type, bits, ROOT, 0, 0, slot, 1), "retype");
	return slot;
}

struct memory_large memory_large(void)
{
	struct memory_large m;

	m.untyped = memory_make(memory_source(), seL4_UntypedObject, 21);
	m.frame = memory_make(m.untyped, seL4_X86_LargePageObject, 0);
	return m;
}

seL4_CPtr memory_node(unsigned radix)
{
	return memory_make(memory_source(), seL4_CapTableObject, radix);
}

seL4_CPtr memory_table(void)
{
	return memory_make(memory_source(), seL4_X86_PageTableObject, 0);
}

uint64_t memory_window(void)
{
	static uint64_t next;

	if (!next) {
		next = WINDOW;
		runtime_must(
		    seL4_X86_PDPT_Map(memory_make(memory_source(), seL4_X86_PDPTObject, 0), HERE, WINDOW, 0),
		    "PDPT");
		runtime_must(
		    seL4_X86_PageDirectory_Map(memory_make(memory_source(), seL4_X86_PageDirectoryObject, 0),
					       HERE, WINDOW, 0),
		    "PD");
	}
	next += BIG;
	return next - BIG;
}

seL4_Error memory_map(seL4_CPtr frame, uint64_t at, seL4_CapRights_t rights)
{
	return seL4_X86_Page_Map(frame, HERE, at, rights, insula_X86_ExecuteNever);
}

seL4_CPtr memory_take(seL4_CPtr node, seL4_Word index)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_CNode_Move(ROOT, slot, DEPTH, node, index, 9), "take a part");
	return slot;
}

bool memory_empty(seL4_CPtr slot)
{
	return seL4_DebugCapIdentify(slot) == 0;
}
