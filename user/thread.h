/*
 * The process's other threads. Root made TCB, scheduling context and notification of each (proto/task/task.h); this gives
 * them a stack, thread-local storage and an IPC buffer, and starts them.
 */
#ifndef USER_THREAD_H
#define USER_THREAD_H

#include "sel4/types.h"

#define THREAD_STACK_BYTES 32768u

/* Thread i (1 .. env->thread_count - 1) runs function(argument); when that returns, it sleeps for ever. Once per thread. 0 or a negative errno. */
int thread_start(unsigned i, void (*function)(void *), void *argument);

/* Number of the calling thread. */
unsigned thread_self(void);

#endif
