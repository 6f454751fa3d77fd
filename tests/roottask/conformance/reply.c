/* Reply objects and the scheduling contexts that travel with calls: passive servers, stacks of calls, and
 * what breaks them. */
#include "roottask/conformance/worker.h"

static seL4_CPtr endpoint(void)
{
	return object_new(seL4_EndpointObject, 0);
}

static seL4_CPtr reply_new(void)
{
	return object_new(seL4_ReplyObject, 0);
}

/* Which thread has this context? Told by UnbindObject, which is refused for any other; it is bound again. */
static bool holds(const struct worker *w, seL4_CPtr sc)
{
	if (seL4_SchedContext_UnbindObject(sc, w->thread.tcb) != seL4_NoError)
		return false;
	runtime_must(seL4_SchedContext_Bind(sc, w->thread.tcb), "bind again");
	return true;
}

/* A server without a context of its own, waiting. */
static struct worker *passive(seL4_Word priority, seL4_CPtr ep, void (*work)(struct worker *))
{
	struct worker *s = worker_new(priority, 0);

	s->cap = ep;
	s->reply = reply_new();
	worker_run(s, work);
	thread_make_passive(&s->thread);
	return s;
}

static struct worker *caller(seL4_Word priority, seL4_CPtr ep)
{
	struct worker *c = worker_new(priority, 0);

	c->cap = ep;
	c->label = 7;
	c->length = 2;
	c->word[0] = 10;
	c->word[1] = 20;
	return c;
}

/* ---- one call ---- */

static void one_call(void)
{
	seL4_CPtr ep = endpoint();
	struct worker *s = passive(WORKER_PRIORITY + 1, ep, worker_serve), *c = caller(WORKER_PRIORITY, ep);

	worker_run(c, worker_call);
	conformance_equal("reply.passive_server_answers",
			  c->done == 1 && c->label == 7 && c->word[0] == 11 && c->word[1] == 21, 1);
	conformance_equal("reply.context_came_back", holds(c, c->thread.sc), 1);
	conformance_equal("reply.server_is_passive_again", holds(s, c->thread.sc), 0);
	/* without a context a passive server does not even receive */
	{
		seL4_Word before = s->done;

		c->cap = ep;
		worker_run(c, worker_send);
		conformance_equal("reply.send_gives_no_context", s->done == before && c->done == 1, 1);
		runtime_must(seL4_SchedContext_Bind(s->thread.sc, s->thread.tcb), "bind");
		worker_settle();
		conformance_equal("reply.message_waited_for_a_context", s->done, before + 1);
	}
	worker_end(s);
	worker_end(c);
}

/* The server keeps a context of its own; the caller's stays with the caller. */
static void active_server(void)
{
	seL4_CPtr ep = endpoint();
	struct worker *s = worker_new(WORKER_PRIORITY, 0), *c = caller(WORKER_PRIORITY, ep);

	s->cap = ep;
	s->reply = reply_new();
	worker_run(s, worker_recv);
	worker_run(c, worker_call);
	conformance_equal("reply.active_server_receives", s->done == 1 && c->done == 0, 1);
	conformance_equal("reply.active_server_keeps_its_own", holds(s, s->thread.sc), 1);
	conformance_equal("reply.caller_keeps_its_own", holds(c, c->thread.sc), 1);
	seL4_Send(s->reply, seL4_MessageInfo_new(9, 0, 0, 0));
	worker_settle();
	conformance_equal("reply.answered_by_another", c->done == 1 && c->label == 9, 1);
	/* the object is free again: an answer to nobody is lost */
	seL4_Send(s->reply, seL4_MessageInfo_new(9, 0, 0, 0));
	conformance_ok("reply.answer_to_nobody", conformance_raw(s->reply, 9, 0, 0));
	worker_end(s);
	worker_end(c);
}

/* ---- a stack of calls ---- */

static void relay(struct worker *s)
{
	seL4_MessageInfo_t info = seL4_Recv(s->cap, &s->badge, s->reply);

	for (;;) {
		s->done++;
		info = seL4_Call(s->other, info);
		info = seL4_ReplyRecv(s->cap, info, &s->badge, s->reply);
	}
}

static void receive_and_stop(struct worker *s)
{
	(void)seL4_Recv(s->cap, &s->badge, s->reply);
	s->done++;
	(void)seL4_Wait(s->other, 0);
	seL4_SetMR(0, 77);
	s->info = seL4_ReplyRecv(s->cap, seL4_MessageInfo_new(5, 0, 0, 1), &s->badge, s->reply);
}

