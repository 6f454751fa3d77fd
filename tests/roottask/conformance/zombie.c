/* Ends of objects that hold capabilities: CNodes and threads, inside each other and inside themselves. */
#include "roottask/conformance/worker.h"

static seL4_Error drop(seL4_CPtr slot)
{
	return seL4_CNode_Delete(ROOT, slot, DEPTH);
}

static seL4_Error put(seL4_CPtr cnode, seL4_Word index, seL4_Uint8 bits, seL4_CPtr from)
{
	return seL4_CNode_Move(cnode, index, bits, ROOT, from, DEPTH);
}

/*
 * All memory of `untyped` can be had again: after a revoke nothing made of it is left anywhere. (Without one,
 * a CNode that was inside another when that was deleted may be left as a zombie in its own first slot, where
 * nobody can name it.)
 */
static void whole(const char *name, seL4_CPtr untyped, seL4_Word bits)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_CNode_Revoke(ROOT, untyped, DEPTH), "a revoke");
	conformance_ok(name, seL4_Untyped_Retype(untyped, seL4_UntypedObject, bits, ROOT, 0, 0, slot, 1));
	runtime_must(drop(slot), "the whole");
}

static seL4_CPtr make(seL4_CPtr untyped, seL4_Word type, seL4_Word bits)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_Untyped_Retype(untyped, type, bits, ROOT, 0, 0, slot, 1), "an object");
	return slot;
}

static void contents(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 16), cnode = make(u, seL4_CapTableObject, 4),
		  ep = make(u, seL4_EndpointObject, 0);
	seL4_CPtr copy = object_copy(ep);

	runtime_must(put(cnode, 3, 4, ep), "into the CNode");
	conformance_ok("zombie.cnode", drop(cnode));
	conformance_equal("zombie.cnode_copy_outside_stays", conformance_type(copy), 4);
	conformance_ok("zombie.cnode_copy_outside", drop(copy));
	whole("zombie.cnode_takes_content", u, 16);
}

static void copies_of_cnode(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 14), cnode = make(u, seL4_CapTableObject, 4),
		  again = object_copy(cnode);

	runtime_must(put(cnode, 1, 4, make(u, seL4_EndpointObject, 0)), "into the CNode");
	conformance_ok("zombie.not_last", drop(cnode));
	conformance_ok("zombie.not_last_keeps_content",
		       seL4_CNode_Copy(ROOT, object_slot(), DEPTH, again, 1, 4, seL4_AllRights));
	conformance_ok("zombie.last", drop(again));
	conformance_ok("zombie.last_revoke", seL4_CNode_Revoke(ROOT, u, DEPTH));
	whole("zombie.last_takes_content", u, 14);
}

/* A CNode whose only capability lies in itself. */
static void in_itself(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 14), cnode = make(u, seL4_CapTableObject, 4),
		  inner = object_copy(cnode);

	runtime_must(put(cnode, 7, 4, inner), "into itself");
	conformance_ok("zombie.in_itself", drop(cnode));
	whole("zombie.in_itself_gone", u, 14);
	/* deleted from inside: its last slot is the one that names it */
	cnode = make(u, seL4_CapTableObject, 4);
	runtime_must(put(cnode, 0, 4, object_copy(cnode)), "into itself");
	conformance_ok("zombie.from_inside", seL4_CNode_Delete(cnode, 0, 4));
	conformance_equal("zombie.from_inside_stays", conformance_type(cnode), 10);
	runtime_must(seL4_CNode_Copy(cnode, 15, 4, ROOT, cnode, DEPTH, seL4_AllRights), "into itself");
	runtime_must(drop(cnode), "the outer");
	conformance_ok("zombie.cyclic_revoke", seL4_CNode_Revoke(ROOT, u, DEPTH));
	whole("zombie.cyclic_gone", u, 14);
}

/* Two that hold each other's only capability. */
static void in_each_other(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 14), a = make(u, seL4_CapTableObject, 3),
		  b = make(u, seL4_CapTableObject, 3);
	seL4_CPtr a_copy = object_copy(a);

	runtime_must(put(a, 2, 3, b), "b into a");
	runtime_must(seL4_CNode_Copy(a, 3, 3, a, 2, 3, seL4_AllRights), "b twice");
	{
		seL4_CPtr b_again = object_slot();

		runtime_must(seL4_CNode_Copy(ROOT, b_again, DEPTH, a, 2, 3, seL4_AllRights), "b");
		runtime_must(put(b_again, 1, 3, a_copy), "a into b");
		runtime_must(drop(b_again), "b");
	}
	conformance_ok("zombie.each_other", drop(a));
	conformance_ok("zombie.each_other_revoke", seL4_CNode_Revoke(ROOT, u, DEPTH));
	whole("zombie.each_other_gone", u, 14);
}

