/* Faults of a thread as its handler sees them, and what answers do. */
#include "roottask/conformance/worker.h"

#define NOWHERE 0x20000000000ull
#define BEYOND	(1ull << 40) /* a CPtr that the root CNode's guard does not match */

static seL4_CPtr handler, reply;
static struct worker *w;
static volatile seL4_Word went_on;

static seL4_MessageInfo_t provoked(void (*work)(struct worker *))
{
	seL4_Word badge;

	went_on = 0;
	worker_run(w, work);
	return seL4_NBRecv(handler, &badge, reply);
}

static void answer(seL4_Word label, seL4_Word length)
{
	seL4_Send(reply, seL4_MessageInfo_new(label, 0, 0, length));
	worker_settle();
}

static seL4_Word faulting_code(seL4_Word ip)
{
	return *(const uint16_t *)ip;
}

/* ---- page faults ---- */

static void reads(struct worker *self)
{
	(void)self;
	went_on = *(volatile seL4_Word *)NOWHERE + 1;
}

static void writes(struct worker *self)
{
	*(volatile seL4_Word *)(NOWHERE + 8) = (seL4_Word)(uintptr_t)self;
}

static void writes_kernel(struct worker *self)
{
	*(volatile seL4_Word *)0xffffffff80200000ull = (seL4_Word)(uintptr_t)self;
}

static void reads_high(struct worker *self)
{
	(void)self;
	went_on = *(volatile seL4_Word *)0x7ffffffff000ull;
}

static void page_faults(void)
{
	seL4_MessageInfo_t info = provoked(reads);
	seL4_CPtr frame = object_new(seL4_X86_4K, 0);

	conformance_equal("fault.vm_label", seL4_MessageInfo_get_label(info), seL4_Fault_VMFault);
	conformance_equal("fault.vm_length", seL4_MessageInfo_get_length(info), 4);
	conformance_equal("fault.vm_caps", seL4_MessageInfo_get_extraCaps(info), 0);
	conformance_equal("fault.vm_ip", seL4_GetMR(0) != 0 && seL4_GetMR(0) == worker_register(w, 0), 1);
	conformance_equal("fault.vm_address", seL4_GetMR(1), NOWHERE);
	conformance_equal("fault.vm_no_fetch", seL4_GetMR(2), 0);
	conformance_equal("fault.vm_read_code", seL4_GetMR(3), 4);
	/* answered without a page it faults again, whatever the label */
	for (seL4_Word label = 0; label < 2; label++) {
		seL4_Word badge;

		answer(label, 0);
		conformance_equal(conformance_name("fault.vm_restarts", label),
				  seL4_MessageInfo_get_label(seL4_NBRecv(handler, &badge, reply)),
				  seL4_Fault_VMFault);
	}
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, NOWHERE, 0), "PDPT");
	runtime_must(
	    seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, NOWHERE, 0), "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, NOWHERE, 0), "PT");
	runtime_must(seL4_X86_Page_Map(frame, HERE, NOWHERE, seL4_CanRead, 0), "a page");
	answer(1, 0);
	conformance_equal("fault.vm_goes_on", w->done == 1 && went_on == 1, 1);
	(void)provoked(writes);
	conformance_equal("fault.vm_write_present", seL4_GetMR(3), 7);
	runtime_must(seL4_X86_Page_Unmap(frame), "unmap");
	(void)provoked(writes);
	conformance_equal("fault.vm_write", seL4_GetMR(3), 6);
	conformance_equal("fault.vm_write_address", seL4_GetMR(1), NOWHERE + 8);
	(void)provoked((void (*)(struct worker *))NOWHERE);
	conformance_equal("fault.vm_fetch", seL4_GetMR(2), 1);
	conformance_equal("fault.vm_fetch_ip", seL4_GetMR(0), NOWHERE);
	conformance_equal("fault.vm_fetch_address", seL4_GetMR(1), NOWHERE);
	info = provoked(writes_kernel);
	conformance_equal("fault.vm_kernel_address",
			  seL4_MessageInfo_get_label(info) == seL4_Fault_VMFault &&
			      seL4_GetMR(1) == 0xffffffff80200000ull,
			  1);
	(void)provoked(reads_high);
	conformance_equal("fault.vm_top", seL4_GetMR(1), 0x7ffffffff000ull);
}

/* ---- faults of capabilities ---- */

static void calls(struct worker *self)
{
	(void)seL4_Call(self->cap, seL4_MessageInfo_new(0, 0, 0, 0));
	went_on = 0xcafe;
}

static void sends(struct worker *self)
{
	seL4_Send(self->cap, seL4_MessageInfo_new(0, 0, 0, 0));
	went_on = 0xcafe;
}

static void sends_not_blocking(struct worker *self)
{
	seL4_NBSend(self->cap, seL4_MessageInfo_new(0, 0, 0, 0));
	went_on = 0xcafe;
}

static void waits(struct worker *self)
{
	(void)seL4_Wait(self->cap, &self->badge);
	went_on = 0xcafe;
}

