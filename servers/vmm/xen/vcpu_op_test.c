/* Timers, runstate and registration by vcpu_op; sched_op blocking and polling, as the loop sees them. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define ARG 0x2000u
#define MS  1000000ull

static uint32_t timer_port;

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	fake_long_mode(vmm.vcpu[1]);
	timer_port = (uint32_t)evtchn_alloc(EVTCHN_VIRQ, 0);
	evtchn_port(timer_port)->virq = VIRQ_TIMER;
	vmm.vcpu[0]->virq_port[VIRQ_TIMER] = (uint16_t)timer_port;
	fake_advance_ns(10 * MS);
	return 0;
}

static int64_t op(uint64_t number, uint32_t vcpu, const void *argument, size_t size)
{
	const uint64_t arg[5] = {number, vcpu, ARG};

	fake_poke(ARG, argument, size);
	return vcpu_op(vmm.vcpu[0], arg, false);
}

static int64_t singleshot(uint64_t at, uint32_t flags)
{
	const struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = at, .flags = flags};

	return op(VCPUOP_set_singleshot_timer, 0, &t, sizeof(t));
}

static int64_t periodic(uint64_t period)
{
	const struct vcpu_set_periodic_timer t = {.period_ns = period};

	return op(VCPUOP_set_periodic_timer, 0, &t, sizeof(t));
}

static bool fires(void)
{
	bool fired;

	timer_expired(vmm.vcpu[0]);
	fired = evtchn_is_pending(timer_port);
	evtchn_clear(timer_port);
	return fired;
}

static void singleshots(void **state)
{
	uint64_t now = time_system_ns();

	(void)state;
	assert_int_equal(singleshot(now + MS, 0), 0);
	assert_in_range(fake.timer_tsc, fake.tsc + 2 * MS - 2, fake.tsc + 2 * MS + 2);
	assert_false(fires());
	fake_advance_ns(MS + 1);
	assert_true(fires());
	assert_false(fires());
	assert_true(fake.timer_tsc == UINT64_MAX || fake.timer_tsc < fake.tsc);
	/* in the past: at once */
	for (uint32_t flags = 0; flags <= VCPU_SSHOTTMR_future; flags++) {
		assert_int_equal(singleshot(1, flags), 0);
		assert_true(fake.timer_tsc <= fake.tsc);
		assert_true(fires());
	}
	/* beyond 2^63 means soon, at 2^63 - 1 never */
	assert_int_equal(singleshot(1ull << 63, 0), 0);
	assert_false(fires());
	fake_advance_ns(101 * MS);
	assert_true(fires());
	assert_int_equal(singleshot(INT64_MAX, 0), 0);
	fake_advance_ns(1000000 * MS);
	assert_false(fires());
	assert_int_equal(op(VCPUOP_stop_singleshot_timer, 0, "", 1), 0);
	assert_int_equal(vmm.vcpu[0]->singleshot_ns, UINT64_MAX);
	/* only one's own */
	assert_int_equal(op(VCPUOP_set_singleshot_timer, 1, "", 1), -XEN_EINVAL);
	assert_int_equal(op(VCPUOP_stop_singleshot_timer, 1, "", 1), -XEN_EINVAL);
}

static void older_name(void **state)
{
	const uint64_t none[5] = {0}, soon[5] = {time_system_ns() + MS}, late[5] = {UINT64_MAX};
	const uint64_t soon_32[5] = {5, 1};

	(void)state;
	assert_int_equal(set_timer_op(vmm.vcpu[0], soon, false), 0);
	assert_false(fires());
	fake_advance_ns(MS + 1);
	assert_true(fires());
	assert_int_equal(set_timer_op(vmm.vcpu[0], soon, false), 0);
	assert_int_equal(set_timer_op(vmm.vcpu[0], none, false), 0);
	fake_advance_ns(1000000 * MS);
	assert_false(fires());
	assert_int_equal(set_timer_op(vmm.vcpu[0], late, false), 0);
	assert_false(fires());
	fake_advance_ns(101 * MS);
	assert_true(fires());
	assert_int_equal(set_timer_op(vmm.vcpu[0], soon_32, true), 0);
	assert_int_equal(vmm.vcpu[0]->singleshot_ns, (1ull << 32) + 5);
}

