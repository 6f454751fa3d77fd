/* Domains that a toolstack builds step by step: created without memory, filled through foreign mappings,
 * started by the first unpause. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "proto/task/task.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include <xen/hvm/params.h>
#include <xen/sched.h>

#define MEMPOOL_FIRST (1ull << 20) /* what Xen gives a new domain for its second-level tables */

static int build(struct domain *d, uint32_t flags)
{
	static struct vmm_start start;
	/* slots of the vmm's CNode from TASK_SLOT_FREE: control 1, peers */
	uint32_t control = TASK_SLOT_FREE, peers = control + 1, end = peers + VMM_PEERS;
	int r = domain_vmm_create(d, end);

	if (r)
		return r;
	memset(&start, 0, sizeof(start));
	r = domain_vmm_control(d, control, &start);
	if (r)
		return r;
	start.flags = VMM_START_BARE | flags;
	d->peer_slot = peers;
	return domain_vmm_tell(d, &start, end);
}

int domain_create_bare(uint32_t vcpus, const uint8_t uuid[16], uint32_t wanted, uint32_t grant_frames,
		       uint32_t maptrack_frames, uint32_t ports, bool msr_relaxed, uint32_t *id)
{
	struct domain_spec spec = {.vcpus = vcpus};
	struct domain *d;
	int r;

	if (vcpus == 0 || vcpus > VMM_MAX_VCPUS)
		return -EINVAL;
	if (wanted && domain_find(wanted))
		return -EEXIST;
	d = domain_take(&spec, wanted);
	if (!d)
		return -ENOMEM;
	(void)snprintf(d->spec.name, sizeof(d->spec.name), "dom%u", d->id);
	d->bare = true;
	d->pauses = 1;
	d->grant_frames_max = grant_frames;
	d->maptrack_frames = maptrack_frames;
	d->ports = ports;
	memcpy(d->uuid, uuid, sizeof(d->uuid));
	r = build(d, msr_relaxed ? VMM_START_MSR_RELAXED : 0);
	if (!r) {
		d->control->param[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot; /* Xen's default */
		r = domain_tables_set(d, MEMPOOL_FIRST);
	}
	if (!r)
		r = domain_place(d);
	if (r) {
		domain_release(d);
		return r;
	}
	*id = d->id;
	return 0;
}
