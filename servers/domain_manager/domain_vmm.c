/* A domain's vmm: its process and what it is told at its start, and what it reports. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/root_call.h"
#include "user/log.h"
#include <xen/sched.h>

#define VMM_LOG_LINES 100u
#define VMM_PRIORITY  100u
#define VMM_UNTYPED_BITS 19u
#define VMM_OWN_SLOTS	 320u /* of its CNode, beyond those that we fill: its objects and placed pages */

static unsigned log2_up(uint32_t n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

static uint64_t heap_bytes(const struct domain *d)
{
	uint64_t bytes = (32u << 10) + d->spec.vcpus * (8u << 10) + (uint64_t)d->ports * VMM_PORT_BYTES + (d->privileged ? VMM_FOREIGN_BYTES : 0);

	return (bytes + 4095) & ~4095ull;
}

int domain_vmm_create(struct domain *d, uint32_t first_own)
{
	uint32_t cnode = d->slot_base + ROOT_TASK_SLOT_CNODE, ept = d->slot_next++;
	struct root_task t = {.threads = d->spec.vcpus,
			      .heap_bytes = heap_bytes(d),
			      .priority = VMM_PRIORITY,
			      .flags = ROOT_TASK_EPT,
			      .program = "vmm",
			      .slot_base = d->slot_base,
			      .untyped_bits = VMM_UNTYPED_BITS};
	int r = root_account_create(&d->account);

	if (r)
		return r;
	t.account = d->account;
	t.cnode_bits = log2_up(first_own + VMM_OWN_SLOTS);
	t.untyped_bits += log2_up((d->spec.vcpus + 3) / 4);
	r = root_task_create(&t, &d->task);
	if (r)
		return r;
	if (seL4_CNode_Copy(TASK_SLOT_CNODE, ept, seL4_WordBits, cnode, TASK_SLOT_EPT_ROOT, seL4_WordBits,
			    seL4_AllRights) ||
	    seL4_CNode_Mint(cnode, TASK_SLOT_DOMAINS, seL4_WordBits, TASK_SLOT_CNODE, TASK_SLOT_SERVICE,
			    seL4_WordBits, seL4_CapRights_new(true, true, false, true),
			    DOMAIN_BADGE_VMM | (d->privileged ? DOMAIN_BADGE_PRIVILEGED : 0) | d->id))
		return -ENOMEM;
	return physmap_init(&d->map, &d->heap, d->account, ept, d->slot_base + ROOT_TASK_SLOT_VSPACE);
}

/* The page is of our own memory: it outlives the domain. */
int domain_vmm_control(struct domain *d, uint32_t slot, struct vmm_start *start)
{
	memset(d->control, 0, 4096);
	start->control_frame_slot = slot;
	return seL4_CNode_Copy(d->slot_base + ROOT_TASK_SLOT_CNODE, slot, seL4_WordBits, TASK_SLOT_CNODE,
			       d->control_slot, seL4_WordBits, seL4_ReadWrite)
		   ? -ENOMEM
		   : 0;
}

int domain_vmm_tell(const struct domain *d, struct vmm_start *start, uint32_t first_own)
{
	start->domid = d->id;
	start->vcpus = d->spec.vcpus;
	start->ports = d->ports;
	start->peer_slot = d->peer_slot;
	start->first_free_slot = first_own;
	memcpy(start->uuid, d->uuid, sizeof(start->uuid));
	return root_task_env(d->task, offsetof(struct task_env, data), start, (sizeof(*start) + 7) & ~7u);
}

/* ---- what vmms report ---- */

void domain_vmm_ready(uint32_t id)
{
	struct domain *d = domain_find(id);

	if (d)
		d->ready = true;
}

void domain_vmm_shutdown(uint32_t id, uint32_t reason)
{
	struct domain *d = domain_find(id);

	if (d)
		domain_ended(d, reason <= SHUTDOWN_MAX ? reason : SHUTDOWN_crash);
}

void domain_vmm_refused(uint32_t id, const char *why)
{
	struct domain *d = domain_find(id);

	if (!d)
		return;
	log_line("domain %u (%s) refused: %s", id, d->spec.name, why);
	d->refused = true;
	domain_ended(d, SHUTDOWN_crash);
}

void domain_vmm_log(uint32_t id, const char *text)
{
	struct domain *d = domain_find(id);

	/* a vmm that never stops talking is not listened to for ever */
	if (d && d->log_lines < VMM_LOG_LINES) {
		d->log_lines++;
		log_line("%s", text);
	}
}

void domain_task_faulted(uint32_t task)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = domain_row(i);

		if (d && d->task == task)
			domain_crash(d, "its vmm failed");
	}
}
