/* Capabilities in messages: receive slots, unwrapping, how many go, what keeps them back. */
#include "roottask/conformance/worker.h"

static seL4_CPtr ep, slot, reply;
static struct worker *w;
static seL4_CPtr gifts[3];

static void gives(struct worker *self)
{
	for (int i = 0; i < 3; i++)
		seL4_SetCap(i, gifts[i]);
	seL4_Send(self->cap, seL4_MessageInfo_new(0, 0, self->caps, self->length));
}

static seL4_MessageInfo_t got;

/* What arrives when so many of `gifts` are sent. */
static void give(seL4_Word caps, seL4_CPtr a, seL4_CPtr b, seL4_CPtr c)
{
	seL4_Word badge;

	gifts[0] = a;
	gifts[1] = b;
	gifts[2] = c;
	w->cap = ep;
	w->caps = caps;
	w->length = 0;
	worker_run(w, gives);
	for (int i = 0; i < 3; i++)
		seL4_SetCap(i, 0x5a5a);
	got = seL4_NBRecv(ep, &badge, reply);
}

static void expect(const char *name, seL4_Word extra, seL4_Word unwrapped, seL4_Word type)
{
	conformance_equal(conformance_name2(name, "count"), seL4_MessageInfo_get_extraCaps(got), extra);
	conformance_equal(conformance_name2(name, "unwrapped"), seL4_MessageInfo_get_capsUnwrapped(got),
			  unwrapped);
	conformance_equal(conformance_name2(name, "slot"), conformance_type(slot), type);
	(void)seL4_CNode_Delete(ROOT, slot, DEPTH);
}

static void receive_path(seL4_CPtr root, seL4_CPtr index, seL4_Word depth)
{
	seL4_SetCapReceivePath(root, index, depth);
}

static void counts(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), tcb = object_new(seL4_TCBObject, 0);
	seL4_CPtr seven = object_mint(ep, seL4_AllRights, 7), eight = object_mint(ep, seL4_AllRights, 8);

	give(0, n, n, n);
	expect("transfer.none", 0, 0, 0);
	give(1, n, 0, 0);
	expect("transfer.one", 1, 0, 6);
	/* one real capability at most: it stops at the second */
	give(2, n, tcb, 0);
	expect("transfer.second_real", 1, 0, 6);
	give(1, seven, 0, 0);
	conformance_equal("transfer.badge_in_buffer", seL4_GetBadge(0), 7);
	expect("transfer.unwrap", 1, 1, 0);
	give(3, seven, eight, ep);
	conformance_equal("transfer.badges_in_buffer",
			  seL4_GetBadge(0) * 100 + seL4_GetBadge(1) * 10 + seL4_GetBadge(2), 780);
	expect("transfer.unwrap_three", 3, 7, 0);
	give(3, seven, tcb, eight);
	conformance_equal("transfer.mixed_badges", seL4_GetBadge(0) * 10 + seL4_GetBadge(2), 78);
	expect("transfer.mixed", 3, 5, 12);
	give(3, n, seven, tcb);
	expect("transfer.real_first", 2, 2, 6);
	/* another endpoint is a real capability */
	give(1, object_mint(object_new(seL4_EndpointObject, 0), seL4_AllRights, 7), 0, 0);
	expect("transfer.other_endpoint", 1, 0, 4);
	/* an empty slot ends the list */
	give(2, object_slot(), n, 0);
	expect("transfer.empty_slot", 0, 0, 0);
}

static void slots(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), seven = object_mint(ep, seL4_AllRights, 7);
	seL4_CPtr small = object_new(seL4_CapTableObject, 3);

	runtime_must(seL4_CNode_Copy(ROOT, slot, DEPTH, ROOT, ep, DEPTH, seL4_AllRights), "fill");
	give(1, n, 0, 0);
	expect("transfer.slot_used", 0, 0, 4);
	runtime_must(seL4_CNode_Copy(ROOT, slot, DEPTH, ROOT, ep, DEPTH, seL4_AllRights), "fill");
	give(2, seven, n, 0);
	expect("transfer.slot_used_unwraps", 1, 1, 4);
	receive_path(1ull << 50, slot, DEPTH);
	give(1, n, 0, 0);
	expect("transfer.no_root", 0, 0, 0);
	receive_path(ep, slot, DEPTH);
	give(1, n, 0, 0);
	expect("transfer.root_no_cnode", 0, 0, 0);
	receive_path(ROOT, slot, 0);
	give(1, n, 0, 0);
	expect("transfer.depth_zero", 0, 0, 0);
	receive_path(ROOT, slot, 65);
	give(1, n, 0, 0);
	expect("transfer.depth_65", 0, 0, 0);
	receive_path(ROOT, slot, 20);
	give(1, n, 0, 0);
	expect("transfer.depth_short", 0, 0, 0);
	receive_path(small, 5, 3);
	give(1, n, 0, 0);
	expect("transfer.other_cnode", 1, 0, 0);
	conformance_ok("transfer.other_cnode_has_it", seL4_CNode_Move(ROOT, slot, DEPTH, small, 5, 3));
	conformance_equal("transfer.other_cnode_type", conformance_type(slot), 6);
	(void)seL4_CNode_Delete(ROOT, slot, DEPTH);
	receive_path(ROOT, slot, DEPTH);
}

