/*
 * The preemption point of long operations on capabilities and memory: for an interrupt, and for another CPU that waits for the
 * kernel lock (which is fair: it gets it when this one leaves, and before this one comes back). The counter is under the kernel lock;
 * that it runs on from one operation to the next only moves the next look at the interrupts forward.
 */
#include "cap/cte.h"
#include "arch/x86/arch.h"
#include "entry/lock.h"

static unsigned preempt_work;

bool preempt_point(unsigned units)
{
	preempt_work += units;
	if (preempt_work < PREEMPT_UNITS)
		return false;
	preempt_work = 0;
	return lock_wanted() || irq_poll();
}
