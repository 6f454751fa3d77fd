/* vcpu_op (xen/include/public/vcpu.h): timers, runstate, registration, state of the vCPUs. */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/xen.h"

#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define PERIOD_MIN_NS 1000000ull /* Xen's least */
#define PERIOD_MAX_NS (1ull << 62)

uint64_t xen_timers_next(const struct vcpu *v)
{
	uint64_t next = v->singleshot_ns < v->periodic_next_ns ? v->singleshot_ns : v->periodic_next_ns;

	for (unsigned n = 0; n < VMM_WATCHDOGS; n++) {
		uint64_t watchdog = __atomic_load_n(&v->watchdog_ns[n], __ATOMIC_RELAXED); /* another vCPU may set it anew */

		if (watchdog < next)
			next = watchdog;
	}
	return next;
}

void xen_timers_expire(struct vcpu *v, uint64_t now_ns)
{
	bool raise = false;

	if (now_ns >= v->singleshot_ns) {
		v->singleshot_ns = UINT64_MAX;
		raise = true;
	}
	if (now_ns >= v->periodic_next_ns) {
		/* periods that were slept through are one event */
		v->periodic_next_ns += ((now_ns - v->periodic_next_ns) / v->periodic_ns + 1) * v->periodic_ns;
		raise = true;
	}
	if (raise)
		evtchn_raise_virq(v, VIRQ_TIMER);
	for (unsigned n = 0; n < VMM_WATCHDOGS; n++) {
		if (now_ns < v->watchdog_ns[n])
			continue;
		v->watchdog_ns[n] = UINT64_MAX;
		vmm_shutdown(SHUTDOWN_watchdog, "its watchdog ran out");
	}
}

static void arm(struct vcpu *v, uint64_t at_ns)
{
	/* Linux's overflow: deadlines beyond 2^63 mean soon, as Xen treats them */
	v->singleshot_ns = (int64_t)at_ns < 0 ? time_system_ns() + 100000000ull : at_ns;
	timer_update(v);
}

/* VCPU_SSHOTTMR_future is ignored, as by Xen 4.17.7: one whose time is past expires at once. */
static int64_t set_singleshot(struct vcpu *v, uint64_t at, bool abi32)
{
	struct vcpu_set_singleshot_timer t;

	if (!argument_read(v, &compat_set_singleshot_timer, abi32, at, &t))
		return -XEN_EFAULT;
	arm(v, t.timeout_abs_ns);
	return 0;
}

/* The same timer, by its older name, with 0 for none; Mini-OS sets it so. */
int64_t set_timer_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t at_ns = abi32 ? (uint32_t)arg[0] | arg[1] << 32 : arg[0];

	arm(v, at_ns ? at_ns : UINT64_MAX >> 1);
	return 0;
}

static int64_t set_periodic(struct vcpu *v, uint64_t at)
{
	struct vcpu_set_periodic_timer t;

	if (!guest_read(v, gva(at), &t, sizeof(t)))
		return -XEN_EFAULT;
	if (t.period_ns < PERIOD_MIN_NS || t.period_ns > PERIOD_MAX_NS)
		return -XEN_EINVAL;
	v->periodic_ns = t.period_ns;
	v->periodic_next_ns = time_system_ns() + t.period_ns;
	timer_update(v);
	return 0;
}

static int64_t register_info(struct vcpu *of, struct vcpu *v, uint64_t at)
{
	struct vcpu_register_vcpu_info r;
	int64_t result;

	if (!guest_read(v, gva(at), &r, sizeof(r)))
		return -XEN_EFAULT;
	/* of itself, or of one that does not run (Xen's rule) */
	if (of != v && vcpu_is_up(of))
		return -XEN_EINVAL;
	vmm_lock();
	result = vcpu_info_register(of, r.mfn, r.offset);
	vmm_unlock();
	return result;
}