static void nested(void)
{
	seL4_CPtr outer = endpoint(), inner = endpoint();
	struct worker *back = passive(WORKER_PRIORITY + 2, inner, worker_serve),
		      *c = caller(WORKER_PRIORITY, outer), *front;

	front = worker_new(WORKER_PRIORITY + 1, 0);
	front->cap = outer;
	front->other = inner;
	front->reply = reply_new();
	worker_run(front, relay);
	thread_make_passive(&front->thread);
	for (unsigned i = 0; i < 3; i++) {
		c->cap = outer;
		c->word[0] = 10 * i;
		c->length = 1;
		worker_run(c, worker_call);
		conformance_equal(conformance_name("reply.nested", i),
				  c->done == 1 && c->word[0] == 10 * i + 1, 1);
	}
	conformance_equal("reply.nested_both_served", front->done == 3 && back->done == 3, 1);
	conformance_equal("reply.nested_context_came_back", holds(c, c->thread.sc), 1);
	worker_end(front);
	worker_end(back);
	worker_end(c);
}

/* caller -> front -> back, which waits: the context is with back. */
struct stack {
	struct worker *caller, *front, *back;
	seL4_CPtr outer, inner, go;
};

static struct stack stack_new(void)
{
	struct stack s = {
	    .outer = endpoint(), .inner = endpoint(), .go = object_new(seL4_NotificationObject, 0)};

	s.back = worker_new(WORKER_PRIORITY + 2, 0);
	s.back->cap = s.inner;
	s.back->other = s.go;
	s.back->reply = reply_new();
	worker_run(s.back, receive_and_stop);
	thread_make_passive(&s.back->thread);
	s.front = worker_new(WORKER_PRIORITY + 1, 0);
	s.front->cap = s.outer;
	s.front->other = s.inner;
	s.front->reply = reply_new();
	worker_run(s.front, relay);
	thread_make_passive(&s.front->thread);
	s.caller = caller(WORKER_PRIORITY, s.outer);
	worker_run(s.caller, worker_call);
	return s;
}

static void stack_end(struct stack *s)
{
	worker_end(s->back);
	worker_end(s->front);
	worker_end(s->caller);
}

static void stacks(void)
{
	struct stack s = stack_new();

	conformance_equal("stack.context_is_at_the_top", holds(s.back, s.caller->thread.sc), 1);
	conformance_equal("stack.not_below",
			  holds(s.front, s.caller->thread.sc) || holds(s.caller, s.caller->thread.sc), 0);
	worker_end(s.back);
	worker_end(s.front);
	worker_end(s.caller);

	/* answered from the top down, all the way */
	s = stack_new();
	seL4_Signal(s.go);
	worker_settle();
	conformance_equal("stack.answered", s.caller->done == 1 && s.caller->word[0] == 77, 1);
	conformance_equal("stack.context_is_home", holds(s.caller, s.caller->thread.sc), 1);
	stack_end(&s);

	/* the top's reply object goes: its caller stops without an answer, and has the context */
	s = stack_new();
	conformance_ok("stack.delete_top", seL4_CNode_Delete(ROOT, s.back->reply, DEPTH));
	conformance_equal("stack.delete_top_gives_back", holds(s.front, s.caller->thread.sc), 1);
	conformance_equal("stack.delete_top_takes_away", holds(s.back, s.caller->thread.sc), 0);
	worker_settle();
	conformance_equal("stack.delete_top_stops_the_middle", s.front->done == 1 && s.caller->done == 0, 1);
	stack_end(&s);

	/* the middle's goes: the answer from the top finds its way no further, the context stays with whom it
	 * is */
	s = stack_new();
	conformance_ok("stack.delete_middle", seL4_CNode_Delete(ROOT, s.front->reply, DEPTH));
	seL4_Signal(s.go);
	worker_settle();
	conformance_equal("stack.delete_middle_context", holds(s.front, s.caller->thread.sc), 1);
	conformance_equal("stack.delete_middle_caller_gets_nothing", s.caller->done, 0);
	stack_end(&s);

	/* the caller is stopped: the servers go on, the context does not come home */
	s = stack_new();
	conformance_ok("stack.suspend_caller", seL4_TCB_Suspend(s.caller->thread.tcb));
	seL4_Signal(s.go);
	worker_settle();
	conformance_equal("stack.suspended_caller_gets_nothing", s.caller->done, 0);
	conformance_equal("stack.suspended_caller_context_stays", holds(s.caller, s.caller->thread.sc), 0);
	stack_end(&s);

	/* the context goes: all stop; the answers still travel */
	s = stack_new();
	conformance_ok("stack.unbind", seL4_SchedContext_Unbind(s.caller->thread.sc));
	conformance_equal("stack.unbound_everywhere",
			  holds(s.back, s.caller->thread.sc) || holds(s.front, s.caller->thread.sc) ||
			      holds(s.caller, s.caller->thread.sc),
			  0);
	seL4_Signal(s.go);
	worker_settle();
	conformance_equal("stack.nobody_runs", s.caller->done, 0);
	stack_end(&s);

	/* the top thread is deleted */
	s = stack_new();
	conformance_ok("stack.delete_thread", seL4_CNode_Delete(ROOT, s.back->thread.tcb, DEPTH));
	conformance_ok("stack.delete_thread_frees_context",
		       seL4_SchedContext_Bind(s.caller->thread.sc, s.front->thread.tcb));
	stack_end(&s);
}

