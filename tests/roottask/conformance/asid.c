/* ASID control and pools. */
#include "roottask/conformance/conformance.h"

#define POOL seL4_CapInitThreadASIDPool

static seL4_Error make(seL4_CPtr untyped, seL4_CPtr slot)
{
	return seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, untyped, ROOT, slot, DEPTH);
}

static void pools(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), page = object_new(seL4_UntypedObject, 12),
		  pool = object_slot();
	seL4_CPtr used = object_new(seL4_UntypedObject, 12), space = object_new(seL4_X64_PML4Object, 0);

	conformance_error1("asid.no_untyped", make(ep, pool), seL4_InvalidCapability, 1);
	conformance_error1("asid.empty", make(0, pool), seL4_InvalidCapability, 1);
	conformance_error1("asid.small", make(object_new(seL4_UntypedObject, 11), pool),
			   seL4_InvalidCapability, 1);
	conformance_error1("asid.large", make(object_new(seL4_UntypedObject, 13), pool),
			   seL4_InvalidCapability, 1);
	runtime_must(seL4_Untyped_Retype(used, seL4_EndpointObject, 0, ROOT, 0, 0, object_slot(), 1),
		     "a child");
	conformance_error("asid.children", make(used, pool), seL4_RevokeFirst);
	conformance_error("asid.slot_used", make(page, ep), seL4_DeleteFirst);
	conformance_error2("asid.root",
			   seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, page, ep, pool, DEPTH),
			   seL4_FailedLookup, 0, seL4_InvalidRoot);
	conformance_error2("asid.depth",
			   seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, page, ROOT, pool, 65),
			   seL4_RangeError, 1, 64);
	conformance_error("asid.order_children_slot", make(used, ep), seL4_RevokeFirst);
	conformance_ok("asid.pool", make(page, pool));
	conformance_equal("asid.pool_type", conformance_type(pool), 13);
	conformance_error1("asid.untyped_is_used",
			   seL4_Untyped_Retype(page, seL4_EndpointObject, 0, ROOT, 0, 0, object_slot(), 1),
			   seL4_NotEnoughMemory, 0);
	conformance_ok("asid.assign_in_second_pool", seL4_X86_ASIDPool_Assign(pool, space));
	conformance_ok("asid.use",
		       seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), space, 0x10000000000ull, 0));
	/* the pool goes: its spaces have no ASID any more, and can do nothing with their capabilities */
	conformance_ok("asid.revoke_pool", seL4_CNode_Revoke(ROOT, page, DEPTH));
	conformance_equal("asid.pool_gone", conformance_type(pool), 0);
	conformance_error2("asid.space_without_pool",
			   seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), space, 0x20000000000ull, 0),
			   seL4_FailedLookup, 0, seL4_InvalidRoot);
	conformance_error1("asid.space_keeps_its_number", seL4_X86_ASIDPool_Assign(POOL, space),
			   seL4_InvalidCapability, 1);
}

static void assigning(void)
{
	seL4_CPtr space = object_new(seL4_X64_PML4Object, 0), pool = object_slot(), copy = object_slot();

	conformance_error1("asid.assign_frame", seL4_X86_ASIDPool_Assign(POOL, object_new(seL4_X86_4K, 0)),
			   seL4_InvalidCapability, 1);
	conformance_error1("asid.assign_pdpt",
			   seL4_X86_ASIDPool_Assign(POOL, object_new(seL4_X86_PDPTObject, 0)),
			   seL4_InvalidCapability, 1);
	conformance_error1("asid.assign_empty", seL4_X86_ASIDPool_Assign(POOL, 0), seL4_InvalidCapability, 1);
	conformance_ok("asid.assign", seL4_X86_ASIDPool_Assign(POOL, space));
	conformance_error1("asid.assign_twice", seL4_X86_ASIDPool_Assign(POOL, space), seL4_InvalidCapability,
			   1);
	conformance_ok("asid.copy_assigned",
		       seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, space, DEPTH, seL4_AllRights));
	conformance_error1("asid.assign_copy", seL4_X86_ASIDPool_Assign(POOL, copy), seL4_InvalidCapability,
			   1);
	/* a pool that is gone, by a capability moved before: its slot is empty then */
	runtime_must(make(object_new(seL4_UntypedObject, 12), pool), "a pool");
	conformance_ok("asid.delete_pool", seL4_CNode_Delete(ROOT, pool, DEPTH));
}

/* As many pools as there are, and as many spaces as one holds. */
static void limits(void)
{
	seL4_CPtr made[8], u = conformance_untyped(22), space;
	unsigned pools = 0, spaces = 0;

	for (; pools < 8; pools++) {
		made[pools] = object_slot();
		if (make(object_new(seL4_UntypedObject, 12), made[pools]))
			break;
	}
	conformance_equal("asid.seven_more_pools", pools, 7);
	conformance_error("asid.no_eighth", make(object_new(seL4_UntypedObject, 12), object_slot()),
			  seL4_DeleteFirst);
	conformance_error("asid.order_pools_untyped", make(object_new(seL4_EndpointObject, 0), object_slot()),
			  seL4_DeleteFirst);
	space = object_slot();
	for (unsigned i = 1; i < 520; i++)
		(void)object_slot();
	for (; spaces < 520; spaces++) {
		runtime_must(seL4_Untyped_Retype(u, seL4_X64_PML4Object, 0, ROOT, 0, 0, space + spaces, 1),
			     "a space");
		if (seL4_X86_ASIDPool_Assign(made[6], space + spaces))
			break;
	}
	conformance_equal("asid.spaces_of_a_pool", spaces, 512);
	conformance_error("asid.pool_full", seL4_X86_ASIDPool_Assign(made[6], space + spaces),
			  seL4_DeleteFirst);
	conformance_ok("asid.delete_one", seL4_CNode_Delete(ROOT, space + 100, DEPTH));
	conformance_ok("asid.one_free", seL4_X86_ASIDPool_Assign(made[6], space + spaces));
	conformance_ok("asid.delete_all_spaces", seL4_CNode_Revoke(ROOT, u, DEPTH));
	for (unsigned i = 0; i < pools; i++)
		runtime_must(seL4_CNode_Delete(ROOT, made[i], DEPTH), "a pool");
	conformance_ok("asid.pools_free", make(object_new(seL4_UntypedObject, 12), made[0]));
	conformance_ok("asid.pool_free_again", seL4_CNode_Delete(ROOT, made[0], DEPTH));
	runtime_must(seL4_CNode_Delete(ROOT, u, DEPTH), "an Untyped");
}

void asid_cases(void)
{
	pools();
	assigning();
	limits();
}
