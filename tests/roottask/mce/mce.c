/*
 * A root task for tests/system/test_mce.py, which injects machine checks and NMIs from outside: two threads take turns in user mode, and
 * whoever handles their faults says what came. Never ends by itself.
 */
#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/thread.h"

enum { PRIORITY = 100, SLICE_US = 1000, WORKERS = 2 };

static struct thread_memory memory[WORKERS];
static volatile seL4_Word turns[WORKERS];

static void work(void *argument)
{
	volatile seL4_Word *turn = argument;

	for (;;)
		++*turn;
}

void roottask_main(void)
{
	seL4_CPtr endpoint = object_new(seL4_EndpointObject, 0), reply = object_new(seL4_ReplyObject, 0);
	struct thread worker[WORKERS];
	seL4_Word badge;

	for (int i = 0; i < WORKERS; i++) {
		seL4_CPtr handler = object_mint(endpoint, seL4_AllRights, (seL4_Word)i + 1);

		worker[i] = thread_new(&memory[i], seL4_CapInitThreadVSpace, PRIORITY, SLICE_US, handler);
		thread_run(&worker[i], work, (void *)(seL4_Word)&turns[i]);
	}
	/* In turns with them: Yield lets them run. */
	runtime_must(seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, PRIORITY), "set the priority");
	print("mce: start\n");
	for (;;) {
		seL4_MessageInfo_t info = seL4_Recv(endpoint, &badge, reply);
		seL4_Word other = turns[2 - badge];

		print("mce: thread %u: fault %u, number %u\n", badge, seL4_MessageInfo_get_label(info), seL4_GetMR(3));
		/* No answer: it has ended. The other goes on. */
		while (turns[2 - badge] == other)
			seL4_Yield();
		print("mce: the other works on\n");
	}
}
