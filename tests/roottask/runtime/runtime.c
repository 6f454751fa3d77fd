/* The first thread's start, called by start.S, and its end. */
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/print.h"

_Thread_local seL4_IPCBuffer *__sel4_ipc_buffer __attribute__((tls_model("local-exec")));

void runtime_begin(const seL4_BootInfo *bootinfo);

static const seL4_BootInfo *runtime_info;
static struct runtime_tls runtime_first_tls;

const seL4_BootInfo *runtime_bootinfo(void)
{
	return runtime_info;
}

void runtime_set_tls(struct runtime_tls *tls, seL4_IPCBuffer *buffer)
{
	tls->self = &tls->self;
	seL4_SetTLSBase((seL4_Word)(uintptr_t)&tls->self);
	seL4_SetIPCBuffer(buffer);
}

void runtime_stop(void)
{
	for (;;)
		seL4_TCB_Suspend(seL4_CapInitThreadTCB);
}

void runtime_must(seL4_Error error, const char *what)
{
	if (error == seL4_NoError)
		return;
	print("failed: %s: error %u\n", what, (seL4_Word)error);
	runtime_stop();
}

void runtime_begin(const seL4_BootInfo *bootinfo)
{
	runtime_info = bootinfo;
	runtime_set_tls(&runtime_first_tls, (seL4_IPCBuffer *)(uintptr_t)bootinfo->ipcBuffer);
	roottask_main();
	runtime_stop();
}
