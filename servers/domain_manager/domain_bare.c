/*
 * Domains that a toolstack builds step by step: created without memory, filled through foreign mappings, started by the first unpause. Any destroyed domain
 * stays in the table, dying, until nobody has a page of its mapped any more (Xen's state d).
 */
#include <errno.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/context.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/evtchn.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/root_call.h"
#include "user/log.h"
#include "user/slot.h"
#include <xen/sched.h>

#define PLACES_EXTRA  1024u	   /* for pages beyond a domain's maximum: it plugs in 2 MiB for one */
#define MEMPOOL_FIRST (1ull << 20) /* what Xen gives a new domain for its second-level tables */

static int build(struct domain *d, uint32_t flags)
{
	static struct vmm_start start;
	uint32_t cnode = d->slot_base + ROOT_TASK_SLOT_CNODE, ept = d->slot_next++;
	struct root_task t = {.threads = d->spec.vcpus, .heap_bytes = VMM_HEAP(d->spec.vcpus, d->ports), .priority = VMM_PRIORITY, .flags = ROOT_TASK_EPT,
			      .program = "vmm", .slot_base = d->slot_base, .untyped_bits = VMM_UNTYPED_BITS};
	int r = root_account_create(&d->account);

	if (r)
		return r;
	t.account = d->account;
	t.cnode_bits = domain_log2_up(TASK_SLOT_FREE + VMM_PEERS + VMM_OWN_SLOTS);
	t.untyped_bits += domain_log2_up((d->spec.vcpus + 3) / 4);
	r = root_task_create(&t, &d->task);
	if (r)
		return r;
	if (seL4_CNode_Copy(TASK_SLOT_CNODE, ept, seL4_WordBits, cnode, TASK_SLOT_EPT_ROOT, seL4_WordBits, seL4_AllRights))
		return -ENOMEM;
	r = physmap_init(&d->map, &d->heap, d->account, ept, d->slot_base + ROOT_TASK_SLOT_VSPACE);
	if (r)
		return r;
	memset(&start, 0, sizeof(start));
	r = domain_control_connect(d, cnode, TASK_SLOT_FREE, &start);
	if (!r && seL4_CNode_Mint(cnode, TASK_SLOT_DOMAINS, seL4_WordBits, TASK_SLOT_CNODE, TASK_SLOT_SERVICE, seL4_WordBits,
				  seL4_CapRights_new(true, true, false, true), DOMAIN_BADGE_VMM | d->id))
		r = -ENOMEM;
	if (r)
		return r;
	start.domid = d->id;
	start.vcpus = d->spec.vcpus;
	start.flags = VMM_START_BARE | flags;
	start.ports = d->ports;
	start.peer_slot = d->peer_slot = TASK_SLOT_FREE + 1;
	start.first_free_slot = TASK_SLOT_FREE + 1 + VMM_PEERS;
	memcpy(start.uuid, d->uuid, sizeof(start.uuid));
	return root_task_env(d->task, offsetof(struct task_env, data), &start, (sizeof(start) + 7) & ~7u);
}

int domain_create_bare(uint32_t vcpus, const uint8_t uuid[16], uint32_t wanted, uint32_t grant_frames, uint32_t maptrack_frames, uint32_t ports, bool msr_relaxed,
		       uint32_t *id)
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
	d->mempool_bytes = MEMPOOL_FIRST;
	d->grant_frames_max = grant_frames;
	d->maptrack_frames = maptrack_frames;
	d->ports = ports;
	memcpy(d->uuid, uuid, sizeof(d->uuid));
	r = build(d, msr_relaxed ? VMM_START_MSR_RELAXED : 0);
	if (!r)
		r = domain_place(d);
	if (r) {
		domain_release(d);
		return r;
	}
	*id = d->id;
	return 0;
}