static void periods(void **state)
{
	(void)state;
	assert_int_equal(periodic(0), -XEN_EINVAL);
	assert_int_equal(periodic(MS - 1), -XEN_EINVAL);
	assert_int_equal(periodic(UINT64_MAX), -XEN_EINVAL);
	assert_int_equal(periodic((1ull << 62) + 1), -XEN_EINVAL);
	assert_int_equal(periodic(1ull << 62), 0);
	fake_advance_ns(MS);
	assert_false(fires());
	assert_int_equal(periodic(MS), 0);
	/* a year asleep is one event, without a loop of 10^10 steps */
	fake_advance_ns(365ull * 86400 * 1000 * MS);
	assert_true(fires());
	assert_false(fires());
	assert_true(vmm.vcpu[0]->periodic_next_ns > time_system_ns());
	assert_true(vmm.vcpu[0]->periodic_next_ns <= time_system_ns() + MS);
	assert_int_equal(op(VCPUOP_stop_periodic_timer, 0, "", 1), 0);
	fake_advance_ns(10 * MS);
	assert_false(fires());
	assert_int_equal(op(VCPUOP_stop_periodic_timer, 1, "", 1), 0);
	assert_int_equal(op(VCPUOP_set_periodic_timer, 1, "", 1), -XEN_EINVAL);
}

static void others(void **state)
{
	(void)state;
	assert_int_equal(op(VCPUOP_is_up, 0, "", 1), 1);
	vmm.vcpu[1]->run = VCPU_OFFLINE;
	assert_int_equal(op(VCPUOP_is_up, 1, "", 1), 0);
	assert_int_equal(op(VCPUOP_is_up, 2, "", 1), -XEN_ENOENT);
	assert_int_equal(op(VCPUOP_is_up, UINT32_MAX, "", 1), -XEN_ENOENT);
	assert_int_equal(op(VCPUOP_send_nmi, 1, "", 1), 0);
	assert_true(vmm.vcpu[1]->nmi_pending);
	assert_int_equal(op(99, 0, "", 1), -XEN_ENOSYS);
	for (uint64_t n = 0; n < 16; n++) {
		const uint64_t arg[5] = {n, 0, FAKE_LOW_RAM - 1};
		int64_t r = n == VCPUOP_down ? -XEN_ENOSYS : vcpu_op(vmm.vcpu[0], arg, false); /* it would end the domain */

		assert_true(n == VCPUOP_up || r == -XEN_EFAULT || r == -XEN_ENOSYS || n == VCPUOP_is_up || n == VCPUOP_send_nmi ||
			    n == VCPUOP_stop_periodic_timer || n == VCPUOP_stop_singleshot_timer);
	}
}

/* One that is down keeps its state, and whatever wakes it: it waits until it is up. */
static void up_and_down(void **state)
{
	struct vcpu *other = vmm.vcpu[1];

	(void)state;
	other->run = VCPU_OFFLINE;
	assert_int_equal(op(VCPUOP_up, 1, "", 1), -XEN_EINVAL);
	assert_int_equal(op(VCPUOP_down, 1, "", 1), 0);
	assert_int_equal(op(VCPUOP_up, 1, "", 1), -XEN_EINVAL);
	vcpu_set_online(other, true);
	assert_int_equal(vmm.control->online & 2, 2);
	fake.signals = 0;
	assert_int_equal(op(VCPUOP_down, 1, "", 1), 0);
	assert_int_equal(vmm.control->online & 2, 0);
	assert_true(fake.signals > 0);
	assert_int_equal(op(VCPUOP_is_up, 1, "", 1), 0);
	other->nmi_pending = true;
	fake.thread = 1;
	fake_run(other);
	fake.thread = 0;
	assert_int_equal(other->run, VCPU_RUNNING);
	assert_true(other->nmi_pending); /* it has not run */
	assert_int_equal(op(VCPUOP_up, 1, "", 1), 0);
	assert_int_equal(vmm.control->online & 2, 2);
	assert_int_equal(op(VCPUOP_is_up, 1, "", 1), 1);
	assert_int_equal(op(VCPUOP_up, 2, "", 1), -XEN_ENOENT);
	assert_int_equal(op(VCPUOP_down, 2, "", 1), -XEN_ENOENT);
	/* the last one */
	assert_int_equal(op(VCPUOP_down, 1, "", 1), 0);
	assert_int_equal(fake.shutdowns, 0);
	assert_int_equal(op(VCPUOP_down, 0, "", 1), 0);
	assert_int_equal(fake.shutdowns, 1);
	assert_int_equal(fake.reason, SHUTDOWN_poweroff);
}

