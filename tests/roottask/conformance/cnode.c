/* CNode invocations: addressing, results, check order, error words. */
#include "roottask/conformance/conformance.h"

static seL4_Error copy(seL4_CPtr dest, seL4_CPtr from)
{
	return seL4_CNode_Copy(ROOT, dest, DEPTH, ROOT, from, DEPTH, seL4_AllRights);
}

static seL4_Error drop(seL4_CPtr slot)
{
	return seL4_CNode_Delete(ROOT, slot, DEPTH);
}

/* ---- addressing ---- */

static void depths(seL4_CPtr ep)
{
	seL4_CPtr small = object_new(seL4_CapTableObject, 4);
	const seL4_Word root_bits = runtime_bootinfo()->initThreadCNodeSizeBits;

	conformance_error2("cnode.depth_zero", seL4_CNode_Delete(ROOT, ep, 0), seL4_RangeError, 1, 64);
	conformance_error2("cnode.depth_65", seL4_CNode_Delete(ROOT, ep, 65), seL4_RangeError, 1, 64);
	conformance_error2("cnode.depth_255", seL4_CNode_Revoke(ROOT, ep, 255), seL4_RangeError, 1, 64);
	conformance_error2("cnode.source_depth_zero",
			   seL4_CNode_Copy(ROOT, object_slot(), DEPTH, ROOT, ep, 0, seL4_AllRights),
			   seL4_RangeError, 1, 64);
	conformance_error3("cnode.bits_left", seL4_CNode_Delete(small, 0, 5), seL4_FailedLookup, 0,
			   seL4_DepthMismatch, 1);
	conformance_equal("cnode.bits_left_found", seL4_GetMR(3), 0);
	conformance_error3("cnode.bits_left_source", seL4_CNode_Move(ROOT, object_slot(), DEPTH, small, 0, 9),
			   seL4_FailedLookup, 1, seL4_DepthMismatch, 5);
	conformance_error3("cnode.too_few_bits", seL4_CNode_Delete(small, 0, 3), seL4_FailedLookup, 0,
			   seL4_DepthMismatch, 3);
	conformance_equal("cnode.too_few_bits_found", seL4_GetMR(3), 4);
	conformance_error3("cnode.guard_longer", seL4_CNode_Delete(ROOT, 0, 32), seL4_FailedLookup, 0,
			   seL4_GuardMismatch, 32);
	conformance_equal("cnode.guard_longer_guard", seL4_GetMR(3), 0);
	conformance_equal("cnode.guard_longer_bits", seL4_GetMR(4), 64 - root_bits);
	conformance_error3("cnode.root_guard", seL4_CNode_Delete(ROOT, 1ull << 63, DEPTH), seL4_FailedLookup,
			   0, seL4_GuardMismatch, 64);
	conformance_ok("cnode.high_bits_ignored", seL4_CNode_Delete(small, 0xfff0, 4));
}

