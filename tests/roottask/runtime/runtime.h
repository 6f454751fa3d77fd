/*
 * What a root task of the tests stands on: the first thread's start, its boot information, and a way to stop.
 * It needs seL4's ABI only, so a task built on it runs on any kernel of this profile. The task provides
 * roottask_main().
 */
#ifndef ROOTTASK_RUNTIME_H
#define ROOTTASK_RUNTIME_H

#include "sel4/sel4.h"

/* What lies behind FS: the thread's IPC buffer pointer (__sel4_ipc_buffer) below `self`, as the x86-64 TLS
 * ABI has it. */
struct runtime_tls {
	seL4_Word variables[7];
	void *self;
} __attribute__((aligned(64)));

/* The task's own beginning. When it returns, the first thread is suspended. */
void roottask_main(void);

const seL4_BootInfo *runtime_bootinfo(void);

/* Makes *tls the calling thread's, with this IPC buffer (may be null). */
void runtime_set_tls(struct runtime_tls *tls, seL4_IPCBuffer *buffer);

/* Suspends the first thread for ever. Called on it only. */
__attribute__((noreturn)) void runtime_stop(void);

/* Does nothing for seL4_NoError; else prints "failed: WHAT: error N" and stops. */
void runtime_must(seL4_Error error, const char *what);

#endif