static int64_t register_time(struct vcpu *v, uint64_t at, bool abi32)
{
	struct vcpu_register_time_memory_area r;
	struct guest_area made = {.size = 0};

	if (!argument_read(v, &compat_register_time_area, abi32, at, &r))
		return -XEN_EFAULT;
	/* none: Linux takes it back before it is suspended */
	if (r.addr.p && !guest_area_set(v, &made, gva(r.addr.p), sizeof(struct vcpu_time_info)))
		return -XEN_EFAULT;
	vmm_lock(); /* another vCPU may be moving the shared info, and with it our time */
	v->time_area = made;
	xen_update_time(v);
	vmm_unlock();
	return 0;
}

static int64_t register_runstate(struct vcpu *of, struct vcpu *v, uint64_t at, bool abi32)
{
	struct vcpu_register_runstate_memory_area r;

	if (!argument_read(v, &compat_register_runstate_area, abi32, at, &r))
		return -XEN_EFAULT;
	return runstate_register(of, v, r.addr.p, abi32);
}

/* One that waits for SIPI has no state to go on with. */
static int64_t set_up(struct vcpu *of)
{
	bool started;

	vmm_lock();
	started = __atomic_load_n(&of->run, __ATOMIC_ACQUIRE) != VCPU_OFFLINE;
	if (started)
		vcpu_set_down(of, false);
	vmm_unlock();
	if (!started)
		return -XEN_EINVAL;
	vcpu_wake(of);
	return 0;
}

/* The last one's end is the domain's, as on Xen. */
static int64_t set_down(struct vcpu *of)
{
	bool last = true;

	vmm_lock();
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		last = last && (vmm.vcpu[i] == of || !vcpu_is_up(vmm.vcpu[i]));
	if (!last)
		vcpu_set_down(of, true);
	vmm_unlock();
	if (last)
		vmm_shutdown(SHUTDOWN_poweroff, "its last CPU went down");
	else
		vcpu_wake(of);
	return 0;
}

int64_t vcpu_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint32_t op = (uint32_t)arg[0], id = (uint32_t)arg[1];
	struct vcpu *of;

	if (id >= vmm.vcpu_count)
		return -XEN_ENOENT;
	of = vmm.vcpu[id];
	switch (op) {
	case VCPUOP_is_up:
		return vcpu_is_up(of);
	case VCPUOP_up:
		return set_up(of);
	case VCPUOP_down:
		return set_down(of);
	case VCPUOP_get_runstate_info:
		return runstate_get(of, v, arg[2], abi32);
	case VCPUOP_register_runstate_memory_area:
		return register_runstate(of, v, arg[2], abi32);
	case VCPUOP_register_vcpu_info:
		return register_info(of, v, arg[2]);
	case VCPUOP_send_nmi:
		__atomic_store_n(&of->nmi_pending, true, __ATOMIC_RELEASE);
		vcpu_wake(of);
		return 0;
	default:
		break;
	}
	/* the rest concerns a vCPU's own timers and clock */
	switch (op) {
	case VCPUOP_set_singleshot_timer:
	case VCPUOP_stop_singleshot_timer:
		if (of != v)
			return -XEN_EINVAL;
		if (op == VCPUOP_set_singleshot_timer)
			return set_singleshot(v, arg[2], abi32);
		v->singleshot_ns = UINT64_MAX;
		timer_update(v);
		return 0;
	case VCPUOP_set_periodic_timer:
		if (of != v)
			return -XEN_EINVAL;
		return set_periodic(v, arg[2]);
	case VCPUOP_stop_periodic_timer:
		/* of another vCPU: at boot, before it runs; none is armed there */
		vmm_lock();
		of->periodic_next_ns = UINT64_MAX;
		vmm_unlock();
		if (of == v)
			timer_update(v);
		return 0;
	case VCPUOP_register_vcpu_time_memory_area:
		if (of != v)
			return -XEN_EINVAL;
		return register_time(v, arg[2], abi32);
	default:
		xen_log_once("vcpu_op", op);
		return -XEN_ENOSYS;
	}
}
