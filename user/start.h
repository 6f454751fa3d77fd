/* The beginning of a process. Called from assembler, and by root's own beginning. */
#ifndef USER_START_H
#define USER_START_H

#include "proto/task/task.h"
#include "sel4/types.h"

/* Every server's. Does not return. */
int main(void);

_Noreturn void start_main(const struct task_env *env);
/* env must stay; the thread's IPC buffer is at `buffer`. */
_Noreturn void start_process(const struct task_env *env, seL4_IPCBuffer *buffer);

#endif
