/*
 * A second process: the same image mapped into a VSpace of its own, a thread that answers calls; what a call
 * costs; then all of it taken back by one revoke, again and again, with nothing lost.
 */
#include "hello.h"
#include "hello_hw.h"

#define RW     (seL4_RightRead | seL4_RightWrite)
#define ROUNDS 200u
#define DEPTH  64u /* guard and radix of the root CNode */

static volatile uint64_t process_endpoint, process_reply;
static uint8_t process_stack[4096] __attribute__((aligned(4096)));

/* In the other VSpace, where the same frames are mapped: answers m with m + 1, for ever. */
void process_thread(uint64_t endpoint)
{
	struct message m = {.badge = endpoint};

	hw_syscall(seL4_SysRecv, &m, process_reply);
	for (;;) {
		m.badge = endpoint;
		m.info = 1;
		m.mr[0]++;
		hw_syscall(seL4_SysReplyRecv, &m, process_reply);
	}
}

static void process_tables(uint64_t untyped, uint64_t space, uint64_t va)
{
	static const struct {
		uint64_t type, label;
	} levels[] = {{seL4_X86_PDPTObject, X86PDPTMap},
		      {seL4_X86_PageDirectoryObject, X86PageDirectoryMap},
		      {seL4_X86_PageTableObject, X86PageTableMap}};

	for (unsigned i = 0; i < 3; i++)
		hello_check(bare_call(hello_make_from(untyped, levels[i].type, 0), levels[i].label,
				      WORDS(va, 0), CAPS(space)) == 0,
			    "a table in the new space");
}

static uint64_t process_space(uint64_t untyped)
{
	uint64_t space = hello_make_from(untyped, seL4_X64_PML4Object, 0), va = 0x400000;

	hello_check(bare_call(seL4_CapInitThreadASIDPool, X86ASIDPoolAssign, NONE, CAPS(space)) == 0, "ASID");
	process_tables(untyped, space, va);
	for (uint64_t s = hello_bi->userImageFrames.start; s < hello_bi->userImageFrames.end;
	     s++, va += 4096) {
		uint64_t copy = hello_slot();

		hello_check(bare_call(seL4_CapInitThreadCNode, CNodeCopy, WORDS(copy, DEPTH, s, DEPTH, RW),
				      CAPS(seL4_CapInitThreadCNode)) == 0,
			    "copy of a frame");
		hello_check(bare_call(copy, X86PageMap, WORDS(va, RW, 0), CAPS(space)) == 0, "image page");
	}
	return space;
}

static void process_start(uint64_t untyped, uint64_t space)
{
	uint64_t tcb = hello_make_from(untyped, seL4_TCBObject, 0);
	uint64_t sc = hello_make_from(untyped, seL4_SchedContextObject, 8);
	uint64_t guard = 64 - hello_bi->initThreadCNodeSizeBits;

	process_endpoint = hello_make_from(untyped, seL4_EndpointObject, 0);
	process_reply = hello_make_from(untyped, seL4_ReplyObject, 0);
	hello_check(bare_call(tcb, TCBSetSpace, WORDS(guard, 0),
			      CAPS(seL4_CapNull, seL4_CapInitThreadCNode, space)) == 0,
		    "SetSpace");
	hello_check(bare_call(hello_bi->schedcontrol.start, SchedControlConfigureFlags,
			      WORDS(10000, 10000, 0, 0, 0), CAPS(sc)) == 0,
		    "ConfigureFlags");
	hello_check(bare_call(tcb, TCBSetPriority, WORDS(200), CAPS(seL4_CapInitThreadTCB)) == 0, "priority");
	hello_check(bare_call(sc, SchedContextBind, NONE, CAPS(tcb)) == 0, "bind");
	hello_check(bare_call(tcb, TCBWriteRegisters,
			      WORDS(1, 9, (uint64_t)(uintptr_t)process_thread_start,
				    (uint64_t)(uintptr_t)process_stack + sizeof(process_stack), 0x202, 0, 0,
				    0, 0, 0, process_endpoint),
			      NONE) == 0,
		    "WriteRegisters");
	/* From then on it runs on its callers' time: a passive server. */
	struct message m = {.badge = process_endpoint, .info = 1, .mr = {6}};
	hw_syscall(seL4_SysCall, &m, 0);
	hello_check(m.mr[0] == 7, "the process answers");
	hello_check(bare_call(sc, SchedContextUnbind, NONE, NONE) == 0, "unbind");
}

static uint64_t process_calls(unsigned n)
{
	struct message m = {.mr = {0}};
	uint64_t start = hw_rdtsc();

	for (unsigned i = 0; i < n; i++) {
		m.badge = process_endpoint;
		m.info = 1;
		hw_syscall(seL4_SysCall, &m, 0);
	}
	start = hw_rdtsc() - start;
	hello_check(m.mr[0] == n, "every call was answered once");
	return start / n;
}

void check_process(uint64_t untyped)
{
	uint64_t own = hello_make_from(untyped, seL4_UntypedObject, 18), first_slot = hello_slot(),
		 start = hw_rdtsc();

	for (unsigned i = 0; i < ROUNDS && !hello_failed; i++) {
		process_start(own, process_space(own));
		if (i == 0)
			bare_print("hello: call and reply between two address spaces: %d ticks\n",
				   process_calls(1000));
		hello_check(bare_call(seL4_CapInitThreadCNode, CNodeRevoke, WORDS(own, DEPTH), NONE) == 0,
			    "revoke");
		/* the copies of the image's frames are no children of `own` */
		for (uint64_t s = first_slot; s < hello_slot_next(); s++)
			bare_call(seL4_CapInitThreadCNode, CNodeDelete, WORDS(s, DEPTH), NONE);
		hello_slot_reset(first_slot);
	}
	bare_print("hello: a process made and destroyed %d times, %d ticks each\n", (uint64_t)ROUNDS,
		   (hw_rdtsc() - start) / ROUNDS);
}