/*
 * The memory that it has now, or will have when it is looked for, as runs of pages: what its vmm may look at. If there are too many runs (a restored domain that had given pages back here and
 * there), the last one covers the holes, too, and its vmm asks for each page.
 */
void domain_ram_describe(struct domain *d)
{
	struct vmm_control *c = d->control;
	uint64_t gfn = 0;

	c->ram_count = 0;
	c->demand = d->map.p2m.pages[P2M_POD] != 0;
	while (p2m_next(&d->map.p2m, gfn, &gfn)) {
		struct vmm_ram *last = c->ram_count ? &c->ram[c->ram_count - 1] : NULL;
		struct p2m_entry e = p2m_get(&d->map.p2m, gfn);
		uint64_t n = e.large ? P2M_LARGE_PAGES - gfn % P2M_LARGE_PAGES : 1;

		if (e.kind != P2M_RAM && e.kind != P2M_POD) {
			gfn += n;
			continue;
		}
		if (last && last->gfn + last->pages == gfn) {
			last->pages += n;
		} else if (c->ram_count < VMM_RAM_MAX) {
			c->ram[c->ram_count++] = (struct vmm_ram){.gfn = gfn, .pages = n};
		} else {
			last->pages = gfn + n - last->gfn;
			c->demand = 1;
		}
		gfn += n;
	}
}

int domain_bare_start(struct domain *d)
{
	domain_ram_describe(d);
	if (seL4_TCB_Resume(SLOT_THREADS(d))) {
		d->pauses++;
		return -ENOMEM;
	}
	d->started = true;
	return 0;
}

void domain_allow_pages(struct domain *d, uint64_t pages)
{
	d->max_pages = pages;
	domain_heap_allow(&d->heap, pages);
	if (d->map.most < pages + PLACES_EXTRA)
		d->map.most = pages + PLACES_EXTRA;
}

void domain_pages_changed(struct domain *d)
{
	d->ram_bytes = physmap_pages(&d->map) << 12;
	/* where root has less now than is to be kept, it is tried again with the next change */
	(void)physmap_keep(&d->map);
}

void domain_crash(struct domain *d, const char *why)
{
	log_line("domain %u (%s) crashed: %s", d->id, d->spec.name, why);
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		(void)seL4_TCB_Suspend(SLOT_THREADS(d) + 3 * i);
	d->stopped = true;
	domain_vmm_shutdown(d->id, SHUTDOWN_crash);
}

int domain_end(struct domain *d)
{
	if (!d->dying) {
		d->dying = true;
		/* none of its threads runs again */
		for (uint32_t i = 0; i < d->spec.vcpus; i++)
			(void)seL4_TCB_Suspend(SLOT_THREADS(d) + 3 * i);
		domain_unplace(d);
		if (d->console_open)
			(void)console_close(d->console_client);
		d->console_open = false;
	}
	if (!grant_release(d))
		return -EAGAIN;
	evtchn_domain_gone(d);
	if (d->map.foreign_elsewhere == 0)
		domain_release(d);
	domain_exception();
	return 0;
}

void domain_foreign_gone(struct domain *d)
{
	if (--d->map.foreign_elsewhere == 0 && d->dying) {
		domain_release(d);
		domain_exception();
	}
}

void domain_bare_end(struct domain *d)
{
	d->gone = true;
	evtchn_domain_gone(d);
	grant_end(d);
	context_forget(d);
	physmap_end(&d->map);
	d->e820 = NULL;
	d->policy = NULL;
	domain_heap_end(&d->heap);
}

int domain_e820(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length)
{
	unsigned at = 0;

	if (!d->e820)
		return -ENOENT;
	reply[at++] = d->e820_count;
	for (uint64_t i = first; i < d->e820_count && at < 1 + 3 * 30; i++) {
		reply[at++] = d->e820[i].addr;
		reply[at++] = d->e820[i].size;
		reply[at++] = d->e820[i].type;
	}
	*reply_length = at;
	return 0;
}
