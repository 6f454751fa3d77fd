/*
 * A CPU's time as a guest has it. `share` works without end and says four times a second, or each `every` ms, how much it has done, and how
 * long it ran and waited by its runstate. `wake` sleeps, and says how late it woke; `for` says how many times. `watchdog` has a watchdog of two seconds, sets it
 * each second `for` times, and then no more.
 */
#include "payload.h"

#include <xen/sched.h>
#include <xen/vcpu.h>

#define SHARE_LOOPS  1000u
#define WAKE_SLEEP   UINT64_C(20000000) /* ns; and a part of WAKE_SPREAD, so that it comes at any moment of others' turns */
#define WAKE_SPREAD  UINT64_C(10000000)
#define WAKE_STEP    UINT64_C(6180340)
#define SHARE_REPORT 250u /* ms */
#define NS_PER_MS    UINT64_C(1000000)

static struct vcpu_runstate_info share_runstate(void)
{
	static struct vcpu_runstate_info r;

	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, address(&r), 0, 0);
	return r;
}

/* System time: all states' times together. */
static uint64_t share_now(const struct vcpu_runstate_info *r)
{
	return r->time[RUNSTATE_running] + r->time[RUNSTATE_runnable] + r->time[RUNSTATE_blocked] + r->time[RUNSTATE_offline];
}

static void share_item(const char *what, uint64_t value)
{
	console_print(what);
	console_number(value);
}

static void share(void)
{
	uint64_t every = payload_option("every", SHARE_REPORT) * NS_PER_MS, done = 0, next = 0;

	for (;;) {
		struct vcpu_runstate_info r;

		for (volatile unsigned int i = 0; i < SHARE_LOOPS; i++)
			;
		done++;
		if (done % 16)
			continue;
		r = share_runstate();
		if (share_now(&r) < next)
			continue;
		next = share_now(&r) + every;
		share_item("SHARE at ", share_now(&r));
		share_item(" done ", done);
		share_item(" ran ", r.time[RUNSTATE_running]);
		share_item(" waited ", r.time[RUNSTATE_runnable]);
		console_print("\n");
	}
}

static void wake(void)
{
	uint64_t times = payload_option("for", 100), worst = 0, sum = 0;

	for (uint64_t i = 0; i < times; i++) {
		struct vcpu_runstate_info r = share_runstate();
		struct sched_poll poll = { .timeout = share_now(&r) + WAKE_SLEEP + i * WAKE_STEP % WAKE_SPREAD };
		uint64_t late;

		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
		r = share_runstate();
		late = share_now(&r) > poll.timeout ? share_now(&r) - poll.timeout : 0;
		worst = late > worst ? late : worst;
		sum += late;
	}
	share_item("WAKE times ", times);
	share_item(" worst ", worst);
	share_item(" mean ", sum / (times ? times : 1));
	console_print("\n");
}

static void watch_for(void)
{
	struct sched_watchdog watchdog = { .timeout = 2 };
	struct sched_poll poll = { .timeout = 0 };

	watchdog.id = (uint32_t)hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, address(&watchdog));
	for (uint64_t i = payload_option("for", 3); i; i--) {
		struct vcpu_runstate_info r = share_runstate();

		poll.timeout = share_now(&r) + 1000 * NS_PER_MS;
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
		if (hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, address(&watchdog)))
			console_print("WATCH refused\n");
		share_item("WATCH set ", watchdog.id);
		console_print("\n");
	}
	poll.timeout = 0;
	for (;;)
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
}

const struct payload_mode share_modes[] = {
	{ "share", share },
	{ "wake", wake },
	{ "watchdog", watch_for },
	{ NULL, NULL },
};
