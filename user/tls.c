/* Thread-local storage. See tls.h. The runtime's own two variables are here. */
#include "user/tls.h"

#include "sel4/sel4.h"
#include "user/thread.h"

extern const uint8_t tls_image_start[], tls_image_data_end[], tls_image_end[];

_Thread_local seL4_IPCBuffer *__sel4_ipc_buffer;
static _Thread_local unsigned tls_thread;

void tls_enter(uint8_t *block, unsigned thread, seL4_IPCBuffer *buffer)
{
	uint8_t *control = block + TLS_VARIABLES;
	uint8_t *variables = control - (tls_image_end - tls_image_start);

	for (const uint8_t *p = tls_image_start; p < tls_image_data_end; p++)
		*variables++ = *p;
	*(uint64_t *)(void *)control = (uint64_t)(uintptr_t)control;
	seL4_SetTLSBase((uint64_t)(uintptr_t)control);
	__sel4_ipc_buffer = buffer;
	tls_thread = thread;
}

unsigned thread_self(void)
{
	return tls_thread;
}
