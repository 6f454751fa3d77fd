/* No CPU has a translation any more when unmap, revoke or delete return. */
#include "roottask/smp/smp.h"
#include "roottask/smp/smp_hw.h"

#define PAGE_AT 0x10000000ull
#define TIMES   20

static volatile seL4_Word reads;

static void reader(void *argument)
{
	volatile seL4_Word *page = argument;

	for (;;) {
		(void)*page;
		reads++;
		hw_pause();
	}
}

static struct {
	seL4_CPtr endpoint, reply;
	seL4_Bool answered;
} faults;

/* The worker's fault is there, at that address, and nothing was read after `at`. */
static int faulted(seL4_Word at)
{
	seL4_Word badge;
	seL4_MessageInfo_t info = seL4_Recv(faults.endpoint, &badge, faults.reply);

	return seL4_MessageInfo_get_label(info) == seL4_Fault_VMFault && seL4_GetMR(1) == PAGE_AT && reads <= at + 1;
}

/* The image's PD serves the first GiB. */
static void tables(void)
{
	seL4_CPtr space = seL4_CapInitThreadVSpace;

	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), space, PAGE_AT, 0), "PT");
}

static void map(seL4_CPtr frame)
{
	runtime_must(seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, PAGE_AT, seL4_ReadWrite, seL4_X86_Default_VMAttributes), "map");
}

static void unmap(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, faults.endpoint);
	seL4_CPtr frame = object_new(seL4_X86_4K, 0), copy;
	int unmapped = 1, revoked = 1;

	reads = 0;
	map(frame);
	thread_run(&t, reader, (void *)PAGE_AT);
	for (unsigned i = 0; i < smp_times(TIMES); i++) {
		seL4_Word at = reads;

		if (!smp_wait_for(&reads, at + 1))
			break;
		smp_spin(i * 7);
		runtime_must(seL4_X86_Page_Unmap(frame), "unmap");
		at = reads;
		unmapped = unmapped && faulted(at);
		map(frame);
		seL4_Send(faults.reply, seL4_MessageInfo_new(0, 0, 0, 0));
	}
	smp_case("a page is unmapped under a running thread", unmapped, "it was read afterwards");
	runtime_must(seL4_X86_Page_Unmap(frame), "unmap");
	faulted(~0ull >> 1);
	for (unsigned i = 0; i < smp_times(TIMES); i++) {
		seL4_Word at;

		copy = object_copy(frame);
		map(copy);
		seL4_Send(faults.reply, seL4_MessageInfo_new(0, 0, 0, 0));
		at = reads;
		if (!smp_wait_for(&reads, at + 1))
			break;
		smp_spin(i * 7);
		runtime_must(seL4_CNode_Revoke(seL4_CapInitThreadCNode, frame, seL4_WordBits), "revoke");
		at = reads;
		revoked = revoked && faulted(at);
	}
	smp_case("a page is revoked under a running thread", revoked, "it was read afterwards");
	smp_delete(t.tcb);
}

/* Everything that a running thread of another CPU is made of goes at once: its Untyped is revoked. */
static struct thread_memory victim_memory;
static volatile seL4_Word victim_count;

static void victim(void *argument)
{
	hw_count(argument);
}

static seL4_CPtr child(seL4_CPtr untyped, seL4_Word type, seL4_Word bits)
{
	seL4_CPtr slot = object_slot();

	runtime_must(seL4_Untyped_Retype(untyped, type, bits, seL4_CapInitThreadCNode, 0, 0, slot, 1), "retype of a child");
	return slot;
}

static void revoke_all(void)
{
	seL4_CPtr untyped = object_new(seL4_UntypedObject, 16);
	int gone = 1, ran = 1;

	for (unsigned i = 0; i < smp_times(10); i++) {
		struct thread t = {child(untyped, seL4_TCBObject, 0), child(untyped, seL4_SchedContextObject, 8), &victim_memory};

		victim_count = 0;
		smp_move(&t, 1);
		runtime_must(seL4_TCB_Configure(t.tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0,
						(seL4_Word)(uintptr_t)&victim_memory.buffer, space_image_frame(&victim_memory)),
			     "configure");
		runtime_must(seL4_TCB_SetSchedParams(t.tcb, seL4_CapInitThreadTCB, 255, SMP_PRIORITY, t.sc, 0), "parameters");
		thread_run(&t, victim, (void *)(uintptr_t)&victim_count);
		ran = ran && smp_wait_for(&victim_count, 1);
		runtime_must(seL4_CNode_Revoke(seL4_CapInitThreadCNode, untyped, seL4_WordBits), "revoke");
		gone = gone && smp_still(&victim_count);
	}
	smp_case("a running thread's memory is revoked", ran && gone, "it still runs");
}

/* An address space is taken away from the threads that run in it. */
static void space_gone(void)
{
	seL4_CPtr space = space_new();
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, faults.endpoint);
	seL4_Word badge;
	int faulted_once;

	runtime_must(seL4_TCB_SetSpace(t.tcb, faults.endpoint, seL4_CapInitThreadCNode, 0, space, 0), "set space");
	victim_count = 0;
	thread_run(&t, victim, (void *)(uintptr_t)&victim_count);
	smp_wait_for(&victim_count, 1);
	runtime_must(seL4_CNode_Revoke(seL4_CapInitThreadCNode, space, seL4_WordBits), "revoke the copies");
	smp_delete(space);
	faulted_once = seL4_MessageInfo_get_label(seL4_Recv(faults.endpoint, &badge, faults.reply)) == seL4_Fault_VMFault;
	smp_case("an address space is deleted under a running thread", faulted_once && smp_still(&victim_count), "it still runs");
	smp_delete(t.tcb);
}

void memory_cases(void)
{
	faults.endpoint = object_new(seL4_EndpointObject, 0);
	faults.reply = object_new(seL4_ReplyObject, 0);
	tables();
	unmap();
	revoke_all();
	space_gone();
}
