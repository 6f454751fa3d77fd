/* What is measured. */
#include "roottask/lock_bench/lock_bench.h"

static void nothing(struct party *p, seL4_Word rounds)
{
	(void)p;
	for (seL4_Word i = 0; i < rounds; i++)
		__asm__ volatile("" : : : "memory");
}

/* ---- Call and ReplyRecv, to another address space ---- */

static void call(struct party *p, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++)
		seL4_Call(p->endpoint, seL4_MessageInfo_new(0, 0, 0, 0));
}

static void serve(void *argument)
{
	struct party *p = argument;
	seL4_Word badge;

	seL4_NBSendRecv(p->ready, seL4_MessageInfo_new(0, 0, 0, 0), p->endpoint, &badge, p->reply);
	for (;;)
		seL4_ReplyRecv(p->endpoint, seL4_MessageInfo_new(0, 0, 0, 0), &badge, p->reply);
}

/* ---- an invalid instruction, and the answer that leaves it out ---- */

static void fault(struct party *p, seL4_Word rounds)
{
	(void)p;
	for (seL4_Word i = 0; i < rounds; i++)
		__asm__ volatile("ud2" : : : "memory");
}

static void handle(void *argument)
{
	struct party *p = argument;
	seL4_Word badge;

	seL4_NBSendRecv(p->ready, seL4_MessageInfo_new(0, 0, 0, 0), p->endpoint, &badge, p->reply);
	for (;;) {
		seL4_SetMR(0, seL4_GetMR(0) + 2);
		seL4_ReplyRecv(p->endpoint, seL4_MessageInfo_new(0, 0, 0, 1), &badge, p->reply);
	}
}

/* ---- a signal, and the wait for the next; or there and back ---- */

static void signal(struct party *p, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++)
		seL4_Signal(p->there);
}

static void wait(void *argument)
{
	struct party *p = argument;

	seL4_Signal(p->ready);
	for (;;)
		seL4_Wait(p->there, 0);
}

static void signal_and_wait(struct party *p, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++) {
		seL4_Signal(p->there);
		seL4_Wait(p->back, 0);
	}
}

static void wait_and_signal(void *argument)
{
	struct party *p = argument;

	seL4_Signal(p->ready);
	for (;;) {
		seL4_Wait(p->there, 0);
		seL4_Signal(p->back);
	}
}

/* ---- memory and objects ---- */

static void map_in(struct party *p, seL4_CPtr space, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++) {
		runtime_must(seL4_X86_Page_Map(p->frame, space, p->vaddr, seL4_ReadWrite,
					       seL4_X86_Default_VMAttributes),
			     "map");
		runtime_must(seL4_X86_Page_Unmap(p->frame), "unmap");
	}
}

static void map(struct party *p, seL4_Word rounds)
{
	map_in(p, p->space, rounds);
}

/* In a space in which all other CPUs run: they have to be told of each unmap. */
static void map_shared(struct party *p, seL4_Word rounds)
{
	static volatile seL4_Word computing, over;

	if (p->cpu) {
		__atomic_fetch_add(&computing, 1, __ATOMIC_SEQ_CST);
		while (!over)
			__asm__ volatile("pause" : : : "memory");
		__atomic_fetch_sub(&computing, 1, __ATOMIC_SEQ_CST);
		return;
	}
	while (computing < cpus - 1)
		__asm__ volatile("pause" : : : "memory");
	map_in(p, seL4_CapInitThreadVSpace, rounds);
	over = 1;
	while (computing)
		__asm__ volatile("pause" : : : "memory");
	over = 0;
}

static void retype(struct party *p, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++) {
		runtime_must(seL4_Untyped_Retype(p->untyped, seL4_NotificationObject, 0,
						 seL4_CapInitThreadCNode, 0, 0, p->slot, 1),
			     "retype");
		runtime_must(seL4_CNode_Delete(seL4_CapInitThreadCNode, p->slot, seL4_WordBits), "delete");
	}
}

const struct operation operations[] = {
    {.name = "nothing", .caller = nothing},
    {.name = "call_reply", .caller = call, .other = serve, .passive = 1},
    {.name = "signal", .caller = signal, .other = wait, .other_above = 1},
    {.name = "signal_cross", .caller = signal_and_wait, .other = wait_and_signal, .other_next = 1},
    {.name = "fault", .caller = fault, .other = handle, .passive = 1, .faults = 1},
    {.name = "map", .caller = map, .own_space = 1},
    {.name = "map_shared", .caller = map_shared, .first_only = 1},
    {.name = "retype", .caller = retype},
    {.name = "vmexit", .caller = guest_caller_page, .vcpu = 1},
    {.name = "vmexit_own", .caller = guest_caller_own, .vcpu = 1},
    {.name = "vmexit_message", .caller = guest_caller_message, .vcpu = 2},
};
const unsigned operation_count = sizeof(operations) / sizeof(operations[0]);
