/* Domains that are let run and held, and signals to their vmms. */
#include <errno.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/context.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include <xen/sched.h>

void domain_signal(struct domain *d, uint32_t vcpu, uint64_t badge)
{
	uint32_t slot = d->slot_base + d->slot_count - 1;

	if (seL4_CNode_Mint(TASK_SLOT_CNODE, slot, seL4_WordBits, TASK_SLOT_CNODE,
			    SLOT_THREADS(d) + 3 * vcpu + 2, seL4_WordBits,
			    seL4_CapRights_new(false, false, false, true), badge))
		return; /* it is on its way out */
	seL4_Signal(slot);
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
}

void domain_signal_control(struct domain *d)
{
	domain_signal(d, 0, VMM_EVENT_CONTROL);
}

void domain_exception(void)
{
	struct domain *d = domain_find(0);

	if (!d || !d->privileged)
		return;
	__atomic_fetch_or(&d->control->request, VMM_REQUEST_DOM_EXC, __ATOMIC_RELEASE);
	domain_signal_control(d);
}

/* Of a domain that a toolstack has built: its vmm runs for the first time. */
static int start(struct domain *d)
{
	domain_ram_describe(d);
	if (seL4_TCB_Resume(SLOT_THREADS(d))) {
		d->pauses++;
		return -ENOMEM;
	}
	d->started = true;
	return 0;
}

/* ---- pause: a thread without its scheduling context does not run, whatever it is doing ---- */

int domain_pause(uint32_t id)
{
	struct domain *d = domain_find(id);

	if (!d)
		return -ESRCH;
	context_paused(d);
	if (d->pauses++ == 0 && (!d->bare || d->started))
		for (uint32_t i = 0; i < d->spec.vcpus; i++)
			(void)seL4_SchedContext_Unbind(SLOT_THREADS(d) + 3 * i + 1);
	return 0;
}

int domain_unpause(uint32_t id)
{
	struct domain *d = domain_find(id);

	if (!d)
		return -ESRCH;
	if (d->pauses == 0)
		return -EINVAL;
	context_unpaused(d);
	if (--d->pauses == 0 && d->bare && !d->started)
		return start(d);
	/* one that has ended for good never runs again */
	if (d->pauses == 0 && !d->dying && !d->stopped)
		for (uint32_t i = 0; i < d->spec.vcpus; i++)
			(void)seL4_SchedContext_Bind(SLOT_THREADS(d) + 3 * i + 1, SLOT_THREADS(d) + 3 * i);
	return 0;
}

int domain_shutdown(uint32_t id, uint32_t reason)
{
	struct domain *d = domain_find(id);

	if (!d)
		return -ESRCH;
	if (reason != SHUTDOWN_poweroff && reason != SHUTDOWN_reboot)
		return -EINVAL;
	__atomic_fetch_or(&d->control->request, VMM_REQUEST_POWER, __ATOMIC_RELEASE);
	domain_signal_control(d);
	return 0;
}

void domain_resume(struct domain *d)
{
	d->ended = d->told = false;
	d->shutdown_reason = 0;
	__atomic_fetch_or(&d->control->request, VMM_REQUEST_RESUME, __ATOMIC_RELEASE);
	domain_signal_control(d);
}

int domain_focus(uint32_t id)
{
	struct domain *d = domain_find(id);

	return d && d->console_open ? console_focus(d->console_client) : -ESRCH;
}
