/*
 * A root task that measures what operations cost when there is much of everything, for bench/bench.py: `FLAT
 * name N=ticks` lines on the debug console, one for each size, and `BENCH name=ticks`; then `BENCH done`. On
 * the deterministic machine a tick is an instruction. A cost has the caller's own few instructions in it.
 */
#include "roottask/flat_bench/flat_bench.h"
#include "roottask/runtime/tsc_hw.h"
#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"

#define ROOT	    seL4_CapInitThreadCNode
#define SELF	    seL4_CapInitThreadTCB
#define ROUNDS	    200
#define TABLE_BITS  17
#define TABLE_SPARE ((1u << TABLE_BITS) - 1) /* a slot that no filling reaches */
#define SERVER_PRIO 200
#define CROWD_PRIO  50
#define SLICE	    100000 /* microseconds */

static seL4_CPtr table, parent, stranger;

/* Runs what is ready below this thread, until all of it waits. */
static void settle(void)
{
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, 1), "a low priority");
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
}

/* ---- capabilities ---- */

static void mint(seL4_CPtr source, seL4_Word slot)
{
	runtime_must(seL4_CNode_Mint(table, slot, TABLE_BITS, ROOT, source, seL4_WordBits, seL4_AllRights,
				     source == parent ? 1 + slot : 0),
		     "mint");
}

static seL4_Word mint_and_delete(seL4_CPtr source)
{
	seL4_Word start = tsc_read();

	for (unsigned i = 0; i < ROUNDS; i++) {
		mint(source, TABLE_SPARE);
		runtime_must(seL4_CNode_Delete(table, TABLE_SPARE, TABLE_BITS), "delete");
	}
	return (tsc_read() - start) / ROUNDS;
}

static seL4_Word revoke(void)
{
	seL4_Word start = tsc_read();

	runtime_must(seL4_CNode_Revoke(ROOT, parent, seL4_WordBits), "revoke");
	return tsc_read() - start;
}

static void capabilities(void)
{
	for (seL4_Word n = 10, made = 0; n <= 100000; n *= 10) {
		for (; made < n; made++)
			mint(parent, made);
		print("FLAT mint_delete_sibling %u=%u\n", n, mint_and_delete(parent));
		print("FLAT mint_delete_other %u=%u\n", n, mint_and_delete(stranger));
		print("FLAT revoke_each %u=%u\n", n, revoke() / n);
		made = 0;
	}
}

/* ---- threads and address spaces ---- */

static seL4_CPtr spare_context;

static seL4_CPtr context_new(void)
{
	seL4_CPtr sc = object_new(seL4_SchedContextObject, 8);

	runtime_must(
	    seL4_SchedControl_Configure(runtime_bootinfo()->schedcontrol.start, sc, SLICE, SLICE, 0, 0),
	    "configure a scheduling context");
	return sc;
}

static seL4_CPtr thread(seL4_CPtr vspace, seL4_Word priority, seL4_CPtr endpoint, seL4_CPtr reply,
			seL4_CPtr sc)
{
	seL4_UserContext regs = {
	    .rip = (seL4_Word)(uintptr_t)flat_thread, .rflags = 0x202, .rbx = endpoint, .r12 = reply};
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0);

	runtime_must(seL4_TCB_Configure(tcb, ROOT, 0, vspace, 0, 0, 0), "configure a TCB");
	runtime_must(seL4_TCB_SetSchedParams(tcb, SELF, seL4_MaxPrio, priority, sc, 0),
		     "scheduling parameters");
	runtime_must(seL4_TCB_WriteRegisters(tcb, true, 0, sizeof(regs) / sizeof(seL4_Word), &regs), "start");
	return tcb;
}

/* A passive server in that space; returns its endpoint. */
static seL4_CPtr server(seL4_CPtr vspace)
{
	seL4_CPtr endpoint = object_new(seL4_EndpointObject, 0);

	(void)thread(vspace, SERVER_PRIO, endpoint, object_new(seL4_ReplyObject, 0), spare_context);
	settle();
	runtime_must(seL4_SchedContext_Unbind(spare_context), "unbind");
	return endpoint;
}