static void runstate(void **state)
{
	struct vcpu *v = vmm.vcpu[0];
	/* at the end of RAM, and then across a page */
	struct vcpu_register_runstate_memory_area a = {.addr.p = FAKE_LOW_RAM - sizeof(struct vcpu_runstate_info)};
	struct vcpu_runstate_info r;

	(void)state;
	assert_int_equal(op(VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
	xen_runstate(v, XEN_RUNSTATE_RUNNING);
	fake_advance_ns(5 * MS);
	xen_runstate(v, XEN_RUNSTATE_BLOCKED);
	assert_int_equal(vmm.control->state & 1, 1);
	fake_advance_ns(7 * MS);
	xen_runstate(v, XEN_RUNSTATE_RUNNING);
	assert_int_equal(vmm.control->state & 1, 0);
	fake_peek(a.addr.p, &r, sizeof(r));
	assert_int_equal(r.state, RUNSTATE_running);
	assert_in_range(r.time[RUNSTATE_blocked], 7 * MS - 2, 7 * MS + 2);
	assert_in_range(r.time[RUNSTATE_running], 5 * MS - 2, 5 * MS + 2);
	fake_advance_ns(MS);
	assert_int_equal(op(VCPUOP_get_runstate_info, 0, "", 1), 0);
	fake_peek(ARG, &r, sizeof(r));
	assert_in_range(r.time[RUNSTATE_running], 6 * MS - 2, 6 * MS + 2);

	a.addr.p = FAKE_LOW_RAM - sizeof(r) + 1;
	assert_int_equal(op(VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), -XEN_EFAULT);
	a.addr.p = 0x5000 - 5;
	assert_int_equal(op(VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
	fake_peek(0x5000 - 5, &r, sizeof(r));
	assert_int_equal(r.state, RUNSTATE_running);
	a.addr.p = 0;
	assert_int_equal(op(VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
	memset((void *)(TASK_RAM_VADDR + 0x5000 - 5), 0xee, sizeof(r));
	xen_runstate(v, XEN_RUNSTATE_BLOCKED);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + 0x5000), 0xee);
}

/* The second place of the time, which a guest gives and takes back. */
static void time_area(void **state)
{
	struct vcpu *v = vmm.vcpu[0];
	struct vcpu_register_time_memory_area a = {.addr.p = FAKE_LOW_RAM - sizeof(struct vcpu_time_info)};
	struct vcpu_time_info t;

	(void)state;
	assert_int_equal(op(VCPUOP_register_vcpu_time_memory_area, 0, &a, sizeof(a)), 0);
	fake_peek(a.addr.p, &t, sizeof(t));
	assert_int_equal(t.tsc_timestamp, vmm.tsc_start);
	assert_int_equal(t.version % 2, 0);
	v->s->tsc_offset = 5;
	xen_update_time(v);
	fake_peek(a.addr.p, &t, sizeof(t));
	assert_int_equal(t.tsc_timestamp, vmm.tsc_start + 5);
	/* what is not there changes nothing */
	a.addr.p++;
	assert_int_equal(op(VCPUOP_register_vcpu_time_memory_area, 0, &a, sizeof(a)), -XEN_EFAULT);
	assert_int_equal(op(VCPUOP_register_vcpu_time_memory_area, 1, &a, sizeof(a)), -XEN_EINVAL);
	v->s->tsc_offset = 6;
	xen_update_time(v);
	fake_peek(--a.addr.p, &t, sizeof(t));
	assert_int_equal(t.tsc_timestamp, vmm.tsc_start + 6);
	memset(&t, 0xee, sizeof(t));
	fake_poke(a.addr.p, &t, sizeof(t));
	fake_poke(0, &t, sizeof(t));
	a.addr.p = 0; /* no address, even where the guest has memory there */
	assert_int_equal(op(VCPUOP_register_vcpu_time_memory_area, 0, &a, sizeof(a)), 0);
	xen_update_time(v);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + FAKE_LOW_RAM - 1), 0xee);
	assert_int_equal(*(uint8_t *)TASK_RAM_VADDR, 0xee);
}

static void poll_and_block(void **state)
{
	struct vcpu *v = vmm.vcpu[0];
	uint32_t ports[129] = {timer_port, 4096};
	struct sched_poll p = {.nr_ports = 1, .timeout = time_system_ns() + MS};
	const uint64_t arg[5] = {SCHEDOP_poll, ARG};

	(void)state;
	p.ports.p = (void *)0x3000;
	fake_poke(0x3000, ports, sizeof(ports));
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), 0);
	assert_int_equal(v->run, VCPU_POLLING);
	fake_run(v); /* waits */
	assert_int_equal(v->run, VCPU_POLLING);
	fake_advance_ns(MS + 1);
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	/* a port of its list, masked or not */
	p.timeout = 0;
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), 0);
	fake.signals = 0;
	evtchn_set_pending(timer_port); /* by its own thread, which looks before it waits */
	assert_int_equal(fake.signals, 0);
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	evtchn_clear(timer_port);
	assert_int_equal(sched_op(v, arg, false), 0);
	fake.thread = 1;
	evtchn_set_pending(timer_port);
	assert_true(fake.signals > 0);
	fake.thread = 0;
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	/* pending before: returns at once */
	assert_int_equal(sched_op(v, arg, false), 0);
	assert_int_equal(v->run, VCPU_RUNNING);
	p.nr_ports = 2;
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), -XEN_EINVAL);
	p.nr_ports = 129;
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), -XEN_EINVAL);
	p.nr_ports = UINT32_MAX;
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), -XEN_EINVAL);
	p.nr_ports = 2;
	p.ports.p = (void *)(uintptr_t)(FAKE_LOW_RAM - 4);
	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(sched_op(v, arg, false), -XEN_EFAULT);
	{
		const uint64_t block[5] = {SCHEDOP_block};
		struct vcpu_info *vi = v->vcpu_info;

		vi->evtchn_upcall_mask = 1;
		vi->evtchn_upcall_pending = 1;
		assert_int_equal(sched_op(v, block, false), 0);
		assert_int_equal(v->run, VCPU_RUNNING);
		vi->evtchn_upcall_pending = 0;
		assert_int_equal(sched_op(v, block, false), 0);
		assert_int_equal(v->run, VCPU_HALTED);
		assert_int_equal(vi->evtchn_upcall_mask, 0);
	}
}

