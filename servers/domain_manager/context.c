#include "servers/domain_manager/context.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/cpu_hw.h"
#include "servers/domain_manager/domain_private.h"
#include "user/env.h"
#include "user/slot.h"
#include "user/vspace.h"

#define PAGES_VADDR (TASK_SHARED_VADDR + 0x400000000ull) /* for each row of the table those of VMM_MAX_VCPUS */
#define PAGES	    (VMM_CONTEXT_BYTES / 4096u)
#define ROW_BYTES   (VMM_MAX_VCPUS * (uint64_t)VMM_CONTEXT_BYTES)
#define WAIT_S	    2u

static uint64_t page_vaddr(const struct domain *d, uint32_t page)
{
	return PAGES_VADDR + d->row * ROW_BYTES + page * 4096ull;
}

struct vmm_context *context_of(const struct domain *d, uint32_t vcpu)
{
	return (struct vmm_context *)page_vaddr(d, vcpu * PAGES);
}

/* Some pages for each vCPU, out of the domain's account: in its vmm's address space and in ours. */
static int page_make(struct domain *d, uint32_t page)
{
	uint32_t slot = d->context_slot + 2 * page;
	int r = object_pool_make(&d->map.pool, seL4_X86_4K, 0, TASK_SLOT_CNODE, slot);

	if (!r && seL4_CNode_Copy(TASK_SLOT_CNODE, slot + 1, seL4_WordBits, TASK_SLOT_CNODE, slot, seL4_WordBits, seL4_AllRights))
		r = -ENOMEM;
	if (!r)
		r = physmap_map_vmm(&d->map, slot, VMM_CONTEXT_VADDR + page * 4096ull);
	return r ? r : vspace_map(slot + 1, page_vaddr(d, page), true, false);
}

static int pages_make(struct domain *d)
{
	int r = 0;

	d->context_slot = (uint32_t)slot_alloc_range(2 * PAGES * d->spec.vcpus);
	if (!d->context_slot)
		return -ENOMEM;
	for (uint32_t i = 0; !r && i < PAGES * d->spec.vcpus; i++)
		r = page_make(d, i);
	if (r)
		context_forget(d);
	return r ? -ENOMEM : 0;
}

static void wake(struct domain *d)
{
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		domain_signal(d, i, VMM_EVENT_KICK);
}

static void bind(struct domain *d, bool run)
{
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		if (run)
			(void)seL4_SchedContext_Bind(SLOT_THREADS(d) + 3 * i + 1, SLOT_THREADS(d) + 3 * i);
		else
			(void)seL4_SchedContext_Unbind(SLOT_THREADS(d) + 3 * i + 1);
}

/* A paused domain's vmm runs for this, and its guest does not. */
static void ask(struct domain *d)
{
	uint64_t now = cpu_tsc();

	if (++d->context_number == 0)
		d->context_number = 1;
	d->context_asked = true;
	d->control->hold_tsc = now;
	d->context_until = now + WAIT_S * env_get()->tsc_hz;
	__atomic_store_n(&d->control->hold, d->context_number, __ATOMIC_RELEASE);
	/* the signal first: an entry that was left when it was paused ends by it, before the guest has run */
	wake(d);
	if (d->pauses)
		bind(d, true);
}

/* Off the CPUs first: none of them may see that it need not hold any more while it is paused. */
static void let_go(struct domain *d)
{
	if (!d->context_asked)
		return;
	d->context_asked = false;
	if (d->pauses)
		bind(d, false);
	__atomic_store_n(&d->control->hold, 0, __ATOMIC_RELEASE);
	wake(d);
}

static bool all_told(const struct domain *d)
{
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		if (__atomic_load_n(&context_of(d, i)->done, __ATOMIC_ACQUIRE) != d->context_number)
			return false;
	return true;
}

int context_begin(struct domain *d)
{
	int r = d->stopped ? -EBUSY : d->context_slot ? 0 : pages_make(d);

	if (r || d->context_valid)
		return r;
	if (!d->context_asked)
		ask(d);
	if (all_told(d))
		return 0;
	if (cpu_tsc() < d->context_until)
		return -EAGAIN;
	let_go(d);
	return -EBUSY;
}

int context_restore(struct domain *d)
{
	int r = d->context_slot ? 0 : pages_make(d);

	if (r || d->control->restored)
		return r;
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		memset(context_of(d, i), 0, sizeof(struct vmm_context));
		context_of(d, i)->offline = 1;
	}
	return 0;
}

void context_end(struct domain *d)
{
	if (d->context_asked && d->pauses)
		d->context_valid = true;
	let_go(d);
}

void context_paused(struct domain *d)
{
	let_go(d);
}

void context_unpaused(struct domain *d)
{
	let_go(d);
	d->context_valid = false;
}

void context_forget(struct domain *d)
{
	if (!d->context_slot)
		return;
	for (uint32_t i = 0; i < 2 * PAGES * d->spec.vcpus; i++)
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, d->context_slot + i, seL4_WordBits);
	slot_free_range(d->context_slot, 2 * PAGES * d->spec.vcpus);
	d->context_slot = 0;
}
