/* Threads by TCB_Configure, SchedParams and WriteRegisters. */
#include "roottask/runtime/thread.h"
#include "roottask/runtime/object.h"
#include "roottask/runtime/space.h"

#define THREAD_SC_BITS 8

extern const char thread_start[];
__attribute__((noreturn)) void thread_begin(struct thread_memory *memory, void (*entry)(void *),
					    void *argument);

void thread_begin(struct thread_memory *memory, void (*entry)(void *), void *argument)
{
	runtime_set_tls(&memory->tls, &memory->buffer);
	entry(argument);
	for (;;)
		seL4_Yield();
}

struct thread thread_new(struct thread_memory *memory, seL4_CPtr vspace, seL4_Word priority, seL4_Word slice,
			 seL4_CPtr fault_endpoint)
{
	struct thread t = {object_new(seL4_TCBObject, 0), object_new(seL4_SchedContextObject, THREAD_SC_BITS),
			   memory};

	runtime_must(
	    seL4_SchedControl_Configure(runtime_bootinfo()->schedcontrol.start, t.sc, slice, slice, 0, 0),
	    "configure a scheduling context");
	runtime_must(seL4_TCB_Configure(t.tcb, seL4_CapInitThreadCNode, 0, vspace, 0,
					(seL4_Word)(uintptr_t)&memory->buffer, space_image_frame(memory)),
		     "configure a TCB");
	runtime_must(seL4_TCB_SetSchedParams(t.tcb, seL4_CapInitThreadTCB, seL4_MaxPrio, priority, t.sc,
					     fault_endpoint),
		     "scheduling parameters");
	return t;
}

void thread_run(const struct thread *t, void (*entry)(void *), void *argument)
{
	struct thread_memory *m = t->memory;
	seL4_UserContext regs = {
	    .rip = (seL4_Word)(uintptr_t)thread_start,
	    .rsp = (seL4_Word)(uintptr_t)(m->stack + sizeof(m->stack)) & ~15ull,
	    .rflags = 0x202,
	    .rdi = (seL4_Word)(uintptr_t)m,
	    .rsi = (seL4_Word)(uintptr_t)entry,
	    .rdx = (seL4_Word)(uintptr_t)argument,
	};

	runtime_must(seL4_TCB_WriteRegisters(t->tcb, true, 0, sizeof(regs) / sizeof(seL4_Word), &regs),
		     "start a thread");
}

void thread_make_passive(const struct thread *t)
{
	runtime_must(seL4_SchedContext_UnbindObject(t->sc, t->tcb), "unbind a scheduling context");
}

void thread_suspend(const struct thread *t)
{
	runtime_must(seL4_TCB_Suspend(t->tcb), "suspend a thread");
}
