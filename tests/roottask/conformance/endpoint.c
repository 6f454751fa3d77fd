/* Messages through endpoints: words, tags, order of senders and receivers, the two sides' buffers. */
#include "roottask/conformance/worker.h"

static seL4_CPtr ep, reply;
static struct worker *a, *b, *c;

static seL4_MessageInfo_t take(seL4_Word *badge)
{
	return seL4_NBRecv(ep, badge, reply);
}

/* ---- words ---- */

static void lengths(void)
{
	for (seL4_Word n = 0; n <= 127; n = n < 8 ? n + 1 : n < 116 ? n + 27 : n + 1) {
		seL4_Word want = n > 120 ? 120 : n, badge, sum = 0, expected = 0;
		seL4_MessageInfo_t info;

		*a = (struct worker){.thread = a->thread,
				     .cap = ep,
				     .label = n << 8 | 1,
				     .length = n,
				     .word = {10, 20, 30, 40, 50}};
		worker_run(a, worker_send);
		for (int i = 0; i < 120; i++)
			seL4_SetMR(i, 0xdead);
		info = take(&badge);
		for (seL4_Word i = 0; i < 120; i++) {
			sum += i < want ? seL4_GetMR((int)i) : 0;
			expected += i < want ? (i < 5 ? 10 * (i + 1) : i) : 0;
		}
		conformance_equal(conformance_name("endpoint.length", n), seL4_MessageInfo_get_length(info),
				  want);
		conformance_equal(conformance_name("endpoint.words", n), sum, expected);
		conformance_equal(conformance_name("endpoint.label", n), seL4_MessageInfo_get_label(info),
				  n << 8 | 1);
		if (want < 120)
			conformance_equal(conformance_name("endpoint.beyond", n),
					  seL4_GetMR((int)(want < 4 ? 5 : want)), 0xdead);
	}
}

static void tags(void)
{
	seL4_Word badge;
	seL4_MessageInfo_t info;

	a->cap = ep;
	a->label = 0xfffffffffffffull;
	a->length = 0;
	worker_run(a, worker_send);
	info = take(&badge);
	conformance_equal("endpoint.label_52_bits", seL4_MessageInfo_get_label(info), 0xfffffffffffffull);
	conformance_equal("endpoint.no_caps", seL4_MessageInfo_get_extraCaps(info), 0);
	conformance_equal("endpoint.nothing_unwrapped", seL4_MessageInfo_get_capsUnwrapped(info), 0);
	conformance_equal("endpoint.unbadged", badge, 0);
	/* what a receiver left in its own tag is not seen by anyone */
	badge = 99;
	info = take(&badge);
	conformance_equal("endpoint.empty_badge", badge, 0);
}

/* A receiver gets the words in its registers whichever of the two came first. */
static void receiver_first(void)
{
	seL4_CPtr badged;

	*a = (struct worker){.thread = a->thread, .cap = ep, .reply = object_new(seL4_ReplyObject, 0)};
	worker_run(a, worker_recv);
	conformance_equal("endpoint.receiver_waits", a->done, 0);
	badged = object_mint(ep, seL4_AllRights, 0x1234);
	for (int i = 0; i < 6; i++)
		seL4_SetMR(i, 100 + (seL4_Word)i);
	seL4_NBSend(badged, seL4_MessageInfo_new(7, 0, 0, 6));
	worker_settle();
	conformance_equal("endpoint.receiver_woken", a->done, 1);
	conformance_equal("endpoint.receiver_badge", a->badge, 0x1234);
	conformance_equal("endpoint.receiver_length", a->length, 6);
	conformance_equal("endpoint.receiver_label", a->label, 7);
	conformance_equal("endpoint.receiver_words", a->sum, 615);
	a->word[0] = 0;
	a->cap = ep;
	worker_run(a, worker_waits);
	seL4_Send(ep, seL4_MessageInfo_new(8, 0, 0, 1));
	worker_settle();
	conformance_equal("endpoint.wait_gets_a_message", a->done == 1 && a->label == 8 && a->word[0] == 100,
			  1);
}

/* ---- who is first ---- */

