/* Other threads of the process. See thread.h. Each has a MiB of addresses: an unmapped page, its stack, at whose top its start lies. */
#include "user/thread.h"

#include <errno.h>
#include <stdlib.h>
#include "sel4/sel4.h"
#include "user/env.h"
#include "user/thread_entry.h"
#include "user/tls.h"
#include "user/vspace.h"

#define THREAD_STRIDE 0x100000ull

/* At the top of the stack. */
struct thread_start {
	uint8_t tls[TLS_BYTES] __attribute__((aligned(64)));
	void (*function)(void *);
	void *argument;
	unsigned number;
};

void thread_main(struct thread_start *s)
{
	tls_enter(s->tls, s->number, (seL4_IPCBuffer *)(TASK_IPC_VADDR + s->number * 4096ull));
	s->function(s->argument);
	for (;;)
		(void)seL4_TCB_Suspend(TASK_SLOT_TCB + s->number);
}

int thread_start(unsigned i, void (*function)(void *), void *argument)
{
	uint64_t stack = TASK_THREAD_VADDR + i * THREAD_STRIDE + 4096;
	struct thread_start *s = (struct thread_start *)(stack + THREAD_STACK_BYTES) - 1;
	seL4_UserContext regs = {0};

	if (i == 0 || i >= env_get()->thread_count)
		return -EINVAL;
	for (uint64_t at = 0; at < THREAD_STACK_BYTES; at += 4096)
		if (!vspace_page(stack + at))
			return -ENOMEM;
	s->function = function;
	s->argument = argument;
	s->number = i;
	regs.rip = (uint64_t)(uintptr_t)thread_entry;
	regs.rsp = (uint64_t)(uintptr_t)s & ~15ull;
	regs.rdi = (uint64_t)(uintptr_t)s;
	regs.rflags = 2;
	return seL4_TCB_WriteRegisters(TASK_SLOT_TCB + i, true, 0, seL4_UserContextWords, &regs) ? -EIO : 0;
}