static void guards(void)
{
	seL4_CPtr small = object_new(seL4_CapTableObject, 4), guarded = object_slot(), dest = object_slot(),
		  zero = object_slot();

	conformance_ok("cnode.mint_guard", seL4_CNode_Mint(ROOT, guarded, DEPTH, ROOT, small, DEPTH,
							   seL4_AllRights, seL4_CNode_CapData_new(5, 3)));
	conformance_error3("cnode.guard_differs", seL4_CNode_Delete(guarded, 0x00, 7), seL4_FailedLookup, 0,
			   seL4_GuardMismatch, 7);
	conformance_equal("cnode.guard_differs_found", seL4_GetMR(3), 5);
	conformance_equal("cnode.guard_differs_bits", seL4_GetMR(4), 3);
	conformance_ok("cnode.guard_matches", seL4_CNode_Delete(guarded, 0x50, 7));
	conformance_error("cnode.guard_too_long",
			  seL4_CNode_Mint(ROOT, dest, DEPTH, ROOT, small, DEPTH, seL4_AllRights,
					  seL4_CNode_CapData_new(0, 61)),
			  seL4_IllegalOperation);
	conformance_ok("cnode.guard_of_all_bits",
		       seL4_CNode_Mint(ROOT, dest, DEPTH, ROOT, small, DEPTH, seL4_AllRights,
				       seL4_CNode_CapData_new(0, 60)));
	conformance_ok("cnode.guard_of_all_bits_resolves", seL4_CNode_Delete(dest, 7, 64));
	/* only as many low bits as the guard has are kept */
	conformance_ok("cnode.guard_cut", seL4_CNode_Mint(ROOT, zero, DEPTH, ROOT, small, DEPTH,
							  seL4_AllRights, seL4_CNode_CapData_new(0xf5, 3)));
	conformance_ok("cnode.guard_cut_matches", seL4_CNode_Delete(zero, 0x50, 7));
	conformance_ok("cnode.mutate_guard", seL4_CNode_Mutate(ROOT, object_slot(), DEPTH, ROOT, zero, DEPTH,
							       seL4_CNode_CapData_new(1, 1)));
	conformance_equal("cnode.mutate_moves", conformance_type(zero), 0);
	/* of a guarded one a copy without data has its guard still */
	{
		seL4_CPtr same = object_copy(guarded);

		conformance_ok("cnode.copy_keeps_guard", seL4_CNode_Delete(same, 0x50, 7));
	}
}

/* A CNode in a CNode: depths that end at each level. */
static void levels(seL4_CPtr ep)
{
	seL4_CPtr outer = object_new(seL4_CapTableObject, 4), inner = object_new(seL4_CapTableObject, 3),
		  far = object_slot();

	conformance_ok("cnode.nest", seL4_CNode_Mint(outer, 5, 4, ROOT, inner, DEPTH, seL4_AllRights,
						     seL4_CNode_CapData_new(2, 2)));
	conformance_ok("cnode.two_levels",
		       seL4_CNode_Copy(outer, 5 << 5 | 2 << 3 | 6, 9, ROOT, ep, DEPTH, seL4_AllRights));
	conformance_ok("cnode.two_levels_source",
		       seL4_CNode_Move(ROOT, far, DEPTH, outer, 5 << 5 | 2 << 3 | 6, 9));
	conformance_equal("cnode.two_levels_moved", conformance_type(far), 4);
	conformance_error3("cnode.inner_guard", seL4_CNode_Delete(outer, 5 << 5 | 1 << 3 | 6, 9),
			   seL4_FailedLookup, 0, seL4_GuardMismatch, 5);
	conformance_equal("cnode.inner_guard_found", seL4_GetMR(3), 2);
	conformance_equal("cnode.inner_guard_bits", seL4_GetMR(4), 2);
	conformance_error3("cnode.inner_short", seL4_CNode_Delete(outer, 5 << 4 | 2 << 2, 8),
			   seL4_FailedLookup, 0, seL4_DepthMismatch, 4);
	conformance_equal("cnode.inner_short_found", seL4_GetMR(3), 5);
	/* the path ends at a capability that is no CNode: bits are left */
	conformance_error3("cnode.through_empty", seL4_CNode_Delete(outer, 6 << 5, 9), seL4_FailedLookup, 0,
			   seL4_DepthMismatch, 5);
	conformance_ok("cnode.inner_itself", seL4_CNode_Delete(outer, 5, 4));
	conformance_equal("cnode.inner_object_stays", conformance_type(inner), 10);
}

static void roots(seL4_CPtr ep)
{
	seL4_CPtr dest = object_slot();

	conformance_error2("cnode.source_root_no_cnode",
			   seL4_CNode_Copy(ROOT, dest, DEPTH, ep, 0, DEPTH, seL4_AllRights),
			   seL4_FailedLookup, 1, seL4_InvalidRoot);
	conformance_error3("cnode.source_empty", copy(dest, dest), seL4_FailedLookup, 1,
			   seL4_MissingCapability, DEPTH);
	conformance_error3(
	    "cnode.source_empty_shallow",
	    seL4_CNode_Copy(ROOT, dest, DEPTH, object_new(seL4_CapTableObject, 5), 3, 5, seL4_AllRights),
	    seL4_FailedLookup, 1, seL4_MissingCapability, 5);
	conformance_error("cnode.dest_used", copy(ep, ep), seL4_DeleteFirst);
	/* the destination is looked at before the source */
	conformance_error("cnode.dest_before_source", copy(ep, dest), seL4_DeleteFirst);
	conformance_error("cnode.dest_before_source_root",
			  seL4_CNode_Copy(ROOT, ep, DEPTH, ep, 0, DEPTH, seL4_AllRights), seL4_DeleteFirst);
}

