/* Takes the smallest RAM Untyped that is large enough for any test. */
#include "roottask/runtime/object.h"
#include "roottask/runtime/runtime.h"

#define OBJECT_UNTYPED_BITS 26

static seL4_CPtr object_untyped, object_next;

static seL4_CPtr object_find_untyped(const seL4_BootInfo *info)
{
	seL4_CPtr found = 0;
	unsigned best = ~0u;

	for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const seL4_UntypedDesc *d = &info->untypedList[i];

		if (d->isDevice || d->sizeBits < OBJECT_UNTYPED_BITS || d->sizeBits >= best)
			continue;
		best = d->sizeBits;
		found = info->untyped.start + i;
	}
	return found;
}

seL4_CPtr object_slot(void)
{
	const seL4_BootInfo *info = runtime_bootinfo();

	if (!object_next)
		object_next = info->empty.start;
	runtime_must(object_next < info->empty.end ? seL4_NoError : seL4_NotEnoughMemory, "a free slot");
	return object_next++;
}

seL4_CPtr object_new(seL4_Word type, seL4_Word bits)
{
	seL4_CPtr slot = object_slot();

	if (!object_untyped)
		object_untyped = object_find_untyped(runtime_bootinfo());
	runtime_must(seL4_Untyped_Retype(object_untyped, type, bits, seL4_CapInitThreadCNode, 0, 0, slot, 1),
		     "retype");
	return slot;
}

seL4_CPtr object_mint(seL4_CPtr cap, seL4_CapRights_t rights, seL4_Word badge)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_CNode_Mint(seL4_CapInitThreadCNode, slot, seL4_WordBits, seL4_CapInitThreadCNode,
				     cap, seL4_WordBits, rights, badge),
		     "mint");
	return slot;
}

seL4_CPtr object_copy(seL4_CPtr cap)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_CNode_Copy(seL4_CapInitThreadCNode, slot, seL4_WordBits, seL4_CapInitThreadCNode,
				     cap, seL4_WordBits, seL4_AllRights),
		     "copy");
	return slot;
}
