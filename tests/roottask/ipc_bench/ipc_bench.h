/*
 * What is measured: one way through the kernel from a thread of one address space to a thread of another, and
 * the way back. The `caller` starts a round, the `other` one waits for it; both store when.
 */
#ifndef IPC_BENCH_H
#define IPC_BENCH_H

#include "sel4/sel4.h"

#define IPC_BENCH_ROUNDS 400

/* Time stamps of all rounds, and what the threads need to know. In the image, so both address spaces show it.
 */
struct ipc_bench_run {
	seL4_CPtr endpoint, reply, notification, ready, done;
	seL4_Word length; /* of the message, both ways */
	seL4_Word errors; /* words that did not arrive as they were sent */
	seL4_Word caller_start[IPC_BENCH_ROUNDS], caller_end[IPC_BENCH_ROUNDS];
	seL4_Word other_start[IPC_BENCH_ROUNDS],
	    other_end[IPC_BENCH_ROUNDS]; /* of the way back; of the way there */
};

/* Thread bodies; the argument is a struct ipc_bench_run. They end by waiting for ever. */
void party_caller(void *run);	 /* Call */
void party_server(void *run);	 /* ReplyRecv */
void party_faulter(void *run);	 /* an invalid instruction */
void party_handler(void *run);	 /* answers faults, ReplyRecv */
void party_signaller(void *run); /* Signal */
void party_waiter(void *run);	 /* Wait */

#endif