/* A spinlock's wait with interrupts off lasts, whatever is pending; one with interrupts on ends for them. */
static void poll_with_interrupts_off(void **state)
{
	struct vcpu *v = vmm.vcpu[0];
	struct sched_poll p = {.nr_ports = 1};
	const uint64_t arg[5] = {SCHEDOP_poll, ARG};

	(void)state;
	p.ports.p = (void *)0x3000;
	fake_poke(0x3000, &timer_port, sizeof(timer_port));
	fake_poke(ARG, &p, sizeof(p));
	v->upcall_vector = 0xf3;
	v->lapic.svr |= 0x100;
	assert_true(lapic_accept(&v->lapic, 0xf3, false));
	v->s->rflags = 2;
	assert_int_equal(sched_op(v, arg, false), 0);
	fake_run(v);
	assert_int_equal(v->run, VCPU_POLLING);
	evtchn_set_pending(timer_port);
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	evtchn_clear(timer_port);
	v->s->rflags = 0x202;
	assert_int_equal(sched_op(v, arg, false), 0);
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	/* what comes while it waits is told, as on Xen */
	v->s->rflags = 2;
	memset(v->lapic.irr, 0, sizeof(v->lapic.irr));
	memset(v->lapic.isr, 0, sizeof(v->lapic.isr));
	assert_int_equal(sched_op(v, arg, false), 0);
	fake_run(v);
	assert_int_equal(v->run, VCPU_POLLING);
	assert_true(lapic_accept(&v->lapic, 0xf3, false));
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
}

