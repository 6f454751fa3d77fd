/* Rights: what each of the sixteen masks leaves of an endpoint, notification, reply and frame, and that they
 * never grow; badges. */
#include "roottask/conformance/worker.h"

#define VA 0x48000000000ull

enum { WRITE = 1, READ = 2, GRANT = 4, GRANT_REPLY = 8 };

static seL4_CapRights_t rights_word(seL4_Word bits)
{
	return (seL4_CapRights_t){{bits}};
}

/* ---- endpoints ---- */

/* A worker waits; does what is sent through a capability with these rights arrive? */
static bool arrives(seL4_CPtr cap, struct worker *w)
{
	worker_run(w, worker_recv);
	seL4_NBSend(cap, seL4_MessageInfo_new(5, 0, 0, 0));
	worker_settle();
	return w->done == 1;
}

/* A worker calls through it, we answer: does the answer reach the worker, and did a capability come with the
 * call? */
static void calls(seL4_Word bits, seL4_CPtr cap, seL4_CPtr ep, struct worker *w)
{
	seL4_CPtr reply = object_new(seL4_ReplyObject, 0), slot = object_slot(),
		  gift = object_new(seL4_NotificationObject, 0);
	seL4_Word badge;
	seL4_MessageInfo_t info;

	seL4_SetCapReceivePath(ROOT, slot, DEPTH);
	w->cap = cap;
	w->other = gift;
	worker_run(w, worker_call);
	if (!(bits & WRITE)) {
		conformance_equal(conformance_name("rights.call_refused", bits),
				  w->done == 1 && w->label == seL4_InvalidCapability, 1);
		return;
	}
	info = seL4_NBRecv(ep, &badge, reply);
	conformance_equal(conformance_name("rights.call_arrives", bits), seL4_MessageInfo_get_label(info), 9);
	seL4_Send(reply, seL4_MessageInfo_new(3, 0, 0, 0));
	worker_settle();
	conformance_equal(conformance_name("rights.call_answered", bits), w->done,
			  bits & (GRANT | GRANT_REPLY) ? 1 : 0);
}

static void gift(struct worker *w)
{
	seL4_SetCap(0, w->other);
	seL4_Send(w->cap, seL4_MessageInfo_new(9, 0, 1, 0));
}

static void grants(seL4_Word bits, seL4_CPtr cap, seL4_CPtr ep, struct worker *w)
{
	seL4_CPtr slot = object_slot();
	seL4_Word badge;

	if (!(bits & WRITE))
		return;
	w->cap = cap;
	w->other = object_new(seL4_NotificationObject, 0);
	worker_run(w, gift);
	seL4_SetCapReceivePath(ROOT, slot, DEPTH);
	(void)seL4_NBRecv(ep, &badge, object_new(seL4_ReplyObject, 0));
	conformance_equal(conformance_name("rights.grant", bits), conformance_type(slot),
			  bits & GRANT ? 6 : 0);
}

/* Receiving without the right is a fault of capability in the receive phase. */
static void receives(seL4_Word bits, seL4_CPtr cap, struct worker *w, seL4_CPtr fault, const char *name)
{
	seL4_Word badge;
	seL4_MessageInfo_t info;

	w->cap = cap;
	w->reply = object_new(seL4_ReplyObject, 0);
	worker_run(w, worker_nbrecv);
	info = seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0));
	if (bits & READ)
		conformance_equal(conformance_name(name, bits), w->done, 1);
	else
		conformance_equal(conformance_name(name, bits),
				  seL4_MessageInfo_get_label(info) == seL4_Fault_CapFault &&
				      seL4_GetMR(1) == cap && seL4_GetMR(2) == 1 &&
				      seL4_GetMR(3) == seL4_MissingCapability,
				  1);
}

static void endpoints(void)
{
	seL4_CPtr fault = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault), *receiver = worker_new(WORKER_PRIORITY, 0);

	for (seL4_Word bits = 0; bits < 16; bits++) {
		seL4_CPtr ep = object_new(seL4_EndpointObject, 0),
			  cap = object_mint(ep, rights_word(bits), 0);

		receiver->cap = ep;
		receiver->reply = object_new(seL4_ReplyObject, 0);
		conformance_equal(conformance_name("rights.send", bits), arrives(cap, receiver),
				  bits & WRITE);
		(void)seL4_TCB_Suspend(receiver->thread.tcb);
		w->label = 9;
		w->length = w->caps = 0;
		calls(bits, cap, ep, w);
		grants(bits, cap, ep, w);
		receives(bits, cap, w, fault, "rights.receive");
	}
	worker_end(w);
	worker_end(receiver);
}