static void polls(struct worker *self)
{
	(void)seL4_NBWait(self->cap, &self->badge);
	went_on = 0xcafe;
}

static void cap_faults(void)
{
	const seL4_Word guard_bits = 64 - runtime_bootinfo()->initThreadCNodeSizeBits;
	seL4_MessageInfo_t info;
	seL4_Word badge;

	w->cap = BEYOND;
	info = provoked(calls);
	conformance_equal("fault.cap_label", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	conformance_equal("fault.cap_length", seL4_MessageInfo_get_length(info), 7);
	conformance_equal("fault.cap_ip", faulting_code(seL4_GetMR(0)), 0x050f);
	conformance_equal("fault.cap_address", seL4_GetMR(1), BEYOND);
	conformance_equal("fault.cap_sending", seL4_GetMR(2), 0);
	conformance_equal("fault.cap_lookup", seL4_GetMR(3), seL4_GuardMismatch);
	conformance_equal("fault.cap_bits_left", seL4_GetMR(4), 64);
	conformance_equal("fault.cap_guard", seL4_GetMR(5), 0);
	conformance_equal("fault.cap_guard_bits", seL4_GetMR(6), guard_bits);
	for (seL4_Word label = 0; label < 2; label++) {
		answer(label, 0);
		conformance_equal(conformance_name("fault.cap_restarts", label),
				  seL4_MessageInfo_get_label(seL4_NBRecv(handler, &badge, reply)),
				  seL4_Fault_CapFault);
		conformance_equal(conformance_name("fault.cap_did_not_go_on", label), went_on, 0);
	}
	info = provoked(sends);
	conformance_equal("fault.cap_send", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	badge = 9;
	info = provoked(sends_not_blocking);
	conformance_equal("fault.cap_nbsend_is_dropped", w->done == 1 && went_on == 0xcafe, 1);
	info = provoked(waits);
	conformance_equal("fault.cap_wait", seL4_MessageInfo_get_label(info), seL4_Fault_CapFault);
	conformance_equal("fault.cap_wait_receiving", seL4_GetMR(2), 1);
	conformance_equal("fault.cap_wait_lookup", seL4_GetMR(3), seL4_GuardMismatch);
	info = provoked(polls);
	conformance_equal("fault.cap_poll",
			  seL4_MessageInfo_get_label(info) == seL4_Fault_CapFault && seL4_GetMR(2) == 1, 1);
	/* found, but not to be received from */
	w->cap = 0;
	info = provoked(waits);
	conformance_equal("fault.cap_null_length", seL4_MessageInfo_get_length(info), 5);
	conformance_equal("fault.cap_null_lookup", seL4_GetMR(3), seL4_MissingCapability);
	conformance_equal("fault.cap_null_bits_left", seL4_GetMR(4), 0);
	w->cap = SELF;
	info = provoked(waits);
	conformance_equal("fault.cap_wrong_kind",
			  seL4_MessageInfo_get_label(info) == seL4_Fault_CapFault && seL4_GetMR(1) == SELF,
			  1);
	/* a null capability is found, too, when it is sent to: nothing happens, a call is answered */
	w->cap = 0;
	(void)provoked(sends);
	conformance_equal("fault.send_to_null", went_on, 0xcafe);
	(void)provoked(calls);
	conformance_equal("fault.call_to_null", went_on, 0xcafe);
}

/* Lookups that fail in other ways. */
static void lookups(void)
{
	seL4_CPtr cnode = object_new(seL4_CapTableObject, 5), inner = object_new(seL4_CapTableObject, 3);

	runtime_must(
	    seL4_CNode_Mint(cnode, 1, 5, ROOT, inner, DEPTH, seL4_AllRights, seL4_CNode_CapData_new(5, 4)),
	    "inner");
	runtime_must(seL4_TCB_SetSpace(w->thread.tcb, handler, cnode, seL4_CNode_CapData_new(0, 40), HERE, 0),
		     "a CSpace");
	w->cap = 1ull << 19 | 4ull << 15;
	(void)provoked(sends);
	conformance_equal("fault.lookup_inner_guard", seL4_GetMR(3), seL4_GuardMismatch);
	conformance_equal("fault.lookup_inner_guard_left", seL4_GetMR(4), 19);
	conformance_equal("fault.lookup_inner_guard_found", seL4_GetMR(5), 5);
	conformance_equal("fault.lookup_inner_guard_bits", seL4_GetMR(6), 4);
	/* too deep: a CNode of more bits than are left */
	runtime_must(seL4_CNode_Delete(cnode, 1, 5) |
			 seL4_CNode_Mint(cnode, 1, 5, ROOT, inner, DEPTH, seL4_AllRights,
					 seL4_CNode_CapData_new(0, 18)),
		     "inner");
	w->cap = 1ull << 19;
	(void)provoked(sends);
	conformance_equal("fault.lookup_depth", seL4_GetMR(3), seL4_DepthMismatch);
	conformance_equal("fault.lookup_depth_left", seL4_GetMR(4), 19);
	conformance_equal("fault.lookup_depth_found", seL4_GetMR(5), 21);
	runtime_must(seL4_TCB_SetSpace(w->thread.tcb, handler, ROOT, 0, HERE, 0), "the root CNode");
}

static void no_space(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), sc = object_new(seL4_SchedContextObject, 8);
	seL4_UserContext regs = {.rip = (seL4_Word)(uintptr_t)runtime_stop, .rsp = 0x1000, .rflags = 0x202};
	seL4_Word badge = 0;

	/* neither CSpace nor VSpace nor handler: it stops at its first instruction, and nothing else happens
	 */
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, sc, 10000,
						      10000, 0, 0, 0),
		     "a context");
	runtime_must(seL4_TCB_SetSchedParams(tcb, SELF, 100, 100, sc, 0), "parameters");
	conformance_ok("fault.no_space_starts", seL4_TCB_WriteRegisters(tcb, true, 0, 20, &regs));
	worker_settle();
	(void)seL4_NBRecv(handler, &badge, reply);
	conformance_equal("fault.no_space_no_handler", badge, 0);
	conformance_ok("fault.no_space_deleted", seL4_CNode_Delete(ROOT, tcb, DEPTH));
	/* with a handler: its fetch faults */
	tcb = object_new(seL4_TCBObject, 0);
	runtime_must(
	    seL4_TCB_SetSchedParams(tcb, SELF, 100, 100, sc, object_mint(handler, seL4_AllRights, 0x66)),
	    "parameters");
	runtime_must(seL4_TCB_WriteRegisters(tcb, true, 0, 20, &regs), "start");
	worker_settle();
	conformance_equal("fault.no_vspace", seL4_MessageInfo_get_label(seL4_NBRecv(handler, &badge, reply)),
			  seL4_Fault_VMFault);
	conformance_equal("fault.no_vspace_fetch", seL4_GetMR(2), 1);
	conformance_equal("fault.handler_badge", badge, 0x66);
	runtime_must(seL4_CNode_Delete(ROOT, tcb, DEPTH), "delete");
}