static void ends(void **state)
{
	const uint64_t arg[5] = {SCHEDOP_shutdown, ARG}, remote[5] = {SCHEDOP_remote_shutdown, ARG};
	uint32_t reason = SHUTDOWN_MAX + 1;

	(void)state;
	fake_poke(ARG, &reason, sizeof(reason));
	assert_int_equal(sched_op(vmm.vcpu[0], arg, false), -XEN_EINVAL);
	assert_int_equal(fake.shutdowns, 0);
	assert_int_equal(sched_op(vmm.vcpu[0], remote, false), -XEN_EPERM);
	reason = SHUTDOWN_crash;
	fake_poke(ARG, &reason, sizeof(reason));
	assert_int_equal(sched_op(vmm.vcpu[0], arg, false), 0);
	assert_int_equal(fake.reason, SHUTDOWN_crash);
}

static int64_t watchdog(uint32_t vcpu, uint32_t id, uint32_t seconds)
{
	const uint64_t arg[5] = {SCHEDOP_watchdog, ARG};
	const struct sched_watchdog w = {.id = id, .timeout = seconds};

	fake_poke(ARG, &w, sizeof(w));
	fake.thread = vcpu;
	return sched_op(vmm.vcpu[vcpu], arg, false);
}

static void watchdogs(void **state)
{
	const uint64_t hole[5] = {SCHEDOP_watchdog, FAKE_LOW_RAM - 4};

	(void)state;
	assert_int_equal(watchdog(0, 0, 0), -XEN_EINVAL);
	assert_int_equal(watchdog(0, 1, 5), -XEN_EINVAL);
	assert_int_equal(watchdog(0, 3, 5), -XEN_EINVAL);
	assert_int_equal(watchdog(0, UINT32_MAX, 5), -XEN_EINVAL);
	assert_int_equal(sched_op(vmm.vcpu[0], hole, false), -XEN_EFAULT);
	assert_int_equal(watchdog(0, 0, 5), 1);
	assert_in_range(fake.timer_tsc, fake.tsc + 2 * 5000 * MS - 2, fake.tsc + 2 * 5000 * MS + 2);
	assert_int_equal(watchdog(1, 0, UINT32_MAX), 2);
	assert_int_equal(watchdog(0, 0, 5), -XEN_ENOSPC);
	/* given up by another vCPU, it can be had again */
	assert_int_equal(watchdog(0, 2, 0), 0);
	assert_int_equal(vmm.vcpu[1]->watchdog_ns[1], UINT64_MAX);
	assert_int_equal(watchdog(0, 2, 1), -XEN_EINVAL);
	assert_int_equal(watchdog(1, 0, 100), 2);
	/* set anew in time by another vCPU, it does not run out where it was */
	fake_advance_ns(4000 * MS);
	assert_int_equal(watchdog(1, 1, 5), 0);
	fake_advance_ns(4000 * MS);
	timer_expired(vmm.vcpu[0]);
	timer_expired(vmm.vcpu[1]);
	assert_int_equal(fake.shutdowns, 0);
	fake_advance_ns(1001 * MS);
	timer_expired(vmm.vcpu[0]);
	assert_int_equal(fake.shutdowns, 0);
	timer_expired(vmm.vcpu[1]);
	assert_int_equal(fake.shutdowns, 1);
	assert_int_equal(fake.reason, SHUTDOWN_watchdog);
}