/* ---- reply objects in use ---- */

static void reuse(void)
{
	seL4_CPtr ep = endpoint(), other = endpoint(), r = reply_new();
	struct worker *a = worker_new(WORKER_PRIORITY, 0), *b = worker_new(WORKER_PRIORITY, 0),
		      *c = caller(WORKER_PRIORITY, ep);

	/* two receivers with one object: the first one's receive is cancelled */
	a->cap = ep;
	b->cap = other;
	a->reply = b->reply = r;
	worker_run(a, worker_recv);
	worker_run(b, worker_recv);
	seL4_NBSend(ep, seL4_MessageInfo_new(1, 0, 0, 0));
	worker_settle();
	conformance_equal("reply.taken_from_receiver", a->done, 0);
	seL4_NBSend(other, seL4_MessageInfo_new(1, 0, 0, 0));
	worker_settle();
	conformance_equal("reply.new_receiver_has_it", b->done, 1);
	/* a caller waits for it: its use by a receiver cancels the caller */
	a->cap = ep;
	worker_run(a, worker_recv);
	worker_run(c, worker_call);
	conformance_equal("reply.caller_waits", a->done == 1 && c->done == 0, 1);
	b->cap = other;
	worker_run(b, worker_recv);
	seL4_Send(r, seL4_MessageInfo_new(1, 0, 0, 0));
	worker_settle();
	conformance_equal("reply.taken_from_caller", c->done, 0);
	/* its deletion cancels a receive */
	conformance_ok("reply.delete_under_receiver", seL4_CNode_Delete(ROOT, r, DEPTH));
	seL4_NBSend(other, seL4_MessageInfo_new(1, 0, 0, 0));
	worker_settle();
	conformance_equal("reply.deleted_receiver_is_stopped", b->done, 0);
	worker_end(a);
	worker_end(b);
	worker_end(c);
}

static void without_object(void)
{
	seL4_CPtr ep = endpoint(), fault = endpoint();
	struct worker *s = worker_new(WORKER_PRIORITY, fault), *c = caller(WORKER_PRIORITY, ep);
	const struct {
		const char *name;
		seL4_CPtr cap;
	} bad[] = {{"null", 0}, {"empty", object_slot()}, {"endpoint", ep}, {"beyond", 1ull << 50}};
	seL4_Word badge;

	for (unsigned i = 0; i < 4; i++) {
		seL4_MessageInfo_t info;

		s->cap = ep;
		s->reply = bad[i].cap;
		worker_run(s, worker_recv);
		info = seL4_NBRecv(fault, &badge, reply_new());
		conformance_equal(conformance_name2("reply.recv_needs_object", bad[i].name),
				  seL4_MessageInfo_get_label(info) == seL4_Fault_CapFault &&
				      seL4_GetMR(1) == bad[i].cap && seL4_GetMR(2) == 1,
				  1);
	}
	/* Wait has no reply object: a caller that it receives is never answered */
	s->cap = ep;
	worker_run(s, worker_waits);
	worker_run(c, worker_call);
	conformance_equal("reply.wait_receives_a_call", s->done, 1);
	conformance_equal("reply.wait_leaves_caller_inactive", c->done, 0);
	conformance_ok("reply.inactive_caller_resumes", seL4_TCB_Resume(c->thread.tcb));
	s->reply = reply_new();
	worker_run(s, worker_recv);
	conformance_equal("reply.resumed_caller_calls_again", s->done == 1 && c->done == 0, 1);
	worker_end(s);
	worker_end(c);
}

/* The answer of a kernel object and its badge. */
static void kernel_answers(void)
{
	seL4_Word badge = 99;
	seL4_CPtr ep = endpoint();
	struct worker *c = caller(WORKER_PRIORITY, object_new(seL4_UntypedObject, 12));

	c->label = 0;
	c->length = 0;
	worker_run(c, worker_call);
	conformance_equal("reply.kernel_answers",
			  c->done == 1 && c->label == seL4_IllegalOperation && c->length == 0, 1);
	conformance_equal("reply.kernel_badge", worker_register(c, 8) != 99, 1);
	(void)badge;
	(void)ep;
	worker_end(c);
}

void reply_cases(void)
{
	one_call();
	active_server();
	nested();
	stacks();
	reuse();
	without_object();
	kernel_answers();
}