static void queue_up(void (*work)(struct worker *), seL4_Word pa, seL4_Word pb, seL4_Word pc)
{
	struct worker *all[] = {a, b, c};
	const seL4_Word priority[] = {pa, pb, pc};

	for (seL4_Word i = 0; i < 3; i++) {
		runtime_must(seL4_TCB_SetPriority(all[i]->thread.tcb, SELF, priority[i]), "a priority");
		all[i]->cap = ep;
		all[i]->label = i + 1;
		all[i]->length = 0;
		worker_run(all[i], work);
	}
}

static seL4_Word order_of_senders(void)
{
	seL4_Word order = 0, badge;

	for (unsigned i = 0; i < 3; i++)
		order = order * 10 + seL4_MessageInfo_get_label(take(&badge));
	worker_settle();
	return order;
}

static void senders(void)
{
	queue_up(worker_send, 100, 100, 100);
	conformance_equal("endpoint.senders_fifo", order_of_senders(), 123);
	queue_up(worker_send, 100, 101, 102);
	conformance_equal("endpoint.senders_by_priority", order_of_senders(), 321);
	queue_up(worker_send, 101, 102, 101);
	conformance_equal("endpoint.senders_mixed", order_of_senders(), 213);
	queue_up(worker_send, 101, 100, 100);
	runtime_must(seL4_TCB_SetPriority(c->thread.tcb, SELF, 150), "a priority");
	conformance_equal("endpoint.priority_of_a_sender_raised", order_of_senders(), 312);
	queue_up(worker_send, 102, 101, 100);
	runtime_must(seL4_TCB_SetPriority(a->thread.tcb, SELF, 99), "a priority");
	conformance_equal("endpoint.priority_of_a_sender_lowered", order_of_senders(), 231);
	queue_up(worker_send, 100, 100, 100);
	runtime_must(seL4_TCB_Suspend(b->thread.tcb), "suspend");
	{
		seL4_Word badge, order = seL4_MessageInfo_get_label(take(&badge)) * 10;

		order += seL4_MessageInfo_get_label(take(&badge));
		conformance_equal("endpoint.suspended_sender_leaves", order, 13);
	}
	queue_up(worker_send, 100, 100, 100);
	runtime_must(seL4_TCB_Suspend(a->thread.tcb) | seL4_TCB_Resume(a->thread.tcb), "restart");
	worker_settle();
	conformance_equal("endpoint.restarted_sender_is_last", order_of_senders(), 231);
}

static seL4_Word order_of_receivers(void)
{
	struct worker *all[] = {a, b, c};
	seL4_Word order = 0;

	for (unsigned i = 0; i < 3; i++) {
		seL4_Word before[] = {a->done, b->done, c->done};

		seL4_NBSend(ep, seL4_MessageInfo_new(1, 0, 0, 0));
		worker_settle();
		for (unsigned k = 0; k < 3; k++)
			if (all[k]->done != before[k])
				order = order * 10 + k + 1;
	}
	return order;
}

static void receivers(void)
{
	struct worker *all[] = {a, b, c};

	for (unsigned i = 0; i < 3; i++)
		all[i]->reply = object_new(seL4_ReplyObject, 0);
	queue_up(worker_recv, 100, 100, 100);
	conformance_equal("endpoint.receivers_fifo", order_of_receivers(), 123);
	queue_up(worker_recv, 100, 101, 102);
	conformance_equal("endpoint.receivers_by_priority", order_of_receivers(), 321);
	queue_up(worker_recv, 100, 100, 100);
	runtime_must(seL4_TCB_SetPriority(b->thread.tcb, SELF, 101), "a priority");
	conformance_equal("endpoint.priority_of_a_receiver_raised", order_of_receivers(), 213);
	queue_up(worker_waits, 100, 100, 101);
	conformance_equal("endpoint.waiters_too", order_of_receivers(), 312);
}

/* ---- not blocking ---- */

