/* A process's first C code: thread-local storage, then main. Called by start.S; and root's own start uses start_process. */
#include "user/start.h"

#include <stdlib.h>
#include "user/env.h"
#include "user/log.h"
#include "user/tls.h"

static const struct task_env *start_env;
static uint8_t start_tls[TLS_BYTES] __attribute__((aligned(64)));

const struct task_env *env_get(void)
{
	return start_env;
}

void start_process(const struct task_env *env, seL4_IPCBuffer *buffer)
{
	start_env = env;
	tls_enter(start_tls, 0, buffer);
	(void)main();
	log_line("%s: its main function returned", env->name);
	abort();
}

void start_main(const struct task_env *env)
{
	start_process(env, (seL4_IPCBuffer *)TASK_IPC_VADDR);
}
