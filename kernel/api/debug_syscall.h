/*
 * System calls for debugging that exist in debug builds only: kernel/debug/ and kernel/release/ each have one
 * of these.
 */
#ifndef API_DEBUG_SYSCALL_H
#define API_DEBUG_SYSCALL_H

#include "object/tcb.h"

/* The current thread's system call `number`: true if there is one and it was done. */
bool debug_syscall(struct tcb *t, int64_t number);

#endif
