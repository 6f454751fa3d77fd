/*
 * Long operations, which are interrupted and go on: while one is under way, a thread of higher priority runs
 * in every few milliseconds, and finds a state that it can use.
 */
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

#define TABLE_BITS 12 /* slots of 32 bytes */
#define CROWD	   600

static seL4_CPtr table, filler;

static void fill(seL4_Word from, seL4_Word to)
{
	for (seL4_Word i = from; i < to; i++)
		runtime_must(
		    seL4_CNode_Mint(table, i, TABLE_BITS, ROOT, filler, DEPTH, seL4_AllRights, 1 + i % 7),
		    "fill");
}

/* ---- done by a worker, in the time that others leave ---- */

static void revokes(struct worker *w)
{
	w->error = seL4_CNode_Revoke(ROOT, w->cap, DEPTH);
}

static void deletes(struct worker *w)
{
	w->error = seL4_CNode_Delete(ROOT, w->cap, DEPTH);
}

static void cancels(struct worker *w)
{
	w->error = seL4_CNode_CancelBadgedSends(ROOT, w->cap, DEPTH);
}

static void retypes(struct worker *w)
{
	w->error = seL4_Untyped_Retype(w->cap, seL4_X86_LargePageObject, 0, ROOT, 0, 0, w->other, 2);
}

/* Runs for a twentieth of the time: every 200 us, whatever the worker does. */
static void ticks(struct worker *w)
{
	for (;;) {
		w->begun++;
		seL4_Yield();
	}
}

static struct worker *ticker_new(void)
{
	struct worker *t = worker_new(WORKER_PRIORITY + 50, 0);

	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, t->thread.sc,
						      30, 200, 0, 0, 0),
		     "a period");
	worker_start(t, ticks);
	return t;
}

static void interrupted(const char *name, struct worker *w, void (*work)(struct worker *))
{
	struct worker *ticker = ticker_new();

	worker_start(w, work);
	/* below the worker and the ticker; what the ticker leaves is the worker's, then ours */
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, 1), "a low priority");
	while (!w->done)
		;
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
	conformance_error(name, w->error, 0);
	worker_end(ticker);
}

static void revocation(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	fill(0, 1 << TABLE_BITS);
	w->cap = filler;
	interrupted("long.revoke", w, revokes);
	conformance_error3("long.revoke_took_first",
			   seL4_CNode_Copy(ROOT, object_slot(), DEPTH, table, 0, TABLE_BITS, seL4_AllRights),
			   seL4_FailedLookup, 1, seL4_MissingCapability, TABLE_BITS);
	conformance_error3("long.revoke_took_last",
			   seL4_CNode_Copy(ROOT, object_slot(), DEPTH, table, (1 << TABLE_BITS) - 1,
					   TABLE_BITS, seL4_AllRights),
			   seL4_FailedLookup, 1, seL4_MissingCapability, TABLE_BITS);
	conformance_equal("long.revoke_kept_itself", conformance_type(filler), 4);
	worker_end(w);
}

static void deletion(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	fill(0, 1 << TABLE_BITS);
	w->cap = table;
	interrupted("long.delete_cnode", w, deletes);
	conformance_equal("long.delete_cnode_gone", conformance_type(table), 0);
	worker_end(w);
}

static void clearing(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);
	seL4_CPtr u = conformance_untyped(22);

	w->cap = u;
	w->other = object_slot();
	(void)object_slot();
	interrupted("long.retype", w, retypes);
	conformance_equal("long.retype_made",
			  conformance_type(w->other) == 1 && conformance_type(w->other + 1) == 1, 1);
	conformance_ok("long.retype_revoke", seL4_CNode_Revoke(ROOT, u, DEPTH));
	conformance_ok("long.untyped_delete", seL4_CNode_Delete(ROOT, u, DEPTH));
	worker_end(w);
}

/* ---- crowds at an endpoint and a notification ---- */

static struct crowd {
	seL4_CPtr tcbs, first; /* their Untyped, their first capability */
} crowd;

extern const char long_thread[];

static seL4_CPtr crowd_sc;

/*
 * CROWD threads without a scheduling context of their own: each gets `crowd_sc` for its one step. They block
 * with the given system call on the capabilities in turn.
 */
