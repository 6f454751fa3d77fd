/*
 * A root task that measures the kernel's communication paths, for bench/bench.py: `BENCH name=ticks` lines on
 * the debug console, then `BENCH done`. On the deterministic machine a tick is an instruction; from the one
 * that enters the kernel to the one that leaves it, both included. Uses seL4's ABI only.
 */
#include "roottask/ipc_bench/ipc_bench.h"
#include "roottask/ipc_bench/timed_hw.h"
#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define IPC_BENCH_PRIORITY  100
#define IPC_BENCH_SLICE	    100000 /* microseconds: the slice's end is no part of a measurement */
#define IPC_BENCH_REGISTERS 4

static struct ipc_bench_run ipc_bench_run;
static struct thread_memory ipc_bench_caller_memory, ipc_bench_other_memory;
static seL4_CPtr ipc_bench_caller_space, ipc_bench_other_space;
static seL4_Word ipc_bench_overhead;

struct ipc_bench_kind {
	void (*caller)(void *), (*other)(void *);
	seL4_Word other_priority;
	bool passive; /* the other one has no scheduling context of its own */
	bool fault;   /* the caller reaches the other one by faults */
	seL4_Word length;
};

struct ipc_bench_result {
	seL4_Word there, back; /* medians */
};

static seL4_Word ipc_bench_median(seL4_Word *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		seL4_Word x = v[i];
		unsigned j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	return v[n / 2];
}

/* Of the differences to - from without the first round's and the user's own instructions. `to` is
 * overwritten. */
static seL4_Word ipc_bench_ways(const seL4_Word *from, seL4_Word *to)
{
	for (unsigned i = 1; i < IPC_BENCH_ROUNDS; i++)
		to[i] -= from[i] + ipc_bench_overhead;
	return ipc_bench_median(to + 1, IPC_BENCH_ROUNDS - 1);
}

static void ipc_bench_calibrate(void)
{
	static seL4_Word v[IPC_BENCH_ROUNDS];
	struct timed t = {0};

	for (unsigned i = 0; i < IPC_BENCH_ROUNDS; i++) {
		timed_nothing(&t, 0, 0);
		v[i] = t.end - t.start;
	}
	ipc_bench_overhead = ipc_bench_median(v, IPC_BENCH_ROUNDS);
}

static struct ipc_bench_run *ipc_bench_new_run(seL4_Word length)
{
	struct ipc_bench_run *r = &ipc_bench_run;

	r->endpoint = object_new(seL4_EndpointObject, 0);
	r->reply = object_new(seL4_ReplyObject, 0);
	r->notification = object_new(seL4_NotificationObject, 0);
	r->ready = object_new(seL4_NotificationObject, 0);
	r->done = object_new(seL4_NotificationObject, 0);
	r->length = length;
	r->errors = 0;
	return r;
}

static struct ipc_bench_result ipc_bench_measure(const struct ipc_bench_kind *kind)
{
	struct ipc_bench_run *r = ipc_bench_new_run(kind->length);
	struct thread caller = thread_new(&ipc_bench_caller_memory, ipc_bench_caller_space,
					  IPC_BENCH_PRIORITY, IPC_BENCH_SLICE, kind->fault ? r->endpoint : 0);
	struct thread other = thread_new(&ipc_bench_other_memory, ipc_bench_other_space, kind->other_priority,
					 IPC_BENCH_SLICE, 0);

	/* this thread's priority is the highest: the others run while it waits */
	thread_run(&other, kind->other, r);
	seL4_Wait(r->ready, 0);
	if (kind->passive)
		thread_make_passive(&other);
	thread_run(&caller, kind->caller, r);
	seL4_Wait(r->done, 0);
	thread_suspend(&caller);
	thread_suspend(&other);
	runtime_must(r->errors ? seL4_InvalidArgument : seL4_NoError, "messages arrive as they were sent");
	return (struct ipc_bench_result){ipc_bench_ways(r->caller_start, r->other_end),
					 ipc_bench_ways(r->other_start, r->caller_end)};
}

static void ipc_bench_calls(void)
{
	struct ipc_bench_kind kind = {party_caller, party_server, IPC_BENCH_PRIORITY, .passive = true};
	struct ipc_bench_result r = ipc_bench_measure(&kind);

	print("BENCH call=%u\nBENCH reply_recv=%u\nBENCH call_reply=%u\n", r.there, r.back, r.there + r.back);
	for (kind.length = 1; kind.length <= IPC_BENCH_REGISTERS; kind.length++) {
		r = ipc_bench_measure(&kind);
		print("BENCH call_reply_%u=%u\n", kind.length, r.there + r.back);
	}
	kind.length = 10;
	r = ipc_bench_measure(&kind);
	print("BENCH call_10=%u\nBENCH reply_recv_10=%u\nBENCH call_reply_10=%u\n", r.there, r.back,
	      r.there + r.back);
	kind.length = 0;
	kind.passive = false;
	r = ipc_bench_measure(&kind);
	print("BENCH call_reply_active=%u\n", r.there + r.back);
}

static void ipc_bench_faults(void)
{
	struct ipc_bench_kind kind = {party_faulter, party_handler, IPC_BENCH_PRIORITY, .passive = true,
				      .fault = true};
	struct ipc_bench_result r = ipc_bench_measure(&kind);

	print("BENCH fault=%u\nBENCH fault_answer=%u\nBENCH fault_reply=%u\n", r.there, r.back,
	      r.there + r.back);
	kind.passive = false;
	r = ipc_bench_measure(&kind);
	print("BENCH fault_reply_active=%u\n", r.there + r.back);
}

static void ipc_bench_signals(void)
{
	struct ipc_bench_kind kind = {party_signaller, party_waiter, IPC_BENCH_PRIORITY + 1,
				      .passive = false};
	struct ipc_bench_result r = ipc_bench_measure(&kind);

	print("BENCH signal_wake=%u\nBENCH wait_switch=%u\n", r.there, r.back);
}

void roottask_main(void)
{
	ipc_bench_calibrate();
	ipc_bench_caller_space = space_new();
	ipc_bench_other_space = space_new();
	ipc_bench_calls();
	ipc_bench_faults();
	ipc_bench_signals();
	print("BENCH done\n");
}
