/*
 * Vectors from ENTRY_INT_FIRST on: opened to the INT instruction, which is an unknown system call; but without interrupt remapping a
 * device can send them too, and the local APIC waits for an acknowledgement of those.
 */
#include "entry/entry.h"
#include "arch/x86/apic.h"
#include "percpu.h"

void entry_int_handle(unsigned vector)
{
	if (!apic_in_service(vector)) {
		trap_handle(vector);
		return;
	}
	percpu_self()->arch.pending_vector = (int32_t)vector;
	interrupt_handle();
}
