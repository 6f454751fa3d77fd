/* Signals, calls and donation across CPUs. */
#include "roottask/smp/smp.h"
#include "roottask/smp/smp_hw.h"

#define ROUNDS 300

static struct {
	seL4_CPtr endpoint, reply, there, back;
	volatile seL4_Word count, wrong;
} ipc;

static void echo(void *argument)
{
	seL4_Word badge;

	(void)argument;
	for (;;) {
		seL4_Wait(ipc.there, &badge);
		ipc.wrong += badge != 0x5a;
		ipc.count++;
		seL4_Signal(ipc.back);
	}
}

static void server(void *argument)
{
	seL4_Word badge;
	seL4_MessageInfo_t info;

	/* In one: whoever hears of it finds this thread waiting. */
	info = seL4_NBSendRecv(ipc.back, seL4_MessageInfo_new(0, 0, 0, 0), ipc.endpoint, &badge, ipc.reply);
	for (;;) {
		for (seL4_Word i = 0; i < seL4_MessageInfo_get_length(info); i++)
			seL4_SetMR((int)i, seL4_GetMR((int)i) + (seL4_Word)(uintptr_t)argument);
		ipc.count++;
		info = seL4_ReplyRecv(ipc.endpoint,
				      seL4_MessageInfo_new(0, 0, 0, seL4_MessageInfo_get_length(info)),
				      &badge, ipc.reply);
	}
}

/* Words that came back wrong. */
static seL4_Word calls(seL4_Word rounds, seL4_Word length)
{
	seL4_Word wrong = 0;

	for (seL4_Word r = 0; r < rounds; r++) {
		for (seL4_Word i = 0; i < length; i++)
			seL4_SetMR((int)i, r * 100 + i);
		seL4_Call(ipc.endpoint, seL4_MessageInfo_new(0, 0, 0, length));
		for (seL4_Word i = 0; i < length; i++)
			wrong += seL4_GetMR((int)i) != r * 100 + i + 7;
	}
	return wrong;
}

static struct {
	volatile seL4_Word wrong, ended;
} clients;

static void client(void *argument)
{
	seL4_Word wrong = calls((seL4_Word)(uintptr_t)argument, 6);

	__atomic_fetch_add(&clients.wrong, wrong, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&clients.ended, 1, __ATOMIC_SEQ_CST);
	seL4_Wait(ipc.there, 0);
}

static void signals(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	seL4_CPtr badged = object_mint(ipc.there, seL4_AllRights, 0x5a);

	ipc.count = ipc.wrong = 0;
	thread_run(&t, echo, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		seL4_Signal(badged);
		seL4_Wait(ipc.back, 0);
	}
	smp_case("signals there and back", ipc.count == ROUNDS && !ipc.wrong, "a signal is wrong or lost");
	smp_delete(t.tcb);
}

static void active_server(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	seL4_Word wrong;

	ipc.count = 0;
	thread_run(&t, server, (void *)7);
	seL4_Wait(ipc.back, 0);
	wrong = calls(ROUNDS, 1) + calls(ROUNDS, 12);
	smp_case("calls to a server of another CPU", !wrong && ipc.count == 2 * ROUNDS, "a message is wrong");
	smp_delete(t.tcb);
}

/* A server without a scheduling context runs on its caller's: on its caller's CPU. */
static void passive_server(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0), c[2];
	seL4_Word wrong;

	ipc.count = 0;
	clients.wrong = clients.ended = 0;
	thread_run(&t, server, (void *)7);
	seL4_Wait(ipc.back, 0);
	thread_make_passive(&t);
	wrong = calls(ROUNDS, 2);
	for (unsigned i = 0; i < 2; i++) {
		c[i] = smp_worker(1 + i, 1 + i, SMP_PRIORITY, 0);
		thread_run(&c[i], client, (void *)ROUNDS);
	}
	wrong += calls(ROUNDS, 5);
	smp_case("a passive server goes from CPU to CPU",
		 smp_wait_for(&clients.ended, 2) && !wrong && !clients.wrong && ipc.count == 4 * ROUNDS,
		 "a message is wrong");
	smp_delete(t.tcb);
	for (unsigned i = 0; i < 2; i++)
		smp_delete(c[i].tcb);
}

/* The server is taken away while it works for a caller: the caller's context comes back to it. */
static void dead_server(void *argument)
{
	seL4_Word badge;

	(void)argument;
	seL4_NBSendRecv(ipc.back, seL4_MessageInfo_new(0, 0, 0, 0), ipc.endpoint, &badge, ipc.reply);
	for (;;) {
		ipc.count++;
		hw_pause();
	}
}

static void deleted_reply(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0), c = smp_worker(1, 1, SMP_PRIORITY, 0);

	ipc.count = 0;
	thread_run(&t, dead_server, 0);
	seL4_Wait(ipc.back, 0);
	thread_make_passive(&t);
	thread_run(&c, client, (void *)1);
	smp_case("the server runs on the caller's budget", smp_wait_for(&ipc.count, 1), "it does not");
	smp_delete(ipc.reply);
	smp_case("a reply object's end takes the budget back", smp_still(&ipc.count),
		 "the server still runs");
	ipc.reply = object_new(seL4_ReplyObject, 0);
	smp_delete(t.tcb);
	smp_delete(c.tcb);
}

void ipc_cases(void)
{
	ipc.endpoint = object_new(seL4_EndpointObject, 0);
	ipc.reply = object_new(seL4_ReplyObject, 0);
	ipc.there = object_new(seL4_NotificationObject, 0);
	ipc.back = object_new(seL4_NotificationObject, 0);
	signals();
	active_server();
	passive_server();
	deleted_reply();
}