/* ---- handlers ---- */

static void handlers(void)
{
	struct worker *h = worker_new(WORKER_PRIORITY + 1, 0), *f = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0),
		  only_reply = object_mint(ep, seL4_CapRights_new(1, 0, 0, 1), 4);
	seL4_Word badge;

	/* a passive handler works on the time of who faulted */
	h->cap = ep;
	h->reply = object_new(seL4_ReplyObject, 0);
	worker_run(h, worker_recv);
	thread_make_passive(&h->thread);
	conformance_ok("fault.handler_with_grant_reply",
		       seL4_TCB_SetSpace(f->thread.tcb, only_reply, ROOT, 0, HERE, 0));
	worker_run(f, writes);
	conformance_equal("fault.passive_handler_runs",
			  h->done == 1 && h->label == seL4_Fault_VMFault && h->badge == 4, 1);
	conformance_ok("fault.handler_answers", conformance_raw(h->reply, 0, 0, 0));
	conformance_ok("fault.context_is_back", seL4_SchedContext_UnbindObject(f->thread.sc, f->thread.tcb));
	worker_end(h);
	worker_end(f);
	/* the handler's capability is kept by the thread: deleting the one that it was set from changes
	 * nothing */
	f = worker_new(WORKER_PRIORITY, 0);
	{
		seL4_CPtr badged = object_mint(handler, seL4_AllRights, 0x99);

		runtime_must(seL4_TCB_SetSpace(f->thread.tcb, badged, ROOT, 0, HERE, 0), "a handler");
		runtime_must(seL4_CNode_Delete(ROOT, badged, DEPTH), "delete");
		worker_run(f, writes);
		(void)seL4_NBRecv(handler, &badge, reply);
		conformance_equal("fault.handler_is_kept", badge, 0x99);
		/* a suspended thread's fault is forgotten: its answer goes nowhere */
		runtime_must(seL4_TCB_Suspend(f->thread.tcb), "suspend");
		answer(0, 0);
		badge = 0;
		(void)seL4_NBRecv(handler, &badge, reply);
		conformance_equal("fault.suspended_is_not_restarted", badge, 0);
		/* waiting to be received, with the endpoint's end it stops */
		conformance_ok("fault.resumed_faults_again", seL4_TCB_Resume(f->thread.tcb));
		worker_settle();
		(void)seL4_NBRecv(handler, &badge, reply);
		conformance_equal("fault.resumed_badge", badge, 0x99);
		/* and with revoked authority there is no handler */
		runtime_must(seL4_CNode_Revoke(ROOT, handler, DEPTH), "revoke");
		worker_run(f, writes);
		badge = 0;
		(void)seL4_NBRecv(handler, &badge, reply);
		conformance_equal("fault.revoked_handler", badge, 0);
	}
	worker_end(f);
}

void fault_cases(void)
{
	handler = object_new(seL4_EndpointObject, 0);
	reply = object_new(seL4_ReplyObject, 0);
	w = worker_new(WORKER_PRIORITY, handler);
	page_faults();
	cap_faults();
	lookups();
	no_space();
	handlers();
	worker_end(w);
}
