/* The threads that are measured. What they do between the time stamps' pairs costs nothing that counts. */
#include "roottask/ipc_bench/ipc_bench.h"
#include "roottask/ipc_bench/timed_hw.h"

#define PARTY_REGISTERS 4

static void party_done(const struct ipc_bench_run *run)
{
	seL4_Signal(run->done);
	for (;;)
		seL4_Wait(run->notification, 0);
}

/* ---- messages: word i of round n is n * 256 + i there, and 128 more on the way back ---- */

static seL4_Word party_word(seL4_Word round, seL4_Word i, seL4_Word back)
{
	return round << 8 | back << 7 | i;
}

static void party_fill(struct timed *t, const struct ipc_bench_run *run, seL4_Word round, seL4_Word back)
{
	t->tag = seL4_MessageInfo_new(round, 0, 0, run->length).words[0];
	for (seL4_Word i = 0; i < run->length; i++) {
		if (i < PARTY_REGISTERS)
			t->mr[i] = party_word(round, i, back);
		else
			seL4_SetMR((int)i, party_word(round, i, back));
	}
}

static void party_compare(const struct timed *t, struct ipc_bench_run *run, seL4_Word round, seL4_Word back)
{
	if (t->tag != seL4_MessageInfo_new(round, 0, 0, run->length).words[0])
		run->errors++;
	for (seL4_Word i = 0; i < run->length; i++) {
		seL4_Word word = i < PARTY_REGISTERS ? t->mr[i] : seL4_GetMR((int)i);

		if (word != party_word(round, i, back))
			run->errors++;
	}
}

void party_caller(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	/* one round more than is kept: a server stores a time stamp only when it is back from its receive */
	for (seL4_Word n = 0; n <= IPC_BENCH_ROUNDS; n++) {
		party_fill(&t, run, n, 0);
		t.cap = run->endpoint;
		timed_syscall(&t, (seL4_Word)seL4_SysCall, 0);
		party_compare(&t, run, n, 1);
		if (n < IPC_BENCH_ROUNDS) {
			run->caller_start[n] = t.start;
			run->caller_end[n] = t.end;
		}
	}
	party_done(run);
}

void party_server(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	t.tag = seL4_NBSendRecvWithMRs(run->ready, seL4_MessageInfo_new(0, 0, 0, 0), run->endpoint, &t.cap,
				       &t.mr[0], &t.mr[1], &t.mr[2], &t.mr[3], run->reply)
		    .words[0];
	for (seL4_Word n = 0;; n++) {
		party_compare(&t, run, n, 0);
		party_fill(&t, run, n, 1);
		t.cap = run->endpoint;
		timed_syscall(&t, (seL4_Word)seL4_SysReplyRecv, run->reply);
		if (n < IPC_BENCH_ROUNDS)
			run->other_start[n] = t.start;
		if (n + 1 < IPC_BENCH_ROUNDS)
			run->other_end[n + 1] = t.end;
	}
}

/* ---- faults ---- */

void party_faulter(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	for (seL4_Word n = 0; n <= IPC_BENCH_ROUNDS; n++) {
		timed_fault(&t, 0, 0);
		if (n < IPC_BENCH_ROUNDS) {
			run->caller_start[n] = t.start;
			run->caller_end[n] = t.end;
		}
	}
	party_done(run);
}

void party_handler(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	t.tag = seL4_NBSendRecvWithMRs(run->ready, seL4_MessageInfo_new(0, 0, 0, 0), run->endpoint, &t.cap,
				       &t.mr[0], &t.mr[1], &t.mr[2], &t.mr[3], run->reply)
		    .words[0];
	for (seL4_Word n = 0;; n++) {
		if (t.tag != seL4_MessageInfo_new(seL4_Fault_UserException, 0, 0, 5).words[0] || t.mr[3] != 6)
			run->errors++;
		t.mr[0] += TIMED_FAULT_BYTES;
		t.tag = seL4_MessageInfo_new(0, 0, 0, 1).words[0];
		t.cap = run->endpoint;
		timed_syscall(&t, (seL4_Word)seL4_SysReplyRecv, run->reply);
		if (n < IPC_BENCH_ROUNDS)
			run->other_start[n] = t.start;
		if (n + 1 < IPC_BENCH_ROUNDS)
			run->other_end[n + 1] = t.end;
	}
}

/* ---- signals ---- */

void party_signaller(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	for (seL4_Word n = 0; n <= IPC_BENCH_ROUNDS; n++) {
		t.cap = run->notification;
		t.tag = seL4_MessageInfo_new(0, 0, 0, 1).words[0];
		timed_syscall(&t, (seL4_Word)seL4_SysSend, 0);
		if (n < IPC_BENCH_ROUNDS) {
			run->caller_start[n] = t.start;
			run->caller_end[n] = t.end;
		}
	}
	seL4_Signal(run->done);
	for (;;)
		seL4_Yield();
}

void party_waiter(void *argument)
{
	struct ipc_bench_run *run = argument;
	struct timed t = {0};

	seL4_Signal(run->ready);
	for (seL4_Word n = 0;; n++) {
		t.cap = run->notification;
		t.tag = 0;
		timed_syscall(&t, (seL4_Word)seL4_SysWait, 0);
		if (n < IPC_BENCH_ROUNDS)
			run->other_end[n] = t.end;
		if (n > 0 && n <= IPC_BENCH_ROUNDS)
			run->other_start[n - 1] = t.start;
	}
}
