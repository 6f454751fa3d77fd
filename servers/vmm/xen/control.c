/*
 * Control hypercalls of the domain that holds the control capability: passed on to the domain manager, for which guest memory is fetched
 * and stored (proto/control/control.h). Nothing here knows what they mean. One at a time: the area is shared by all vCPUs.
 */
#include "servers/vmm/xen/xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proto/control/control.h"
#include "proto/domain/domain.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/message.h"
#include "user/vspace.h"
#include <xen/errno.h>

#define AREA_VADDR (TASK_SHARED_VADDR + 0x200000ull)

static uint8_t *area; /* NULL: the domain holds no control capability */
static struct vmm_mutex busy;

void control_init(void)
{
	area = NULL;
	if (!(vmm.start->flags & VMM_START_CONTROL))
		return;
	for (uint32_t i = 0; i < CONTROL_AREA_BYTES / PAGE; i++)
		if (vspace_map(vmm.start->area_slot + i, AREA_VADDR + i * (uint64_t)PAGE, true, false))
			abort();
	vmm_mutex_init(&busy);
	area = (uint8_t *)AREA_VADDR;
}

bool control_allowed(void)
{
	return area != NULL;
}

/* The pieces that a message names, one after the other. False: one is not the guest's memory. */
static bool pieces(struct vcpu *v, struct message *m, bool store)
{
	uint64_t count = message_get(m);

	for (uint64_t i = 0; i < count && !m->failed; i++) {
		gva_t at = gva(message_get(m));
		uint64_t bytes = message_get(m), offset = message_get(m);

		if (m->failed || bytes > CONTROL_AREA_BYTES || offset > CONTROL_AREA_BYTES - bytes)
			abort(); /* the domain manager is trusted: this is a bug */
		if (store ? !guest_write(v, at, area + offset, bytes) : !guest_read(v, at, area + offset, bytes))
			return false;
	}
	return true;
}

static int64_t converse(struct vcpu *v, uint64_t number, const uint64_t arg[5])
{
	struct message m;

	message_begin(&m);
	message_put(&m, CONTROL_BEGIN);
	message_put(&m, number);
	for (unsigned i = 0; i < 5; i++)
		message_put(&m, arg[i]);
	for (;;) {
		bool there;

		if (message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_HYPERCALL))
			return -XEN_EPERM;
		if (message_get(&m) == CONTROL_DONE)
			break;
		there = pieces(v, &m, false);
		message_begin(&m);
		message_put(&m, there ? CONTROL_FETCHED : CONTROL_FAULT);
	}
	{
		int64_t result = (int64_t)message_get(&m);

		return pieces(v, &m, true) ? result : -XEN_EFAULT;
	}
}

int64_t control_call(struct vcpu *v, uint64_t number, const uint64_t arg[5])
{
	int64_t r;

	if (!area)
		return -XEN_EPERM;
	vmm_mutex_take(&busy);
	while ((r = converse(v, number, arg)) == CONTROL_RETRY) {
		vmm_mutex_release(&busy);
		seL4_Yield();
		__builtin_ia32_pause(); /* the other domain's vmm may be on another CPU */
		vmm_mutex_take(&busy);
	}
	vmm_mutex_release(&busy);
	return r;
}
