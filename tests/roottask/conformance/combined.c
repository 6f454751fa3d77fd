/* ReplyRecv, NBSendRecv, NBSendWait: which half uses what, that the first never blocks, and what it refuses.
 */
#include "roottask/conformance/worker.h"

static seL4_CPtr target, source;
static struct worker *w, *r;

static void send_recv(struct worker *self)
{
	for (int i = 0; i < 5; i++)
		seL4_SetMR(i, self->word[i]);
	self->info =
	    seL4_NBSendRecv(self->cap, seL4_MessageInfo_new(self->label, 0, self->caps, self->length),
			    self->other, &self->badge, self->reply);
	self->label = seL4_MessageInfo_get_label(self->info);
	self->word[0] = seL4_GetMR(0);
}

static void send_wait(struct worker *self)
{
	for (int i = 0; i < 5; i++)
		seL4_SetMR(i, self->word[i]);
	self->info =
	    seL4_NBSendWait(self->cap, seL4_MessageInfo_new(self->label, 0, self->caps, self->length),
			    self->other, &self->badge);
	self->label = seL4_MessageInfo_get_label(self->info);
	self->word[0] = seL4_GetMR(0);
}

static void reply_recv(struct worker *self)
{
	self->info =
	    seL4_ReplyRecv(self->other, seL4_MessageInfo_new(self->label, 0, self->caps, self->length),
			   &self->badge, self->reply);
	self->label = seL4_MessageInfo_get_label(self->info);
	self->word[0] = seL4_GetMR(0);
}

static void set(seL4_CPtr cap)
{
	*w = (struct worker){.thread = w->thread,
			     .cap = cap,
			     .other = source,
			     .reply = w->reply,
			     .label = 5,
			     .length = 2,
			     .word = {11, 22}};
}

static void halves(const char *name, void (*work)(struct worker *))
{
	/* to a waiting receiver: it gets the message; the worker waits at the source */
	r->cap = target;
	worker_run(r, worker_recv);
	set(target);
	worker_run(w, work);
	conformance_equal(conformance_name2(name, "sends"),
			  r->done == 1 && r->label == 5 && r->length == 2 && r->sum == 33, 1);
	conformance_equal(conformance_name2(name, "waits"), w->done, 0);
	seL4_SetMR(0, 9);
	seL4_NBSend(object_mint(source, seL4_AllRights, 3), seL4_MessageInfo_new(6, 0, 0, 1));
	worker_settle();
	conformance_equal(conformance_name2(name, "receives"),
			  w->done == 1 && w->badge == 3 && w->label == 6 && w->word[0] == 9, 1);
	/* nobody waits: the message is dropped, the second half takes place all the same */
	set(target);
	worker_run(w, work);
	conformance_equal(conformance_name2(name, "does_not_block"), w->done, 0);
	seL4_NBSend(source, seL4_MessageInfo_new(6, 0, 0, 0));
	worker_settle();
	conformance_equal(conformance_name2(name, "receives_after_drop"), w->done, 1);
	{
		seL4_Word badge = 1;

		(void)seL4_NBRecv(target, &badge, object_new(seL4_ReplyObject, 0));
		conformance_equal(conformance_name2(name, "dropped"), badge, 0);
	}
	/* a capability that is not there: dropped as well */
	set(object_slot());
	worker_run(w, work);
	seL4_NBSend(source, seL4_MessageInfo_new(6, 0, 0, 0));
	worker_settle();
	conformance_equal(conformance_name2(name, "empty_slot"), w->done, 1);
	set(1ull << 50);
	worker_run(w, work);
	seL4_NBSend(source, seL4_MessageInfo_new(6, 0, 0, 0));
	worker_settle();
	conformance_equal(conformance_name2(name, "failed_lookup"), w->done, 1);
}

static void signals(const char *name, void (*work)(struct worker *))
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0);
	seL4_Word badge = 0;

	set(object_mint(n, seL4_AllRights, 0x40));
	worker_run(w, work);
	(void)seL4_Poll(n, &badge);
	conformance_equal(conformance_name2(name, "signals"), badge, 0x40);
	/* and the second half may wait for a notification */
	set(target);
	w->other = n;
	worker_run(w, work);
	conformance_equal(conformance_name2(name, "waits_for_notification"), w->done, 0);
	seL4_Signal(object_mint(n, seL4_AllRights, 0x80));
	worker_settle();
	conformance_equal(conformance_name2(name, "notified"), w->done == 1 && w->badge == 0x80, 1);
}