static void crowd_gathers(const seL4_CPtr *caps, unsigned kinds, seL4_Word number, seL4_CPtr landed,
			  seL4_CPtr never)
{
	for (unsigned i = 0; i < CROWD; i++) {
		seL4_UserContext regs = {.rip = (seL4_Word)(uintptr_t)long_thread,
					 .rflags = 0x202,
					 .rdi = caps[i % kinds],
					 .rsi = 0,
					 .rdx = number,
					 .r12 = 0,
					 .r13 = never,
					 .r14 = landed};
		seL4_CPtr tcb = crowd.first + i;

		runtime_must(seL4_TCB_Configure(tcb, ROOT, 0, HERE, 0, 0, 0), "configure");
		runtime_must(seL4_TCB_SetPriority(tcb, SELF, 20 + i % 10), "priority");
		runtime_must(seL4_SchedContext_Bind(crowd_sc, tcb), "bind");
		runtime_must(seL4_TCB_WriteRegisters(tcb, true, 0, 18, &regs), "registers");
		worker_settle();
		runtime_must(seL4_SchedContext_Unbind(crowd_sc), "unbind");
	}
}

/* How many got through and signalled (or faulted: then they are silent), each given time once. */
static unsigned crowd_landed(seL4_CPtr landed)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		seL4_Word badge = 0;

		runtime_must(seL4_SchedContext_Bind(crowd_sc, crowd.first + i), "bind");
		worker_settle();
		(void)seL4_Poll(landed, &badge);
		n += badge != 0;
		runtime_must(seL4_SchedContext_Unbind(crowd_sc), "unbind");
	}
	return n;
}

static void crowd_make(void)
{
	crowd.tcbs = conformance_untyped(22);
	crowd.first = object_slot();
	for (unsigned i = 1; i < CROWD; i++)
		(void)object_slot();
	for (unsigned i = 0; i < CROWD; i += 200)
		runtime_must(
		    seL4_Untyped_Retype(crowd.tcbs, seL4_TCBObject, 0, ROOT, 0, 0, crowd.first + i, 200),
		    "threads");
}

static void crowds(void)
{
	seL4_CPtr landed = object_mint(object_new(seL4_NotificationObject, 0), seL4_AllRights, 1),
		  never = object_new(seL4_NotificationObject, 0);
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), n = object_new(seL4_NotificationObject, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	crowd_sc = object_new(seL4_SchedContextObject, 8);
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start, crowd_sc, 10000,
						      10000, 0, 0, 0),
		     "a context");
	crowd_make();
	{
		seL4_CPtr kinds[3] = {object_mint(ep, seL4_AllRights, 5), object_mint(ep, seL4_AllRights, 6),
				      object_mint(ep, seL4_AllRights, 7)};

		crowd_gathers(kinds, 3, (seL4_Word)seL4_SysSend, landed, never);
		/* those with badge 6 are cancelled, and send again with a capability that is gone: a null
		 * capability sends to nobody */
		w->cap = kinds[1];
		interrupted("long.cancel_badged", w, cancels);
		runtime_must(seL4_CNode_Delete(ROOT, kinds[1], DEPTH), "the badge");
		conformance_equal("long.cancel_badged_took_its_own", crowd_landed(landed), CROWD / 3);
	}
	w->cap = ep;
	runtime_must(seL4_CNode_Revoke(ROOT, ep, DEPTH), "the badges");
	interrupted("long.delete_endpoint", w, deletes);
	conformance_equal("long.delete_endpoint_gone", conformance_type(ep), 0);
	conformance_equal("long.delete_endpoint_restarts_the_rest", crowd_landed(landed), CROWD - CROWD / 3);

	for (unsigned i = 0; i < CROWD; i++)
		runtime_must(seL4_TCB_Suspend(crowd.first + i), "suspend");
	crowd_gathers(&n, 1, (seL4_Word)seL4_SysWait, landed, never);
	w->cap = n;
	interrupted("long.delete_notification", w, deletes);
	conformance_equal("long.delete_notification_gone", conformance_type(n), 0);
	w->cap = crowd.tcbs;
	interrupted("long.revoke_threads", w, revokes);
	conformance_equal("long.revoke_threads_gone",
			  conformance_type(crowd.first) | conformance_type(crowd.first + CROWD - 1), 0);
	worker_end(w);
}

void long_cases(void)
{
	table = object_new(seL4_CapTableObject, TABLE_BITS);
	filler = object_new(seL4_EndpointObject, 0);
	revocation();
	deletion();
	clearing();
	crowds();
}
