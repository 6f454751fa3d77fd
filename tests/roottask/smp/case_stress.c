/* Wake-ups by the thousand, with everything else going on: not one is lost. */
#include "roottask/smp/smp.h"
#include "roottask/smp/smp_hw.h"

#define PAIRS	    2
#define LONG_COPIES 600

static struct pair {
	seL4_CPtr there, back, endpoint, reply;
	volatile seL4_Word pings, pongs;
} pairs[PAIRS];

static seL4_CPtr done;

static void ping(void *argument)
{
	struct pair *p = argument;

	for (seL4_Word i = 0; i < smp_rounds; i++) {
		seL4_Signal(p->there);
		seL4_Wait(p->back, 0);
		seL4_SetMR(0, i);
		seL4_Call(p->endpoint, seL4_MessageInfo_new(0, 0, 0, 1));
		if (seL4_GetMR(0) != i + 1)
			break;
		p->pings++;
	}
	seL4_Signal(done);
	seL4_Wait(p->back, 0);
}

static void pong(void *argument)
{
	struct pair *p = argument;
	seL4_Word badge;

	for (;;) {
		seL4_Wait(p->there, 0);
		seL4_Signal(p->back);
		seL4_Recv(p->endpoint, &badge, p->reply);
		seL4_SetMR(0, seL4_GetMR(0) + 1);
		p->pongs++;
		seL4_Send(p->reply, seL4_MessageInfo_new(0, 0, 0, 1));
	}
}

static seL4_Word random_word(void)
{
	static seL4_Word x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static struct thread pair_threads[PAIRS][2];

static void pairs_begin(void)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		struct pair *p = &pairs[i];

		p->there = object_new(seL4_NotificationObject, 0);
		p->back = object_new(seL4_NotificationObject, 0);
		p->endpoint = object_new(seL4_EndpointObject, 0);
		p->reply = object_new(seL4_ReplyObject, 0);
		p->pings = p->pongs = 0;
		pair_threads[i][0] = smp_worker(2 * i, i, SMP_PRIORITY + i, 0);
		pair_threads[i][1] = smp_worker(2 * i + 1, i + 1, SMP_PRIORITY + 1 - i, 0);
		thread_run(&pair_threads[i][1], pong, p);
		thread_run(&pair_threads[i][0], ping, p);
	}
}

static int pairs_end(void)
{
	int good = 1;

	for (unsigned i = 0; i < PAIRS; i++) {
		good = good && pairs[i].pings == smp_rounds && pairs[i].pongs == smp_rounds;
		smp_delete(pair_threads[i][0].tcb);
		smp_delete(pair_threads[i][1].tcb);
	}
	return good;
}

/* All four come to their end. With `disturb`, they are moved, stopped, looked at and given other priorities meanwhile. */
static void ping_pong(const char *name, int disturb)
{
	int ended = 0;

	pairs_begin();
	while (!ended) {
		struct thread *t = &pair_threads[random_word() % PAIRS][random_word() % 2];
		seL4_UserContext r = {0};

		if (!disturb) {
			seL4_Wait(done, 0);
			smp_delay(1000);
			ended = pairs[0].pings == smp_rounds && pairs[1].pings == smp_rounds;
			continue;
		}
		switch (random_word() % 5) {
		case 0:
			smp_move(t, random_word() % smp_cpus);
			break;
		case 1: /* what it had begun it does again */
			runtime_must(seL4_TCB_ReadRegisters(t->tcb, 0, 0, 3, &r), "read registers");
			break;
		case 2:
			runtime_must(seL4_TCB_SetPriority(t->tcb, seL4_CapInitThreadTCB, SMP_PRIORITY + random_word() % 3), "priority");
			break;
		case 3:
			runtime_must(seL4_SchedContext_Unbind(t->sc), "unbind");
			while (seL4_SchedContext_Bind(t->sc, t->tcb) != seL4_NoError)
				smp_delay(100);
			break;
		default:
			break;
		}
		smp_delay(100 + random_word() % 400);
		ended = pairs[0].pings == smp_rounds && pairs[1].pings == smp_rounds;
	}
	smp_case(name, pairs_end(), "one is missing");
}

/* Long operations do not keep others out: a thread that only makes short calls goes on meanwhile. */
static volatile seL4_Word calls;

static void caller(void *argument)
{
	(void)argument;
	for (;;) {
		seL4_DebugCapIdentify(seL4_CapInitThreadTCB);
		calls++;
	}
}

/*
 * An emulator that runs one CPU after the other, a turn from one timer to the next, lets no other CPU come to the lock while an operation lasts:
 * there is nothing to be seen there.
 */
static void long_revoke(void)
{
	struct thread t;
	seL4_CPtr n, first;
	seL4_Word before, among = 0;

	if (smp_by_turns) {
		print("left out: a long revoke lets others in (the emulator runs one CPU after the other)\n");
		return;
	}
	t = smp_worker(0, 1, SMP_PRIORITY, 0);
	n = object_new(seL4_NotificationObject, 0);
	first = object_slot();
	for (unsigned i = 1; i < LONG_COPIES; i++)
		object_slot();
	calls = 0;
	thread_run(&t, caller, 0);
	smp_wait_for(&calls, 1);
	/* A busy host may not run the other CPU while one revoke lasts; without being let in, it makes two calls at most, each time. */
	for (unsigned tries = 0; tries < 50 && among < 3; tries++) {
		for (unsigned i = 0; i < LONG_COPIES; i++)
			runtime_must(seL4_CNode_Copy(seL4_CapInitThreadCNode, first + i, seL4_WordBits, seL4_CapInitThreadCNode, n,
						     seL4_WordBits, seL4_AllRights),
				     "copy");
		before = calls;
		runtime_must(seL4_CNode_Revoke(seL4_CapInitThreadCNode, n, seL4_WordBits), "revoke");
		among = calls - before;
	}
	smp_case("a long revoke lets others in", smp_cpus == 1 || among >= 3, "it does not");
	smp_delete(t.tcb);
}

/*
 * One CPU only computes, and comes into the kernel once in a slice; the other makes calls. If the kernel let each find the other waiting before it,
 * there would be a call in a slice.
 */
static void computing(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	seL4_Word before;

	calls = 0;
	thread_run(&t, caller, 0);
	smp_wait_for(&calls, 1);
	before = calls;
	for (seL4_Word start = smp_tsc(); smp_tsc() - start < 40 * SMP_SLICE * smp_tsc_per_us;)
		; /* no PAUSE: an emulator takes that for a wish to let the other CPU run */
	smp_case("who computes lets others' calls in", smp_cpus == 1 || calls - before >= 40 * 50, "it does not");
	smp_delete(t.tcb);
}

void stress_cases(void)
{
	done = object_new(seL4_NotificationObject, 0);
	long_revoke();
	computing();
	ping_pong("wake-ups between CPUs", 0);
	ping_pong("wake-ups between threads that are moved and stopped", 1);
}
