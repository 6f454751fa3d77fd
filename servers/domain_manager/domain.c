/*
 * The table of domains: rows and ids, what every domain has from the first moment, and what is given back in
 * the end.
 *
 * Our slots of a domain, from slot_base: root's task capabilities (CNode, VSpace, three a thread), then the
 * EPT root, the console's three, and one that is empty between operations.
 */
#include <string.h>
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/context.h"
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/cpu_share.h"
#include "servers/domain_manager/domain_ids.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/evtchn.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/root_call.h"
#include "user/slot.h"

static struct domain table[DOMAINS_MAX];
static struct domain_ids ids; /* of a row: its number in the table, and 1 */
static uint32_t id_next = 1;

static struct domain *of_row(uint16_t row)
{
	return row == DOMAIN_NO_ROW ? NULL : &table[row - 1];
}

struct domain *domain_find(uint32_t id)
{
	return of_row(domain_ids_find(&ids, id));
}

struct domain *domain_next(uint32_t from)
{
	return of_row(domain_ids_next(&ids, from));
}

struct domain *domain_row(unsigned row)
{
	return table[row].used ? &table[row] : NULL;
}

uint32_t domain_count(void)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		n += table[i].used;
	return n;
}

static uint32_t id_new(void)
{
	uint32_t id;

	do {
		id = id_next;
		id_next = id_next % (DOMAIN_ID_MAX - 1) + 1;
	} while (domain_find(id));
	return id;
}

struct domain *domain_take(const struct domain_spec *spec, uint32_t id)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &table[i];
		struct vmm_control *control = d->control;
		uint32_t control_slot = d->control_slot;

		if (d->used)
			continue;
		if (!control && !(control = control_page(&control_slot)))
			return NULL;
		memset(d, 0, sizeof(*d));
		d->control = control;
		d->control_slot = control_slot;
		d->slot_count = ROOT_TASK_SLOT_THREAD + 3 * spec->vcpus + 1 + 3 + 1;
		d->slot_base = (uint32_t)slot_alloc_range(d->slot_count);
		if (!d->slot_base)
			return NULL;
		d->slot_next = SLOT_THREADS(d) + 3 * spec->vcpus;
		domain_heap_begin(&d->heap, i);
		domain_heap_allow(&d->heap, (uint64_t)spec->memory_mib << 8);
		d->vcpu = domain_heap_alloc(&d->heap, spec->vcpus, sizeof(d->vcpu[0]));
		if (!d->vcpu) {
			domain_heap_end(&d->heap);
			slot_free_range(d->slot_base, d->slot_count);
			return NULL;
		}
		d->used = true;
		d->row = i;
		d->privileged = spec->flags & DOMAIN_SPEC_CONTROL;
		d->id = d->privileged ? 0 : id ? id : id_new();
		domain_ids_set(&ids, d->id, (uint16_t)(i + 1));
		d->spec = *spec;
		d->ram_bytes = (uint64_t)spec->memory_mib << 20;
		d->weight = CPU_SHARE_WEIGHT;
		d->grant_frames_max = GRANT_FRAMES_MAX;
		d->maptrack_frames = GRANT_MAPTRACK_MAX;
		d->ports = d->privileged ? VMM_MAX_PORTS : DOMAIN_PORTS;
		return d;
	}
	return NULL;
}

void domain_release(struct domain *d)
{
	while (!grant_release(d))
		;
	domain_unplace(d);
	physmap_release(&d->map);
	/* console first: its ring must not be signalled by a vmm that is half gone */
	if (d->account)
		(void)root_account_free(d->account);
	if (d->console_open)
		(void)console_close(d->console_client);
	for (uint32_t i = 0; i < d->slot_count; i++)
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, d->slot_base + i, seL4_WordBits);
	slot_free_range(d->slot_base, d->slot_count);
	d->gone = true;
	evtchn_domain_gone(d);
	grant_end(d);
	context_forget(d);
	physmap_end(&d->map);
	d->e820 = NULL;
	d->policy = NULL;
	domain_heap_end(&d->heap);
	domain_ids_set(&ids, d->id, DOMAIN_NO_ROW);
	d->used = false;
}
