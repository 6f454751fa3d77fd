/*
 * More than one node: threads follow the scheduling control that configured their context; signals, messages,
 * suspends, deletes and revokes from one node to another. On one node there is nothing to be done here.
 */
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

static seL4_CPtr control_of(unsigned node)
{
	return runtime_bootinfo()->schedcontrol.start + node;
}

static void move(const struct worker *w, unsigned node)
{
	runtime_must(seL4_SchedControl_ConfigureFlags(control_of(node), w->thread.sc, 10000, 10000, 0, 0, 0),
		     "a node");
}

static struct worker *on(unsigned node, void (*work)(struct worker *))
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	move(w, node);
	if (work)
		worker_start(w, work);
	return w;
}

static bool stands(const struct worker *w)
{
	seL4_Word before = w->begun, end = tsc_read() + 3000000;

	while (tsc_read() < end)
		;
	return w->begun == before;
}

/* Every node runs a thread, at the same time as this one. */
static void all_run(void)
{
	for (unsigned node = 1; node < conformance_nodes(); node++) {
		struct worker *w = on(node, worker_spin);

		conformance_equal(conformance_name("node.runs", node), worker_wait(&w->begun, 1000), 1);
		conformance_ok(conformance_name("node.suspend", node), seL4_TCB_Suspend(w->thread.tcb));
		conformance_equal(conformance_name("node.suspended_stands", node), stands(w), 1);
		conformance_ok(conformance_name("node.resume", node), seL4_TCB_Resume(w->thread.tcb));
		conformance_equal(conformance_name("node.resumed_runs", node),
				  worker_wait(&w->begun, w->begun + 1000), 1);
		worker_end(w);
		conformance_equal(conformance_name("node.deleted_stands", node), stands(w), 1);
	}
}

static void registers(unsigned node)
{
	struct worker *w = on(node, worker_spin);
	seL4_UserContext regs = {0};

	(void)worker_wait(&w->begun, 10);
	conformance_ok("node.read_registers", seL4_TCB_ReadRegisters(w->thread.tcb, false, 0, 20, &regs));
	conformance_case("node.registers", regs.rip >= 0x400000 && regs.rip < 0x800000 && regs.rsp > 0x400000,
			 "not in the image");
	conformance_equal("node.read_goes_on", worker_wait(&w->begun, w->begun + 1000), 1);
	conformance_ok("node.priority", seL4_TCB_SetPriority(w->thread.tcb, SELF, 50));
	conformance_equal("node.priority_goes_on", worker_wait(&w->begun, w->begun + 1000), 1);
	conformance_ok("node.flags", seL4_TCB_SetFlags(w->thread.tcb, 0, 1).error);
	conformance_ok("node.flags_back", seL4_TCB_SetFlags(w->thread.tcb, 1, 0).error);
	conformance_equal("node.flags_go_on", worker_wait(&w->begun, w->begun + 1000), 1);
	/* to other code, while it runs */
	worker_start(w, worker_spin);
	conformance_equal("node.rewritten_runs", worker_wait(&w->begun, 1000), 1);
	worker_end(w);
}

static void moves(void)
{
	struct worker *w = on(0, worker_spin);

	for (unsigned i = 0; i < 6; i++) {
		unsigned node = 1 + i % (conformance_nodes() - 1);

		move(w, node);
		conformance_equal(conformance_name("node.moved_runs", i),
				  worker_wait(&w->begun, w->begun + 1000), 1);
		move(w, 0);
		conformance_equal(conformance_name("node.moved_back_stands", i), stands(w), 1);
	}
	worker_end(w);
}

/* Signals and messages in both directions, many times, without one lost. */
static void pongs(struct worker *w)
{
	for (;;) {
		(void)seL4_Wait(w->cap, &w->badge);
		w->begun++;
		seL4_Signal(w->other);
	}
}

static void signals(unsigned node)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr to = object_new(seL4_NotificationObject, 0), back = object_new(seL4_NotificationObject, 0);

	w->cap = to;
	w->other = object_mint(back, seL4_AllRights, 1);
	move(w, node);
	worker_start(w, pongs);
	for (unsigned i = 0; i < 500; i++) {
		seL4_Word badge;

		seL4_Signal(to);
		(void)seL4_Wait(back, &badge);
	}
	conformance_equal("node.signals", w->begun, 501);
	worker_end(w);
}