static void nonblocking(void)
{
	seL4_Word badge = 5;

	a->cap = ep;
	a->label = 3;
	worker_run(a, worker_nbsend);
	conformance_equal("endpoint.nbsend_goes_on", a->done, 1);
	(void)take(&badge);
	conformance_equal("endpoint.nbsend_is_lost", badge, 0);
	a->reply = object_new(seL4_ReplyObject, 0);
	a->badge = 77;
	worker_run(a, worker_nbrecv);
	conformance_equal("endpoint.nbrecv_goes_on", a->done == 1 && a->badge == 0, 1);
	a->badge = 77;
	worker_run(a, worker_nbwait);
	conformance_equal("endpoint.nbwait_goes_on", a->done == 1 && a->badge == 0, 1);
	worker_run(a, worker_send);
	conformance_equal("endpoint.send_blocks", a->done, 0);
	(void)take(&badge);
	worker_settle();
	conformance_equal("endpoint.send_goes_on_when_received", a->done, 1);
}

/* ---- buffers ---- */

#define BUFFER_VA 0x700000

static void buffers(void)
{
	struct worker *s = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr frame = object_copy(space_image_frame(s->thread.memory)),
		  readable = object_mint(frame, seL4_CanRead, 0);
	seL4_CPtr none = object_mint(frame, seL4_NoRights, 0);
	const seL4_Word address = (seL4_Word)(uintptr_t)&s->thread.memory->buffer;
	seL4_Word badge;

	*s = (struct worker){.thread = s->thread, .cap = ep, .length = 10, .word = {1, 2, 3, 4, 5}};
	/* the kernel's idea of the buffer is what counts, not where the user keeps it */
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, 0, 0), "no buffer");
	worker_run(s, worker_send);
	conformance_equal("buffer.none_sends_four_words", seL4_MessageInfo_get_length(take(&badge)), 4);
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, address, readable), "a buffer to read");
	worker_run(s, worker_send);
	conformance_equal("buffer.read_only_sends_all", seL4_MessageInfo_get_length(take(&badge)), 10);
	conformance_equal("buffer.read_only_sends_words", seL4_GetMR(4), 5);
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, address, none), "a buffer without rights");
	worker_run(s, worker_send);
	conformance_equal("buffer.no_rights_sends_four_words", seL4_MessageInfo_get_length(take(&badge)), 4);

	s->reply = object_new(seL4_ReplyObject, 0);
	worker_run(s, worker_recv);
	seL4_NBSend(ep, seL4_MessageInfo_new(0, 0, 0, 10));
	worker_settle();
	conformance_equal("buffer.no_rights_receives_four_words", s->length, 4);
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, address, readable), "a buffer to read");
	worker_run(s, worker_recv);
	seL4_NBSend(ep, seL4_MessageInfo_new(0, 0, 0, 10));
	worker_settle();
	conformance_equal("buffer.read_only_receives_four_words", s->length, 4);
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, address, frame), "a buffer");
	worker_run(s, worker_recv);
	seL4_NBSend(ep, seL4_MessageInfo_new(0, 0, 0, 10));
	worker_settle();
	conformance_equal("buffer.read_write_receives_all", s->length, 10);
	/* a frame that goes away takes the buffer with it */
	s->length = 10;
	runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, BUFFER_VA, object_new(seL4_X86_4K, 0)),
		     "another buffer");
	worker_run(s, worker_send);
	conformance_equal("buffer.another_frame", seL4_MessageInfo_get_length(take(&badge)), 10);
	conformance_equal("buffer.another_frame_words", seL4_GetMR(7), 0);
	{
		seL4_CPtr own = object_new(seL4_UntypedObject, 12), gone = object_slot();

		runtime_must(seL4_Untyped_Retype(own, seL4_X86_4K, 0, ROOT, 0, 0, gone, 1), "a frame");
		runtime_must(seL4_TCB_SetIPCBuffer(s->thread.tcb, BUFFER_VA, gone), "a frame to lose");
		conformance_ok("buffer.revoke_frame", seL4_CNode_Revoke(ROOT, own, DEPTH));
		s->length = 10;
		worker_run(s, worker_send);
		conformance_equal("buffer.revoked_sends_four_words",
				  seL4_MessageInfo_get_length(take(&badge)), 4);
	}
	worker_end(s);
}

/* ---- the end of an endpoint ---- */