/* As deep as memory allows: deletion needs no stack. */
static void chain(void)
{
	enum { LINKS = 200 };
	seL4_CPtr u = object_new(seL4_UntypedObject, 16), outer = make(u, seL4_CapTableObject, 1);

	for (unsigned i = 1; i < LINKS; i++) {
		seL4_CPtr next = make(u, seL4_CapTableObject, 1);

		runtime_must(put(next, i & 1, 1, outer), "a link");
		outer = next;
	}
	conformance_ok("zombie.chain", drop(outer));
	whole("zombie.chain_gone", u, 16);
}

/* Threads hold their spaces and handlers. */
static void threads(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 16), tcb = make(u, seL4_TCBObject, 0),
		  cnode = make(u, seL4_CapTableObject, 4);
	seL4_CPtr ep = make(u, seL4_EndpointObject, 0), frame = make(u, seL4_X86_4K, 0);

	runtime_must(seL4_TCB_SetSpace(tcb, ep, cnode, 0, HERE, 0), "spaces");
	runtime_must(seL4_TCB_SetIPCBuffer(tcb, 0x700000, frame), "a buffer");
	runtime_must(seL4_TCB_SetTimeoutEndpoint(tcb, ep), "a handler");
	runtime_must(drop(cnode), "the CNode");
	runtime_must(drop(ep), "the endpoint");
	runtime_must(drop(frame), "the frame");
	/* its own capability in its own CSpace, which nobody else has */
	conformance_ok("zombie.thread", drop(tcb));
	whole("zombie.thread_takes_all", u, 16);
}

/* A thread whose only capability lies in its own CSpace, running or not, goes with the memory. */
static void thread_in_own_space(void)
{
	seL4_CPtr u = object_new(seL4_UntypedObject, 16), tcb = make(u, seL4_TCBObject, 0),
		  cnode = make(u, seL4_CapTableObject, 4);

	runtime_must(seL4_TCB_SetSpace(tcb, 0, cnode, 0, HERE, 0), "spaces");
	runtime_must(put(cnode, 5, 4, tcb), "into its own space");
	conformance_ok("zombie.thread_loop", drop(cnode));
	conformance_ok("zombie.thread_loop_revoke", seL4_CNode_Revoke(ROOT, u, DEPTH));
	whole("zombie.thread_loop_gone", u, 16);
}

/* A worker deletes the very CNode that the capability it uses lies in. */
static void delete_cnode(struct worker *w)
{
	w->error = seL4_CNode_Delete(w->cap, 3, 4);
}

static void own_root_goes(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr u = object_new(seL4_UntypedObject, 14), cnode = make(u, seL4_CapTableObject, 4);

	w->cap = cnode;
	runtime_must(put(cnode, 3, 4, object_copy(cnode)), "into itself");
	worker_run(w, delete_cnode);
	conformance_equal("zombie.worker_deletes_inner", w->done == 1 && w->error == 0, 1);
	worker_end(w);
}

/* Replacing a thread's spaces is refused where it would delete a whole CNode. */
static void long_replacement(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), cnode = object_new(seL4_CapTableObject, 4);

	runtime_must(seL4_TCB_SetSpace(tcb, 0, cnode, 0, HERE, 0), "spaces");
	conformance_ok("zombie.replace_copy", seL4_TCB_SetSpace(tcb, 0, cnode, 0, HERE, 0));
	runtime_must(drop(cnode), "the CNode");
	conformance_error("zombie.replace_last", seL4_TCB_SetSpace(tcb, 0, ROOT, 0, HERE, 0),
			  seL4_IllegalOperation);
	conformance_error("zombie.replace_last_configure", seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0, 0),
			  seL4_IllegalOperation);
	conformance_ok("zombie.replace_buffer_still", seL4_TCB_SetIPCBuffer(tcb, 0, 0));
	conformance_ok("zombie.delete_holder", drop(tcb));
}

void zombie_cases(void)
{
	contents();
	copies_of_cnode();
	in_itself();
	in_each_other();
	chain();
	threads();
	thread_in_own_space();
	own_root_goes();
	long_replacement();
}