/* ---- what copies are ---- */

static void copies(seL4_CPtr ep)
{
	seL4_CPtr a = object_slot(), b = object_slot(), c = object_slot();

	conformance_ok("cnode.copy", copy(a, ep));
	conformance_ok("cnode.mint_badge",
		       seL4_CNode_Mint(ROOT, b, DEPTH, ROOT, ep, DEPTH, seL4_AllRights, 7));
	conformance_error("cnode.badge_twice",
			  seL4_CNode_Mint(ROOT, c, DEPTH, ROOT, b, DEPTH, seL4_AllRights, 8),
			  seL4_IllegalOperation);
	conformance_error("cnode.badge_same_again",
			  seL4_CNode_Mint(ROOT, c, DEPTH, ROOT, b, DEPTH, seL4_AllRights, 7),
			  seL4_IllegalOperation);
	conformance_ok("cnode.copy_badged", copy(c, b));
	conformance_ok("cnode.delete_copy", drop(c));
	conformance_ok("cnode.mint_badge_zero",
		       seL4_CNode_Mint(ROOT, c, DEPTH, ROOT, ep, DEPTH, seL4_AllRights, 0));
	conformance_ok("cnode.delete_badge_zero", drop(c));
	conformance_error("cnode.mutate_badge", seL4_CNode_Mutate(ROOT, c, DEPTH, ROOT, a, DEPTH, 9),
			  seL4_IllegalOperation);
	conformance_equal("cnode.mutate_refused_stays", conformance_type(a), 4);
	conformance_ok("cnode.move", seL4_CNode_Move(ROOT, c, DEPTH, ROOT, a, DEPTH));
	conformance_equal("cnode.move_leaves_nothing", conformance_type(a), 0);
	conformance_equal("cnode.move_arrives", conformance_type(c), 4);
	conformance_error3("cnode.move_empty", seL4_CNode_Move(ROOT, object_slot(), DEPTH, ROOT, a, DEPTH),
			   seL4_FailedLookup, 1, seL4_MissingCapability, DEPTH);
	conformance_ok("cnode.delete_empty", drop(a));
	conformance_ok("cnode.revoke_empty", seL4_CNode_Revoke(ROOT, a, DEPTH));
	conformance_ok("cnode.move_back", seL4_CNode_Move(ROOT, a, DEPTH, ROOT, c, DEPTH));
}