/* What comes between a domain's end and its going on, as the toolstack looks at it, is not lost. */
static void missed(void **state)
{
	struct vcpu *v = vmm.vcpu[0];

	(void)state;
	assert_int_equal(singleshot(time_system_ns() + MS, 0), 0);
	fake_advance_ns(2 * MS);
	vmm.ended = true;
	vcpu_events(v, VMM_EVENT_TIMER);
	assert_false(evtchn_is_pending(timer_port));
	fake_run(v);
	assert_false(evtchn_is_pending(timer_port));
	vmm.ended = false;
	fake_run(v);
	assert_true(evtchn_is_pending(timer_port));
	evtchn_clear(timer_port);
	v->singleshot_ns = time_system_ns();
	fake_run(v);
	assert_false(evtchn_is_pending(timer_port)); /* once */
}

/* As vCPU 1's thread, until it would wait or enter. */
static void run_other(void)
{
	fake.thread = 1;
	fake_run(vmm.vcpu[1]);
	fake.thread = 0;
}

static void start_other(uint8_t delivery)
{
	vcpu_apic_action(vmm.vcpu[0], (struct lapic_action){.kind = LAPIC_SEND, .delivery = delivery, .vector = 9, .destination = vmm.vcpu[1]->lapic.id});
	vcpu_events(vmm.vcpu[1], VMM_EVENT_KICK);
}

/* One that halted for good, as Linux does when it takes a vCPU out, or one that runs: INIT resets all of it, and what it is to hear of stays. */
static void init_resets(void **state)
{
	struct vcpu *v = vmm.vcpu[1];

	(void)state;
	for (unsigned halted = 0; halted < 2; halted++) {
		fake_long_mode(v);
		vcpu_set_online(v, true);
		v->upcall_vector = 0xf3;
		v->lapic.svr |= 0x100;
		v->lapic.tpr = 0xff;
		v->lapic.isr[7] = 1u << 30;
		vmm_lock();
		evtchn_upcall(v);
		vmm_unlock();
		if (halted)
			vcpu_set_online(v, false);
		v->nmi_pending = v->step_pending = true;
		v->inject_info = 0x80000b0e;
		start_other(5);
		assert_int_equal(v->run, VCPU_OFFLINE);
		assert_int_equal(v->lapic.tpr | v->lapic.isr[7], 0);
		assert_int_equal(v->lapic.svr, 0xff);
		assert_false(v->nmi_pending || v->step_pending || v->inject_info);
		assert_int_equal(v->lapic.irr[7], 1u << 19);
		/* another one changes nothing */
		assert_true(lapic_assert(&v->lapic, 0xf4));
		start_other(5);
		assert_int_equal(v->lapic.irr[7], 3u << 19);
		start_other(6);
		assert_int_equal(v->run, VCPU_RUNNING);
		assert_int_equal(v->s->seg[INSULA_CS].base, 0x9000);
		/* nor does INIT invent an upcall */
		memset(v->lapic.irr, 0, sizeof(v->lapic.irr));
		*vcpu_info_upcall_pending(v) = 0;
		start_other(5);
		assert_int_equal(v->lapic.irr[7], 0);
		run_other();
		assert_int_equal(v->run, VCPU_OFFLINE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(watchdogs, setup),
		cmocka_unit_test_setup(singleshots, setup),
		cmocka_unit_test_setup(older_name, setup),
		cmocka_unit_test_setup(periods, setup),
		cmocka_unit_test_setup(others, setup),
		cmocka_unit_test_setup(up_and_down, setup),
		cmocka_unit_test_setup(runstate, setup),
		cmocka_unit_test_setup(time_area, setup),
		cmocka_unit_test_setup(poll_and_block, setup),
		cmocka_unit_test_setup(poll_with_interrupts_off, setup),
		cmocka_unit_test_setup(ends, setup),
		cmocka_unit_test_setup(init_resets, setup),
		cmocka_unit_test_setup(missed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