/* A space that shows the servers' page and nothing else. */
static seL4_CPtr space(void)
{
	const seL4_Word at = (seL4_Word)(uintptr_t)flat_thread;
	seL4_CPtr pml4 = object_new(seL4_X64_PML4Object, 0);

	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, pml4), "assign an ASID");
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), pml4, at, 0), "map PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), pml4, at, 0),
		     "map PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), pml4, at, 0), "map PT");
	runtime_must(seL4_X86_Page_Map(object_copy(space_image_frame(flat_thread)), pml4, at, seL4_CanRead,
				       seL4_X86_Default_VMAttributes),
		     "map the servers' page");
	return pml4;
}

/* Calls to the endpoints in turn, each of them once before the clock starts. */
static seL4_Word calls(const seL4_CPtr *endpoints, unsigned n)
{
	seL4_Word start = 0;
	unsigned count = 2 * n > ROUNDS ? 2 * n : ROUNDS;

	for (unsigned i = 0; i < n + count; i++) {
		if (i == n)
			start = tsc_read();
		(void)seL4_Call(endpoints[i % n], seL4_MessageInfo_new(0, 0, 0, 0));
	}
	return (tsc_read() - start) / count;
}

static void address_spaces(void)
{
	static const unsigned sizes[] = {1, 10, 100, 200};
	static seL4_CPtr endpoints[200];
	unsigned made = 0;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (; made < sizes[i]; made++)
			endpoints[made] = server(space());
		print("FLAT call_spaces %u=%u\n", (seL4_Word)sizes[i], calls(endpoints, sizes[i]));
	}
}

static seL4_Word suspend_and_resume(seL4_CPtr tcb)
{
	seL4_Word start = tsc_read();

	for (unsigned i = 0; i < ROUNDS; i++) {
		runtime_must(seL4_TCB_Suspend(tcb), "suspend");
		runtime_must(seL4_TCB_Resume(tcb), "resume");
	}
	return (tsc_read() - start) / ROUNDS;
}

/* Ready threads, of one priority, that do not come to run. */
static void threads(void)
{
	seL4_CPtr endpoint = server(space()), first = 0;
	unsigned made = 0;

	for (unsigned n = 1; n <= 1000; n *= 10) {
		for (; made < n; made++) {
			seL4_CPtr tcb = thread(seL4_CapInitThreadVSpace, CROWD_PRIO, 0, 0, context_new());

			first = first ? first : tcb;
		}
		print("FLAT call_threads %u=%u\n", (seL4_Word)n, calls(&endpoint, 1));
		print("FLAT suspend_resume %u=%u\n", (seL4_Word)n, suspend_and_resume(first));
	}
}

/* ---- stretches with interrupts off ---- */

static seL4_Word delays_revoke(void)
{
	for (seL4_Word i = 0; i < 10000; i++)
		mint(parent, i);
	delay_start();
	(void)revoke();
	return delay_stop();
}

static seL4_Word delays_delete(void)
{
	for (seL4_Word i = 0; i < 10000; i++)
		mint(parent, i);
	delay_start();
	runtime_must(seL4_CNode_Delete(ROOT, table, seL4_WordBits), "delete a CNode");
	return delay_stop();
}

static seL4_Word delays_retype(void)
{
	delay_start();
	(void)object_new(seL4_X86_LargePageObject, 0);
	return delay_stop();
}

void roottask_main(void)
{
	table = object_new(seL4_CapTableObject, TABLE_BITS);
	parent = object_new(seL4_EndpointObject, 0);
	stranger = object_new(seL4_NotificationObject, 0);
	spare_context = context_new();
	capabilities();
	address_spaces();
	threads();
	delay_init();
	print("BENCH longest_idle=%u\n", (delay_start(), delay_idle(), delay_stop()));
	print("BENCH longest_retype=%u\n", delays_retype());
	print("BENCH longest_revoke=%u\n", delays_revoke());
	print("BENCH longest_delete=%u\n", delays_delete());
	print("BENCH done\n");
}