static void underivable(void)
{
	const struct {
		const char *name;
		seL4_CPtr cap;
		seL4_Error want;
	} t[] = {
	    {"irq_control", seL4_CapIRQControl, seL4_IllegalOperation},
	    {"io_port_control", seL4_CapIOPortControl, seL4_IllegalOperation},
	    {"page_table", object_new(seL4_X86_PageTableObject, 0), seL4_IllegalOperation},
	    {"page_directory", object_new(seL4_X86_PageDirectoryObject, 0), seL4_IllegalOperation},
	    {"pdpt", object_new(seL4_X86_PDPTObject, 0), seL4_IllegalOperation},
	    {"pml4", object_new(seL4_X64_PML4Object, 0), seL4_IllegalOperation},
	    {"asid_control", seL4_CapASIDControl, 0},
	    {"asid_pool", seL4_CapInitThreadASIDPool, 0},
	    {"domain", seL4_CapDomain, 0},
	    {"sched_control", runtime_bootinfo()->schedcontrol.start, 0},
	    {"tcb", object_new(seL4_TCBObject, 0), 0},
	    {"sched_context", object_new(seL4_SchedContextObject, 7), 0},
	    {"reply", object_new(seL4_ReplyObject, 0), 0},
	    {"frame", object_new(seL4_X86_4K, 0), 0},
	    {"untyped", object_new(seL4_UntypedObject, 4), 0},
	    {"assigned_pml4", HERE, 0},
	    {"mapped_table", runtime_bootinfo()->userImagePaging.start, 0},
	};

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		seL4_CPtr to = object_slot();

		conformance_error(conformance_name2("cnode.copy", t[i].name), copy(to, t[i].cap), t[i].want);
		conformance_equal(conformance_name2("cnode.copy_type", t[i].name), conformance_type(to),
				  t[i].want ? 0 : conformance_type(t[i].cap));
		(void)drop(to);
		/* what cannot be copied can be moved, there and back */
		conformance_ok(conformance_name2("cnode.move", t[i].name),
			       seL4_CNode_Move(ROOT, to, DEPTH, ROOT, t[i].cap, DEPTH));
		runtime_must(seL4_CNode_Move(ROOT, t[i].cap, DEPTH, ROOT, to, DEPTH), "move back");
	}
}

/* ---- the tree ---- */

static void tree(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), plain = object_copy(ep),
		  five = object_mint(ep, seL4_AllRights, 5);
	seL4_CPtr six = object_mint(ep, seL4_AllRights, 6), five_copy = object_copy(five),
		  plain_five = object_mint(plain, seL4_AllRights, 5);

	conformance_ok("cnode.revoke_copy", seL4_CNode_Revoke(ROOT, plain, DEPTH));
	conformance_equal("cnode.revoke_copy_takes_nothing",
			  conformance_type(ep) == 4 && conformance_type(five) == 4 &&
			      conformance_type(five_copy) == 4 && conformance_type(plain_five) == 4,
			  1);
	conformance_ok("cnode.revoke_badged", seL4_CNode_Revoke(ROOT, five, DEPTH));
	conformance_equal("cnode.revoke_badged_takes_its_copy", conformance_type(five_copy), 0);
	conformance_equal("cnode.revoke_badged_keeps_itself", conformance_type(five), 4);
	conformance_equal("cnode.revoke_badged_keeps_other", conformance_type(six), 4);
	conformance_equal("cnode.revoke_badged_keeps_same_badge_minted_apart", conformance_type(plain_five),
			  4);
	conformance_ok("cnode.revoke", seL4_CNode_Revoke(ROOT, ep, DEPTH));
	conformance_equal("cnode.revoke_takes_all",
			  conformance_type(plain) | conformance_type(five) | conformance_type(six) |
			      conformance_type(plain_five),
			  0);
	conformance_equal("cnode.revoke_keeps_itself", conformance_type(ep), 4);
	/* a moved one keeps its place */
	{
		seL4_CPtr moved = object_slot(), child = object_copy(ep);

		runtime_must(seL4_CNode_Move(ROOT, moved, DEPTH, ROOT, ep, DEPTH), "move");
		conformance_ok("cnode.revoke_moved", seL4_CNode_Revoke(ROOT, moved, DEPTH));
		conformance_equal("cnode.revoke_moved_takes_children", conformance_type(child), 0);
	}
}

/* ---- rotations ---- */

static seL4_Error rotate(seL4_CPtr dest, seL4_Word dest_data, seL4_CPtr pivot, seL4_Word pivot_data,
			 seL4_CPtr src)
{
	return seL4_CNode_Rotate(ROOT, dest, DEPTH, dest_data, ROOT, pivot, DEPTH, pivot_data, ROOT, src,
				 DEPTH);
}

