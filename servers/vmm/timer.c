/*
 * Time of the domain, and all deadlines of a vCPU (Xen's timers, the LAPIC's, a poll's) on its one timer object.
 */
#include "servers/vmm/vmm.h"

#include "sel4/sel4.h"

uint64_t time_system_ns(void)
{
	return pvclock_ns(vmm.clock, cpu_tsc() - vmm.tsc_start);
}

/* The TSC at which system time is ns; saturates. */
static uint64_t time_ns_to_tsc(uint64_t ns)
{
	uint64_t ticks = pvclock_ticks(vmm.clock, ns);

	return ticks > UINT64_MAX - vmm.tsc_start ? UINT64_MAX : vmm.tsc_start + ticks;
}

static uint64_t next_ns(const struct vcpu *v)
{
	uint64_t next = xen_timers_next(v);

	if (v->lapic.timer_deadline < next)
		next = v->lapic.timer_deadline;
	if (v->run == VCPU_POLLING && v->poll_timeout_ns < next)
		next = v->poll_timeout_ns;
	return next;
}

void timer_update(struct vcpu *v)
{
	uint64_t ns = next_ns(v), tsc = ns == UINT64_MAX ? UINT64_MAX : time_ns_to_tsc(ns);

	if (tsc == v->armed_tsc)
		return;
	v->armed_tsc = tsc;
	if (tsc == UINT64_MAX)
		(void)insula_Timer_Cancel(v->slot_timer);
	else
		(void)insula_Timer_Set(v->slot_timer, tsc);
}

void timer_expired(struct vcpu *v)
{
	uint64_t now = time_system_ns();

	v->armed_tsc = UINT64_MAX;
	(void)lapic_timer_expire(&v->lapic, now);
	vmm_lock();
	xen_timers_expire(v, now);
	vmm_unlock();
	timer_update(v);
}
