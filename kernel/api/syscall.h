/* The two halves of the system call layer: syscall.c (entry, fast paths) and syscall_general.c. */
#ifndef API_SYSCALL_H
#define API_SYSCALL_H

#include "object/tcb.h"
#include "percpu.h"

/* System call `number` of the current thread t, any but VMEnter. */
void syscall_general(struct percpu *p, struct tcb *t, int64_t number);

#endif
