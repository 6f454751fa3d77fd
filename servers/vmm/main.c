/* The vmm's start: environment, memory, kernel, vCPUs; and its end. */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include <string.h>
#include "proto/domain/domain.h"
#include "sel4/sel4.h"
#include "servers/vmm/xen/evtchn.h"
#include "servers/vmm/xen/xen.h"
#include "user/env.h"
#include "user/log.h"
#include "user/log_route.h"
#include "user/message.h"
#include "user/slot.h"
#include "user/vspace.h"
#include <xen/sched.h>
#include <xen/xen.h>

struct vmm vmm;

/* The runtime's log lines go to the domain manager: a vmm has no console of its own but the guest's. */
static void log_to_manager(const char *text, uint32_t n)
{
	struct message m;
	char line[241];
	uint32_t length = n && n < sizeof(line) ? n - 1 : 0; /* without the newline */

	memcpy(line, text, length);
	line[length] = 0;
	message_begin(&m);
	message_put_string(&m, line);
	(void)message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_LOG);
}

static void refuse(int error, const char *why)
{
	struct message m;

	message_begin(&m);
	message_put(&m, (uint64_t)(int64_t)error);
	message_put_string(&m, why);
	(void)message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_REFUSED);
	/* the domain manager takes the process away */
	for (;;)
		seL4_Wait(TASK_SLOT_NOTIFICATION, NULL);
}

static void shutdown_tell(void)
{
	struct message m;

	message_begin(&m);
	message_put(&m, vmm.reason);
	(void)message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_SHUTDOWN);
}

void vmm_shutdown(unsigned reason, const char *why)
{
	if (__atomic_exchange_n(&vmm.ended, true, __ATOMIC_ACQ_REL))
		return;
	if (why)
		log_line("domain %u: %s", vmm.domid, why);
	vmm.reason = reason;
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		vcpu_kick(vmm.vcpu[i]);
}

/* A toolstack that hears of the end finds memory and vCPUs as they stay. */
void vmm_parked(struct vcpu *v)
{
	bool last;

	/* a thread that wakes beside vmm_resume finds that nothing has ended, or was counted for this end
	 * before */
	vmm_lock();
	last = __atomic_load_n(&vmm.ended, __ATOMIC_ACQUIRE) && v->parked != vmm.lives;
	if (last) {
		v->parked = vmm.lives;
		last = ++vmm.parked == vmm.vcpu_count;
	}
	vmm_unlock();
	if (last)
		shutdown_tell();
}

/* It comes when all have parked. */
void vmm_resume(void)
{
	if (!(__atomic_fetch_and(&vmm.control->request, ~VMM_REQUEST_RESUME, __ATOMIC_ACQ_REL) &
	      VMM_REQUEST_RESUME))
		return;
	vmm_lock();
	vmm.parked = 0;
	vmm.lives++;
	__atomic_store_n(&vmm.ended, false, __ATOMIC_RELEASE);
	vmm_unlock();
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		vcpu_kick(vmm.vcpu[i]);
}

static void nmis(void)
{
	uint32_t to = __atomic_exchange_n(&vmm.control->nmi, 0, __ATOMIC_ACQ_REL);

	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		if (to >> i & 1) {
			__atomic_store_n(&vmm.vcpu[i]->nmi_pending, true, __ATOMIC_RELEASE);
			vcpu_kick(vmm.vcpu[i]);
		}
}

void control_service(void)
{
	uint32_t request = __atomic_exchange_n(&vmm.control->request, 0, __ATOMIC_ACQ_REL);

	if (request & VMM_REQUEST_PORTS) {
		vmm_lock();
		evtchn_remote_changes();
		vmm_unlock();
	}
	if (request & VMM_REQUEST_DOM_EXC) {
		vmm_lock();
		evtchn_raise_virq(vmm.vcpu[0], VIRQ_DOM_EXC);
		vmm_unlock();
	}
	if (request & VMM_REQUEST_NMI)
		nmis();
	if (request & VMM_REQUEST_POWER) {
		vmm_lock();
		xen_power_button();
		vmm_unlock();
	}
}

/* As its kernel's image says, or the toolstack that built or restored the domain. */
static void start_vcpus(void)
{
	struct load_result loaded;
	char why[160];
	int error;

	if (!(vmm.start->flags & VMM_START_BARE)) {
		error = load_guest(&loaded, why, sizeof(why));
		if (error)
			refuse(error, why);
		vcpu_start_boot(vmm.vcpu[0], &loaded);
	} else if (vmm.control->restored) {
		for (uint32_t i = 0; i < vmm.vcpu_count; i++)
			if (context_start(vmm.vcpu[i]))
				vcpu_set_online(vmm.vcpu[i], true);
	} else {
		(void)vcpu_start_record(vmm.vcpu[0], vmm.control->cpu, vmm.control->cpu_bytes);
	}
	if (vmm.vcpu[0]->run == VCPU_OFFLINE)
		vmm_shutdown(SHUTDOWN_crash, "its first CPU has no state");
}

static void ready_tell(void)
{
	struct message m;

	message_begin(&m);
	(void)message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_READY);
}

int main(void)
{
	const struct task_env *env = env_get();

	vmm.start = (const struct vmm_start *)(const void *)env->data;
	slot_begin(vmm.start->first_free_slot);
	log_route(log_to_manager);
	vmm.domid = vmm.start->domid;
	vmm.vcpu_count = vmm.start->vcpus;
	vmm.lives = 1;
	vmm.tsc_hz = env->tsc_hz;
	vmm.tsc_start = cpu_tsc();
	if (!pvclock_scale(vmm.tsc_hz, &vmm.clock) || vmm.vcpu_count == 0 || vmm.vcpu_count > VMM_MAX_VCPUS)
		abort();
	vmm.wall_ns_start =
	    env->wall_ns_at_tsc0 ? env->wall_ns_at_tsc0 + pvclock_ns(vmm.clock, vmm.tsc_start) : 0;
	vmm.control = (struct vmm_control *)(TASK_SHARED_VADDR + PAGE);
	if (vspace_map(vmm.start->control_frame_slot, (uint64_t)(uintptr_t)vmm.control, true, false))
		abort();

	vmm_lock_init();
	memory_init();
	vmm.ram_bytes = memory_ram_bytes();
	cpuid_init();
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		vcpu_create(i);
	console_init();
	xen_init();
	start_vcpus();
	ready_tell();
	vcpu_main(vmm.vcpu[0]);
}