static void messages(unsigned node)
{
	struct worker *s = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0);
	bool good = true;

	s->cap = ep;
	s->reply = object_new(seL4_ReplyObject, 0);
	move(s, node);
	worker_start(s, worker_serve);
	for (unsigned i = 0; i < 500; i++) {
		seL4_SetMR(0, i);
		seL4_SetMR(4, i * 3);
		(void)seL4_Call(ep, seL4_MessageInfo_new(1, 0, 0, 5));
		good = good && seL4_GetMR(0) == i + 1 && seL4_GetMR(4) == i * 3 + 1;
	}
	conformance_case("node.calls_to_an_active_server", good, "an answer is wrong");
	/* passive: it comes to the caller's node, and goes home for the next */
	while (seL4_SchedContext_UnbindObject(s->thread.sc, s->thread.tcb))
		;
	for (unsigned i = 0; i < 100; i++) {
		seL4_SetMR(0, i);
		(void)seL4_Call(ep, seL4_MessageInfo_new(1, 0, 0, 1));
		good = good && seL4_GetMR(0) == i + 1;
	}
	conformance_case("node.calls_to_a_passive_server", good, "an answer is wrong");
	{
		struct worker *c = worker_new(WORKER_PRIORITY, 0);

		move(c, node);
		*c = (struct worker){.thread = c->thread, .cap = ep, .label = 1, .length = 1, .word = {41}};
		worker_start(c, worker_call);
		conformance_equal("node.passive_server_goes_to_the_caller",
				  worker_wait(&c->done, 1) && c->word[0] == 42, 1);
		worker_end(c);
	}
	worker_end(s);
}

static void faults(unsigned node)
{
	seL4_CPtr handler = object_new(seL4_EndpointObject, 0), reply = object_new(seL4_ReplyObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, handler);
	seL4_Word badge;

	move(w, node);
	worker_start(w, (void (*)(struct worker *))0x60000000000ull);
	conformance_equal("node.fault_arrives", seL4_MessageInfo_get_label(seL4_Recv(handler, &badge, reply)),
			  seL4_Fault_VMFault);
	conformance_equal("node.fault_address", seL4_GetMR(1), 0x60000000000ull);
	worker_end(w);
}

/* A page that another node reads all the time is taken away: when the call returns it is not read any more.
 */
static void reads(struct worker *w)
{
	const volatile seL4_Word *page = (const volatile seL4_Word *)0x58000000000ull;

	for (;;) {
		w->sum = *page;
		w->begun++;
	}
}

static void shootdown(unsigned node)
{
	seL4_CPtr handler = object_new(seL4_EndpointObject, 0), reply = object_new(seL4_ReplyObject, 0),
		  frame = object_new(seL4_X86_4K, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, handler);
	const seL4_Word va = 0x58000000000ull;
	seL4_Word badge;

	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, va, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, va, 0),
		     "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, va, 0), "PT");
	move(w, node);
	for (unsigned i = 0; i < 8; i++) {
		runtime_must(seL4_X86_Page_Map(frame, HERE, va, seL4_ReadWrite, 0), "a page");
		worker_start(w, reads);
		(void)worker_wait(&w->begun, 100);
		conformance_ok(conformance_name("node.unmap", i), seL4_X86_Page_Unmap(frame));
		conformance_equal(conformance_name("node.unmapped_is_not_read", i), stands(w), 1);
		conformance_equal(conformance_name("node.unmapped_faults", i),
				  seL4_MessageInfo_get_label(seL4_Recv(handler, &badge, reply)),
				  seL4_Fault_VMFault);
	}
	worker_end(w);
}

/* Objects go while the other node uses them. */
static void ends(unsigned node)
{
	for (unsigned i = 0; i < 20; i++) {
		seL4_CPtr u = object_new(seL4_UntypedObject, 14), ep = object_slot(), n = object_slot();
		struct worker *w = worker_new(WORKER_PRIORITY, 0), *v = worker_new(WORKER_PRIORITY, 0);

		runtime_must(seL4_Untyped_Retype(u, seL4_EndpointObject, 0, ROOT, 0, 0, ep, 1),
			     "an endpoint");
		runtime_must(seL4_Untyped_Retype(u, seL4_NotificationObject, 0, ROOT, 0, 0, n, 1),
			     "a notification");
		w->cap = ep;
		v->cap = n;
		move(w, node);
		move(v, node);
		worker_start(w, i & 1 ? worker_send : worker_call);
		worker_start(v, worker_waits);
		if (seL4_CNode_Revoke(ROOT, u, DEPTH) || conformance_type(ep) || conformance_type(n)) {
			conformance_case("node.revoke_under_use", false, "left something");
			return;
		}
		worker_end(w);
		worker_end(v);
	}
	conformance_case("node.revoke_under_use", true, "");
}

void node_cases(void)
{
	unsigned last = conformance_nodes() - 1;

	if (last == 0)
		return;
	all_run();
	registers(last);
	moves();
	signals(last);
	messages(last);
	faults(last);
	shootdown(last);
	ends(last);
}
