/* The second thread. It sleeps on a timer of short deadlines, so it runs whenever the kernel looks at its
 * interrupts. */
#include "roottask/ext/ext.h"
#include "roottask/runtime/tsc_hw.h"

static struct thread_memory watch_memory, watch_fault_memory;
static struct thread watch_thread, watch_fault_thread;
static seL4_CPtr watch_notification, watch_timer, watch_endpoint, watch_reply;
static void (*volatile watch_what)(unsigned);
static volatile seL4_Word watch_ticks;
static volatile unsigned watch_count;
static volatile bool watch_fault;

static void watch_body(void *nothing)
{
	(void)nothing;
	for (;;) {
		seL4_Wait(watch_notification, 0);
		if (!watch_what)
			continue;
		watch_what(watch_count++);
		if (watch_what)
			(void)insula_Timer_Set(watch_timer, tsc_read() + watch_ticks);
	}
}

static void watch_fault_body(void *nothing)
{
	(void)nothing;
	(void)seL4_Recv(watch_endpoint, 0, watch_reply);
	print("fault at 0x%x, address 0x%x\n", seL4_GetMR(0), seL4_GetMR(1));
	watch_fault = true;
	for (;;)
		(void)seL4_Recv(watch_endpoint, 0, watch_reply);
}

void watch_start(void)
{
	if (watch_notification)
		return;
	watch_notification = object_new(seL4_NotificationObject, 0);
	watch_timer = object_new(insula_TimerObject, 0);
	watch_endpoint = object_new(seL4_EndpointObject, 0);
	watch_reply = object_new(seL4_ReplyObject, 0);
	runtime_must(insula_Timer_Bind(watch_timer, watch_notification), "bind a timer");
	runtime_must(seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, 100), "own priority");
	watch_fault_thread = thread_new(&watch_fault_memory, HERE, 102, 10000, 0);
	thread_run(&watch_fault_thread, watch_fault_body, 0);
	watch_thread = thread_new(&watch_memory, HERE, 101, 10000, watch_endpoint);
	thread_run(&watch_thread, watch_body, 0);
}

void watch_every(seL4_Word ticks, void (*what)(unsigned))
{
	watch_count = 0;
	watch_ticks = ticks;
	watch_what = what;
	runtime_must(insula_Timer_Set(watch_timer, tsc_read() + ticks), "set a timer");
}

unsigned watch_stop(void)
{
	watch_what = 0;
	(void)insula_Timer_Cancel(watch_timer);
	return watch_count;
}

bool watch_faulted(void)
{
	return watch_fault;
}
