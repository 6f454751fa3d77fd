/* Debug keys (XEN_SYSCTL_debug_keys, `xl debug-keys`): what is told goes to the log, where `xl dmesg` finds
 * it. */
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/root_call.h"
#include "user/env.h"
#include "user/log.h"

static void help(void);

static void run_queues(void)
{
	log_line("scheduler: credit2, %u CPUs, ratelimit %u us", env_get()->cpu_count, domain_ratelimit());
	for (uint32_t cpu = 0; cpu < env_get()->cpu_count; cpu++) {
		log_line("CPU %u:", cpu);
		for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1))
			for (uint32_t i = 0; i < d->placed; i++)
				if (d->cpu[i] == cpu)
					log_line("  d%uv%u weight %u cap %u%%: %u us of %u us", d->id, i,
						 d->weight, d->cap, d->vcpu[i].budget_us,
						 d->vcpu[i].period_us);
	}
}

static void domains(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1)) {
		log_line("domain %u: %s%s%s%spages %llu, paused %u times, vCPUs %u, online 0x%x", d->id,
			 d->privileged ? "privileged, " : "", d->dying ? "dying, " : "",
			 d->ended ? "shut down, " : "", d->bare && !d->started ? "not started, " : "",
			 (unsigned long long)(d->ram_bytes >> 12), d->pauses, d->spec.vcpus,
			 domain_online(d));
		for (uint32_t i = 0; i < d->placed; i++)
			log_line("  vCPU %u: CPU %u, %llu us", i, d->cpu[i],
				 (unsigned long long)domain_vcpu_us(d, i));
	}
}

static void memory(void)
{
	uint64_t info[ROOT_INFO_WORDS];

	if (page_store_info(info))
		return;
	log_line("memory: total %llu KiB, free %llu KiB, domains %llu KiB, servers %llu KiB, kernel %llu KiB",
		 (unsigned long long)(info[ROOT_INFO_TOTAL] >> 10),
		 (unsigned long long)(info[ROOT_INFO_FREE] >> 10),
		 (unsigned long long)(info[ROOT_INFO_DOMAINS] >> 10),
		 (unsigned long long)(info[ROOT_INFO_SERVERS] >> 10),
		 (unsigned long long)(info[ROOT_INFO_KERNEL] >> 10));
}

static void everything(void)
{
	domains();
	run_queues();
	memory();
}

static void reboot(void)
{
	if (root_machine_end(ROOT_MACHINE_REBOOT))
		log_line("the machine cannot be reset");
}

/* Xen's keys, those for which there is something to tell or to do. */
static const struct key {
	char key;
	void (*act)(void);
	const char *what;
} keys[] = {
    {'*', everything, "all that the keys below tell"},
    {'h', help, "this list"},
    {'m', memory, "memory"},
    {'q', domains, "domains and their vCPUs"},
    {'r', run_queues, "which vCPUs each CPU has"},
    {'R', reboot, "reset of the machine"},
};

static void help(void)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		log_line("key '%c': %s", keys[i].key, keys[i].what);
}

void control_key(char key)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].key == key) {
			log_line("'%c' pressed -> %s", key, keys[i].what);
			keys[i].act();
		}
}