static void ends(void)
{
	seL4_CPtr fault = object_new(seL4_EndpointObject, 0), dying = object_new(seL4_EndpointObject, 0);
	struct worker *s = worker_new(WORKER_PRIORITY, 0), *r = worker_new(WORKER_PRIORITY, fault);
	seL4_Word badge;
	seL4_MessageInfo_t info;

	s->cap = dying;
	s->label = s->length = 0;
	worker_run(s, worker_send);
	runtime_must(seL4_CNode_Delete(ROOT, dying, DEPTH), "the endpoint");
	worker_settle();
	conformance_equal("endpoint.deleted_under_sender", s->done, 1);

	dying = object_new(seL4_EndpointObject, 0);
	s->cap = dying;
	worker_run(s, worker_call);
	runtime_must(seL4_CNode_Delete(ROOT, dying, DEPTH), "the endpoint");
	worker_settle();
	conformance_equal("endpoint.deleted_under_caller",
			  s->done == 1 && s->label == seL4_InvalidCapability && s->word[0] == 0, 1);

	dying = object_new(seL4_EndpointObject, 0);
	r->cap = dying;
	r->reply = reply;
	worker_run(r, worker_recv);
	runtime_must(seL4_CNode_Delete(ROOT, dying, DEPTH), "the endpoint");
	worker_settle();
	info = seL4_NBRecv(fault, &badge, object_new(seL4_ReplyObject, 0));
	conformance_equal("endpoint.deleted_under_receiver", seL4_MessageInfo_get_label(info),
			  seL4_Fault_CapFault);
	conformance_equal("endpoint.deleted_under_receiver_phase", seL4_GetMR(2), 1);
	/* only its last capability's end is the endpoint's end */
	dying = object_new(seL4_EndpointObject, 0);
	s->cap = dying;
	worker_run(s, worker_send);
	{
		seL4_CPtr other = object_copy(dying);

		runtime_must(seL4_CNode_Delete(ROOT, dying, DEPTH), "one capability");
		worker_settle();
		conformance_equal("endpoint.sender_stays", s->done, 0);
		(void)seL4_NBRecv(other, &badge, reply);
		worker_settle();
		conformance_equal("endpoint.sender_goes_on", s->done, 1);
	}
	worker_end(s);
	worker_end(r);
}

static void cancelled(void)
{
	seL4_CPtr five = object_mint(ep, seL4_AllRights, 5), six = object_mint(ep, seL4_AllRights, 6);
	seL4_Word badge;

	a->cap = five;
	b->cap = six;
	c->cap = ep;
	a->label = b->label = c->label = a->length = b->length = c->length = 0;
	runtime_must(seL4_TCB_SetPriority(c->thread.tcb, SELF, WORKER_PRIORITY), "a priority");
	worker_run(a, worker_send);
	worker_run(b, worker_call);
	worker_run(c, worker_send);
	conformance_ok("cancel.waiting", seL4_CNode_CancelBadgedSends(ROOT, five, DEPTH));
	runtime_must(seL4_CNode_Delete(ROOT, five, DEPTH), "the badge");
	worker_settle();
	conformance_equal("cancel.its_own", a->done, 1);
	conformance_equal("cancel.not_others", b->done | c->done, 0);
	(void)take(&badge);
	conformance_equal("cancel.others_stay_in_order", badge, 6);
	(void)take(&badge);
	conformance_equal("cancel.others_stay", badge, 0);
	/* not deleted before it ran again, the capability sends again */
	five = object_mint(ep, seL4_AllRights, 5);
	a->cap = five;
	worker_run(a, worker_send);
	runtime_must(seL4_CNode_CancelBadgedSends(ROOT, five, DEPTH), "cancel");
	worker_settle();
	conformance_equal("cancel.sends_again", a->done, 0);
	(void)take(&badge);
	conformance_equal("cancel.sends_again_badge", badge, 5);
}

void endpoint_cases(void)
{
	ep = object_new(seL4_EndpointObject, 0);
	reply = object_new(seL4_ReplyObject, 0);
	a = worker_new(WORKER_PRIORITY, 0);
	b = worker_new(WORKER_PRIORITY, 0);
	c = worker_new(WORKER_PRIORITY, 0);
	lengths();
	tags();
	receiver_first();
	senders();
	receivers();
	nonblocking();
	cancelled();
	buffers();
	ends();
	worker_end(a);
	worker_end(b);
	worker_end(c);
}
