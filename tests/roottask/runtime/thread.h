/* Threads of the task: TCB, stack, IPC buffer, TLS, scheduling context. They share the root CNode. A failure
 * ends the task. */
#ifndef ROOTTASK_THREAD_H
#define ROOTTASK_THREAD_H

#include "roottask/runtime/runtime.h"

#define THREAD_STACK_BYTES 8192

/* In the image, so that it is there in every space of space.h. One thread uses it at a time. */
struct thread_memory {
	seL4_IPCBuffer buffer;
	struct runtime_tls tls;
	char stack[THREAD_STACK_BYTES - 1024 - sizeof(struct runtime_tls)];
} __attribute__((aligned(4096)));

struct thread {
	seL4_CPtr tcb;
	seL4_CPtr sc; /* bound to it by thread_new */
	struct thread_memory *memory;
};

/* A thread in `vspace`, not running. `fault_endpoint` may be 0. Its context is round robin, of `slice`
 * microseconds, on CPU 0. */
struct thread thread_new(struct thread_memory *memory, seL4_CPtr vspace, seL4_Word priority, seL4_Word slice,
			 seL4_CPtr fault_endpoint);

/* It begins with entry(argument), which must not return. */
void thread_run(const struct thread *t, void (*entry)(void *), void *argument);

/* Takes its scheduling context away: it has to be blocked in a receive, and is a passive server then. */
void thread_make_passive(const struct thread *t);

void thread_suspend(const struct thread *t);

#endif