/* ---- they never grow ---- */

static void monotonic(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);
	struct worker *receiver = worker_new(WORKER_PRIORITY, 0);

	receiver->cap = ep;
	receiver->reply = object_new(seL4_ReplyObject, 0);
	for (seL4_Word bits = 0; bits < 16; bits++) {
		seL4_CPtr weak = object_mint(ep, rights_word(bits), 0),
			  again = object_mint(weak, seL4_AllRights, 0);

		conformance_equal(conformance_name("rights.copy_does_not_grow", bits),
				  arrives(again, receiver), bits & WRITE);
		(void)seL4_TCB_Suspend(receiver->thread.tcb);
	}
	/* bits that are no rights are not looked at */
	conformance_equal("rights.other_bits",
			  arrives(object_mint(ep, rights_word(~0ull << 4 | WRITE), 0), receiver), 1);
	worker_end(receiver);
}

/* ---- notifications ---- */

static void notifications(void)
{
	seL4_CPtr fault = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault);

	for (seL4_Word bits = 0; bits < 4; bits++) {
		seL4_CPtr n = object_new(seL4_NotificationObject, 0),
			  cap = object_mint(n, rights_word(bits), 3);
		seL4_Word badge = 77;

		conformance_error(conformance_name("rights.notification_call", bits),
				  conformance_raw(cap, 0, 0, 0), bits & WRITE ? 0 : seL4_InvalidCapability);
		(void)seL4_Poll(n, &badge);
		conformance_equal(conformance_name("rights.signal", bits), badge, bits & WRITE ? 3 : 0);
		receives(bits, cap, w, fault, "rights.notification_receive");
	}
	worker_end(w);
}

/* ---- frames ---- */

static volatile seL4_Word *const page = (volatile seL4_Word *)VA;

static void touch_read(struct worker *w)
{
	w->sum = *page;
}

static void touch_write(struct worker *w)
{
	w->sum = 1;
	*page = 0x77;
}

static bool faults(struct worker *w, void (*touch)(struct worker *), seL4_CPtr fault)
{
	seL4_Word badge;
	seL4_MessageInfo_t info;

	worker_run(w, touch);
	info = seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0));
	return !w->done && seL4_MessageInfo_get_label(info) == seL4_Fault_VMFault && seL4_GetMR(1) == VA;
}

static void frames(void)
{
	seL4_CPtr fault = object_new(seL4_EndpointObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, fault);

	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, VA, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, VA, 0),
		     "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, VA, 0), "PT");
	for (seL4_Word cap_bits = 0; cap_bits < 4; cap_bits++)
		for (seL4_Word bits = 0; bits < 4; bits++) {
			seL4_CPtr frame = object_mint(object_new(seL4_X86_4K, 0), rights_word(cap_bits), 0);
			const seL4_Word both = cap_bits & bits, name = cap_bits << 4 | bits;

			runtime_must(seL4_X86_Page_Map(frame, HERE, VA, rights_word(bits), 0), "a page");
			conformance_equal(conformance_name("rights.page_read_faults", name),
					  faults(w, touch_read, fault), !(both & READ));
			conformance_equal(conformance_name("rights.page_write_faults", name),
					  faults(w, touch_write, fault), both != (READ | WRITE));
			runtime_must(seL4_CNode_Delete(ROOT, frame, DEPTH), "delete");
		}
	worker_end(w);
}

/* ---- badges ---- */

static void badges(void)
{
	static const seL4_Word values[] = {1, 0x80000000, 0xffffffffull, 1ull << 63, ~0ull};
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), n = object_new(seL4_NotificationObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		seL4_Word badge = 0;

		w->cap = object_mint(ep, seL4_AllRights, values[i]);
		worker_run(w, worker_send);
		(void)seL4_NBRecv(ep, &badge, object_new(seL4_ReplyObject, 0));
		conformance_equal(conformance_name("badge.endpoint", i), badge, values[i]);
		seL4_Signal(object_mint(n, seL4_AllRights, values[i]));
		(void)seL4_Poll(n, &badge);
		conformance_equal(conformance_name("badge.notification", i), badge, values[i]);
	}
	worker_end(w);
}

void rights_cases(void)
{
	endpoints();
	monotonic();
	notifications();
	frames();
	badges();
}
