/*
 * The preemption point of long operations on capabilities and memory. The counter is under the kernel lock;
 * that it runs on from one operation to the next only moves the next look at the interrupts forward.
 */
#include "cap/cte.h"
#include "arch/x86/arch.h"

static unsigned preempt_work;

bool preempt_point(unsigned units)
{
	preempt_work += units;
	if (preempt_work < PREEMPT_UNITS)
		return false;
	preempt_work = 0;
	return irq_poll();
}
