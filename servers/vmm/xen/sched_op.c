/* sched_op (xen/include/public/sched.h): yielding, blocking, polling, and a domain's own end. */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/evtchn.h"

#include "sel4/sel4.h"
#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/xen.h>

#define POLL_MAX 128
#define NS_PER_S 1000000000ull

static int64_t shutdown(struct vcpu *v, uint64_t at)
{
	struct sched_shutdown s;

	if (!guest_read(v, gva(at), &s, sizeof(s)))
		return -XEN_EFAULT;
	if (s.reason > SHUTDOWN_MAX)
		return -XEN_EINVAL;
	vmm_shutdown(s.reason, NULL);
	return 0;
}

static int64_t poll(struct vcpu *v, uint64_t at, bool abi32)
{
	struct sched_poll p;

	if (!argument_read(v, &compat_sched_poll, abi32, at, &p))
		return -XEN_EFAULT;
	if (p.nr_ports > POLL_MAX)
		return -XEN_EINVAL;
	if (p.nr_ports && !guest_read(v, gva((uint64_t)(uintptr_t)p.ports.p), v->poll_ports, p.nr_ports * sizeof(uint32_t)))
		return -XEN_EFAULT;
	for (uint32_t i = 0; i < p.nr_ports; i++)
		if (v->poll_ports[i] >= evtchn_valid())
			return -XEN_EINVAL;
	v->poll_count = p.nr_ports;
	/* a timeout of 0 is none (sched.h) */
	v->poll_timeout_ns = p.timeout ? p.timeout : UINT64_MAX;
	if (xen_poll_done(v))
		return 0;
	/* who waits for a spinlock has interrupts off: what is pending would not let it wait at all */
	v->poll_holds_back = vcpu_holds_back(v);
	/* before the loop looks at the ports once more: who sets one sees it, or the loop sees the port */
	__atomic_store_n(&v->run, VCPU_POLLING, __ATOMIC_SEQ_CST);
	timer_update(v);
	return 0;
}

/* The vCPU that sets one keeps its time: whoever had it before does not any more. */
static int64_t watchdog_set(struct vcpu *v, uint32_t id, uint64_t timeout_ns)
{
	uint32_t n = id - 1;

	if (!id)
		for (n = 0; n < VMM_WATCHDOGS && vmm.watchdogs >> n & 1; n++)
			;
	else if (!(vmm.watchdogs >> n & 1))
		return -XEN_EINVAL;
	if (n == VMM_WATCHDOGS)
		return -XEN_ENOSPC;
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		__atomic_store_n(&vmm.vcpu[i]->watchdog_ns[n], UINT64_MAX, __ATOMIC_RELAXED);
	if (timeout_ns) {
		vmm.watchdogs = (uint8_t)(vmm.watchdogs | 1u << n);
		__atomic_store_n(&v->watchdog_ns[n], time_system_ns() + timeout_ns, __ATOMIC_RELAXED);
	} else {
		vmm.watchdogs = (uint8_t)(vmm.watchdogs & ~(1u << n));
	}
	return id ? 0 : n + 1;
}

static int64_t watchdog(struct vcpu *v, uint64_t at)
{
	struct sched_watchdog w;
	int64_t result;

	if (!guest_read(v, gva(at), &w, sizeof(w)))
		return -XEN_EFAULT;
	if (w.id > VMM_WATCHDOGS || (!w.id && !w.timeout))
		return -XEN_EINVAL;
	vmm_lock();
	result = watchdog_set(v, w.id, w.timeout * NS_PER_S);
	vmm_unlock();
	timer_update(v);
	return result;
}

int64_t sched_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	switch ((uint32_t)arg[0]) {
	case SCHEDOP_yield:
		seL4_Yield();
		__builtin_ia32_pause(); /* what it waits for may be on another CPU */
		return 0;
	case SCHEDOP_block:
		/* events are let in as part of it, or it might sleep for ever */
		__atomic_store_n(vcpu_info_upcall_mask(v), 0, __ATOMIC_RELEASE);
		if (!__atomic_load_n(vcpu_info_upcall_pending(v), __ATOMIC_ACQUIRE))
			v->run = VCPU_HALTED;
		return 0;
	case SCHEDOP_shutdown:
		return shutdown(v, arg[1]);
	case SCHEDOP_poll:
		return poll(v, arg[1], abi32);
	case SCHEDOP_watchdog:
		return watchdog(v, arg[1]);
	case SCHEDOP_remote_shutdown:
	case SCHEDOP_pin_override:
		return -XEN_EPERM;
	default:
		xen_log_once("sched_op", (uint32_t)arg[0]);
		return -XEN_ENOSYS;
	}
}