static void rotations(seL4_CPtr ep)
{
	seL4_CPtr a = object_copy(ep), n = object_new(seL4_NotificationObject, 0), free = object_slot(),
		  empty = object_slot();
	seL4_CPtr cnode = object_new(seL4_CapTableObject, 4);

	conformance_error("rotate.pivot_source", rotate(free, 0, a, 0, a), seL4_IllegalOperation);
	conformance_error("rotate.pivot_dest", rotate(n, 0, n, 0, a), seL4_IllegalOperation);
	conformance_error("rotate.dest_used", rotate(ep, 0, n, 0, a), seL4_DeleteFirst);
	conformance_error3("rotate.source_empty", rotate(free, 0, n, 0, empty), seL4_FailedLookup, 1,
			   seL4_MissingCapability, DEPTH);
	conformance_error3("rotate.pivot_empty", rotate(free, 0, empty, 0, a), seL4_FailedLookup, 0,
			   seL4_MissingCapability, DEPTH);
	/* badges cannot be changed in place: no data for endpoints and notifications, so they cannot rotate
	 */
	conformance_error("rotate.badged", rotate(free, 0, n, 0, a), seL4_IllegalOperation);
	conformance_error("rotate.cnodes", rotate(free, 0, cnode, 0, object_new(seL4_CapTableObject, 4)), 0);
	conformance_equal("rotate.pivot_to_dest", conformance_type(free), 10);
	conformance_equal("rotate.source_to_pivot", conformance_type(cnode), 10);
	conformance_error("rotate.guard_too_long",
			  rotate(empty, seL4_CNode_CapData_new(0, 61), free, 0, cnode),
			  seL4_IllegalOperation);
	conformance_equal("rotate.refused_stays",
			  conformance_type(free) == 10 && conformance_type(cnode) == 10, 1);
}

static void rotation_moves(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), frame = object_new(seL4_X86_4K, 0),
		  dest = object_slot(), child = object_copy(frame);
	seL4_CPtr one = object_new(seL4_CapTableObject, 3), other = object_new(seL4_CapTableObject, 5);

	conformance_ok("rotate.three", rotate(dest, 0, frame, 0, tcb));
	conformance_equal("rotate.three_dest", conformance_type(dest), 1);
	conformance_equal("rotate.three_pivot", conformance_type(frame), 12);
	conformance_equal("rotate.three_source", conformance_type(tcb), 0);
	conformance_equal("rotate.three_copy_stays", conformance_type(child), 1);
	conformance_ok("rotate.swap", rotate(frame, 0, dest, 0, frame));
	conformance_equal("rotate.swap_source", conformance_type(frame), 1);
	conformance_equal("rotate.swap_pivot", conformance_type(dest), 12);
	conformance_ok("rotate.guards",
		       rotate(tcb, seL4_CNode_CapData_new(1, 1), one, seL4_CNode_CapData_new(2, 2), other));
	conformance_ok("rotate.guard_at_dest", seL4_CNode_Delete(tcb, 1 << 3 | 7, 4));
	conformance_ok("rotate.guard_at_pivot", seL4_CNode_Delete(one, 2 << 5 | 7, 7));
}

static void cancel(seL4_CPtr ep)
{
	seL4_CPtr badged = object_mint(ep, seL4_AllRights, 5), n = object_new(seL4_NotificationObject, 0);

	conformance_ok("cancel.badged", seL4_CNode_CancelBadgedSends(ROOT, badged, DEPTH));
	conformance_ok("cancel.unbadged", seL4_CNode_CancelBadgedSends(ROOT, ep, DEPTH));
	conformance_error("cancel.no_endpoint", seL4_CNode_CancelBadgedSends(ROOT, n, DEPTH),
			  seL4_IllegalOperation);
	conformance_error("cancel.empty", seL4_CNode_CancelBadgedSends(ROOT, object_slot(), DEPTH),
			  seL4_IllegalOperation);
	for (seL4_Word rights = 0; rights < 15; rights++)
		conformance_error(conformance_name("cancel.rights", rights),
				  seL4_CNode_CancelBadgedSends(
				      ROOT, object_mint(ep, (seL4_CapRights_t){{rights}}, 5), DEPTH),
				  seL4_IllegalOperation);
}

void cnode_cases(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);

	depths(ep);
	guards();
	levels(ep);
	roots(ep);
	copies(ep);
	underivable();
	tree();
	rotations(ep);
	rotation_moves();
	cancel(ep);
}
