/*
 * Vectors from ENTRY_INT_FIRST on: opened to the INT instruction, which is an unknown system call; but
 * without interrupt remapping a device can send them too, and the local APIC waits for an acknowledgement of
 * those.
 */
#include "entry/entry.h"
#include "arch/x86/apic.h"
#include "arch/x86/context.h"
#include "entry/lock.h"
#include "percpu.h"

enum { ENTRY_INT_BYTES = 2 };

void entry_int_handle(unsigned vector)
{
	struct percpu *p = percpu_self();

	if (!apic_in_service(vector)) {
		/* A restart repeats the instruction, as with SYSCALL. */
		p->context->restart_ip -= ENTRY_INT_BYTES;
		if (lock_enter_for(LOCK_SYSCALL))
			return;
		trap_handle(vector);
		return;
	}
	p->arch.pending_vector = (int32_t)vector;
	lock_enter();
	interrupt_handle();
}