/* What might take away what the second half needs is refused; other objects are invoked. */
static void refused(const char *name, void (*work)(struct worker *))
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0), cnode = object_new(seL4_CapTableObject, 4),
		  ep = object_new(seL4_EndpointObject, 0);
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8), n = object_new(seL4_NotificationObject, 0), u,
		  slot = object_slot();

	/* a delete in a CNode */
	runtime_must(seL4_CNode_Copy(cnode, 1, 4, ROOT, ep, DEPTH, seL4_AllRights), "a copy");
	set(cnode);
	w->label = CNodeDelete;
	w->word[0] = 1;
	w->word[1] = 4;
	worker_run(w, work);
	conformance_ok(conformance_name2(name, "cnode_refused"),
		       seL4_CNode_Copy(ROOT, object_slot(), DEPTH, cnode, 1, 4, seL4_AllRights));
	/* an unbind of a scheduling context */
	runtime_must(seL4_SchedContext_Bind(sc, tcb), "bind");
	set(sc);
	w->label = SchedContextUnbind;
	w->length = 0;
	worker_run(w, work);
	conformance_ok(conformance_name2(name, "sched_context_refused"),
		       seL4_SchedContext_UnbindObject(sc, tcb));
	/* flags of a thread */
	set(tcb);
	w->label = TCBSetFlags;
	w->word[0] = 0;
	w->word[1] = 1;
	worker_run(w, work);
	conformance_equal(conformance_name2(name, "tcb_refused"), seL4_TCB_SetFlags(tcb, 0, 0).flags, 0);
	/* an Untyped is not among them */
	u = object_new(seL4_UntypedObject, 12);
	(void)n;
	(void)slot;
	set(u);
	w->label = UntypedRetype;
	w->length = 0;
	worker_run(w, work);
	seL4_NBSend(source, seL4_MessageInfo_new(6, 0, 0, 0));
	worker_settle();
	conformance_equal(conformance_name2(name, "goes_on_after_error"), w->done == 1 && w->label == 6, 1);
}

/* A frame's invocation by the first half: done, and nothing is answered. */
static void invoked(const char *name, void (*work)(struct worker *))
{
	const seL4_CPtr port = object_slot();

	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0xe100, 0xe10f, ROOT, port, DEPTH),
		     "ports");
	set(port);
	w->label = X86IOPortIn8;
	w->word[0] = 0xe100;
	worker_run(w, work);
	seL4_SetMR(0, 0x55);
	seL4_NBSend(source, seL4_MessageInfo_new(6, 0, 0, 1));
	worker_settle();
	conformance_equal(conformance_name2(name, "invocation_not_answered"),
			  w->done == 1 && w->word[0] == 0x55, 1);
	runtime_must(seL4_CNode_Delete(ROOT, port, DEPTH), "ports");
}

static void reply_halves(void)
{
	struct worker *caller = worker_new(WORKER_PRIORITY, 0);

	/* the reply object answers, and is used for the next call */
	*caller = (struct worker){.thread = caller->thread, .cap = source, .label = 1};
	*w = (struct worker){.thread = w->thread, .cap = source, .reply = w->reply, .other = source};
	worker_run(w, worker_recv);
	worker_run(caller, worker_call);
	conformance_equal("reply_recv.call_arrives", w->done == 1 && caller->done == 0, 1);
	w->label = 44;
	w->length = 0;
	worker_run(w, reply_recv);
	conformance_equal("reply_recv.answers", caller->done == 1 && caller->label == 44, 1);
	conformance_equal("reply_recv.waits", w->done, 0);
	worker_run(caller, worker_call);
	conformance_equal("reply_recv.next_call", w->done, 1);
	/* without a caller it only receives */
	worker_run(w, reply_recv);
	worker_run(w, reply_recv);
	conformance_equal("reply_recv.nobody_to_answer", w->done, 0);
	seL4_NBSend(source, seL4_MessageInfo_new(3, 0, 0, 0));
	worker_settle();
	conformance_equal("reply_recv.receives", w->done == 1 && w->label == 3, 1);
	worker_end(caller);
}

void combined_cases(void)
{
	target = object_new(seL4_EndpointObject, 0);
	source = object_new(seL4_EndpointObject, 0);
	w = worker_new(WORKER_PRIORITY, 0);
	r = worker_new(WORKER_PRIORITY, 0);
	w->reply = object_new(seL4_ReplyObject, 0);
	r->reply = object_new(seL4_ReplyObject, 0);
	halves("nbsend_recv", send_recv);
	halves("nbsend_wait", send_wait);
	signals("nbsend_recv", send_recv);
	signals("nbsend_wait", send_wait);
	refused("nbsend_recv", send_recv);
	refused("nbsend_wait", send_wait);
	invoked("nbsend_recv", send_recv);
	invoked("nbsend_wait", send_wait);
	reply_halves();
	worker_end(w);
	worker_end(r);
}