/* What arrives is a copy, as CNode_Copy makes it: revocable from the sender's, and underivable kinds stay. */
static void derivation(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), u = object_new(seL4_UntypedObject, 12),
		  child = object_slot();
	seL4_CPtr frame = object_new(seL4_X86_4K, 0);

	give(1, n, 0, 0);
	conformance_equal("transfer.sender_keeps_it", conformance_type(n), 6);
	conformance_ok("transfer.revoke", seL4_CNode_Revoke(ROOT, n, DEPTH));
	expect("transfer.revoked", 1, 0, 0);
	give(1, seL4_CapIRQControl, 0, 0);
	expect("transfer.irq_control", 0, 0, 0);
	give(1, object_new(seL4_X86_PageTableObject, 0), 0, 0);
	expect("transfer.unmapped_table", 0, 0, 0);
	give(1, u, 0, 0);
	expect("transfer.untyped", 1, 0, 2);
	/* the copy took what there was: a reset gives it back */
	runtime_must(seL4_Untyped_Retype(u, seL4_EndpointObject, 0, ROOT, 0, 0, child, 1), "a child");
	give(1, u, 0, 0);
	expect("transfer.untyped_with_children", 0, 0, 0);
	give(1, frame, 0, 0);
	expect("transfer.frame", 1, 0, 1);
}

static void sides(void)
{
	seL4_CPtr fault = object_new(seL4_EndpointObject, 0), n = object_new(seL4_NotificationObject, 0);
	struct worker *s = worker_new(WORKER_PRIORITY, fault);
	seL4_Word badge;
	seL4_MessageInfo_t info;

	/* a gift that cannot be found is a fault of the sender, before it sends */
	gifts[0] = 1ull << 50;
	s->cap = ep;
	s->caps = 1;
	s->length = 0;
	worker_run(s, gives);
	info = seL4_NBRecv(fault, &badge, reply);
	conformance_equal("transfer.lookup_fault", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	conformance_equal("transfer.lookup_fault_address", seL4_GetMR(1), 1ull << 50);
	conformance_equal("transfer.lookup_fault_sending", seL4_GetMR(2), 0);
	worker_end(s);
	/* the receiver waits already */
	s = worker_new(WORKER_PRIORITY, 0);
	s->cap = ep;
	s->reply = object_new(seL4_ReplyObject, 0);
	worker_run(s, worker_recv);
	s->thread.memory->buffer.receiveCNode = ROOT;
	s->thread.memory->buffer.receiveIndex = slot;
	s->thread.memory->buffer.receiveDepth = DEPTH;
	seL4_SetCap(0, n);
	seL4_NBSend(ep, seL4_MessageInfo_new(0, 0, 1, 0));
	worker_settle();
	conformance_equal("transfer.to_waiting", seL4_MessageInfo_get_extraCaps(s->info), 1);
	conformance_equal("transfer.to_waiting_slot", conformance_type(slot), 6);
	(void)seL4_CNode_Delete(ROOT, slot, DEPTH);
	/* by an answer: the reply capability's grant right decides */
	s->cap = ep;
	s->label = s->caps = s->length = 0;
	worker_run(s, worker_call);
	(void)seL4_NBRecv(ep, &badge, reply);
	seL4_SetCap(0, n);
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 1, 0));
	worker_settle();
	conformance_equal("transfer.by_answer", conformance_type(slot), 6);
	(void)seL4_CNode_Delete(ROOT, slot, DEPTH);
	worker_run(s, worker_call);
	(void)seL4_NBRecv(ep, &badge, reply);
	seL4_SetCap(0, n);
	seL4_Send(object_mint(reply, seL4_NoRights, 0), seL4_MessageInfo_new(0, 0, 1, 0));
	worker_settle();
	conformance_equal("transfer.by_answer_without_grant", s->done == 1 && conformance_type(slot) == 0, 1);
	worker_end(s);
}

void transfer_cases(void)
{
	ep = object_new(seL4_EndpointObject, 0);
	slot = object_slot();
	reply = object_new(seL4_ReplyObject, 0);
	w = worker_new(WORKER_PRIORITY, 0);
	receive_path(ROOT, slot, DEPTH);
	counts();
	slots();
	derivation();
	sides();
	worker_end(w);
}
