/* Domains that Insula itself makes, of modules that the loader brought: domain 0, and those of the monitor.
 * Whatever step fails, domain_release takes back what was made. */
#include <errno.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/control/control.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/root_call.h"
#include "user/env.h"

static void uuid_make(uint8_t uuid[16], uint32_t id)
{
	/* domain 0's is all zeros, as on Xen */
	if (!id) {
		memset(uuid, 0, 16);
		return;
	}
	/* version 8 of RFC 9562: ours to define; unique on this machine since its start */
	memset(uuid, 0, 16);
	memcpy(uuid, "Insula", 6);
	uuid[6] = 0x80;
	uuid[8] = 0x80;
	memcpy(uuid + 12, &id, 4);
}

/* The console's ring and the notifications between it and the vmm's first thread. */
static int console_connect(struct domain *d, uint32_t vmm_cnode, uint32_t vmm_slot, struct vmm_start *start)
{
	uint32_t frame = d->slot_next++, signal = d->slot_next++, badged = d->slot_next++;
	int r;

	if (seL4_CNode_Mint(TASK_SLOT_CNODE, badged, seL4_WordBits, TASK_SLOT_CNODE, SLOT_THREADS(d) + 2,
			    seL4_WordBits, seL4_CapRights_new(false, false, false, true), VMM_EVENT_CONSOLE))
		return -ENOMEM;
	r = console_open(d->spec.name, CONSOLE_DOMAIN | (d->privileged ? CONSOLE_TELL_LOG : 0), d->id, badged, frame, signal, &d->console_client);
	if (r)
		return r;
	d->console_open = true;
	start->console_frame_slot = vmm_slot;
	start->console_notification_slot = vmm_slot + 1;
	if (seL4_CNode_Move(vmm_cnode, vmm_slot, seL4_WordBits, TASK_SLOT_CNODE, frame, seL4_WordBits) ||
	    seL4_CNode_Move(vmm_cnode, vmm_slot + 1, seL4_WordBits, TASK_SLOT_CNODE, signal, seL4_WordBits))
		return -ENOMEM;
	return 0;
}

/* The area of control hypercalls: ours, and the privileged vmm's to fill and read. */
static int area_connect(uint32_t vmm_cnode, uint32_t vmm_slot, struct vmm_start *start)
{
	uint32_t first = control_area_slot();

	if (!first)
		return -ENOMEM;
	for (uint32_t i = 0; i < CONTROL_AREA_BYTES / 4096; i++)
		if (seL4_CNode_Copy(vmm_cnode, vmm_slot + i, seL4_WordBits, TASK_SLOT_CNODE, first + i,
				    seL4_WordBits, seL4_ReadWrite))
			return -ENOMEM;
	start->flags |= VMM_START_CONTROL;
	start->area_slot = vmm_slot;
	return 0;
}

static int modules_map(struct domain *d, struct vmm_start *start)
{
	char args[512];
	uint32_t kernel, ramdisk;
	int r = root_module_find(d->spec.kernel, &kernel, args, sizeof(args));

	if (r)
		return r;
	/* as on Xen, a kernel module's own words are its command line unless another is given */
	strcpy(start->cmdline, d->spec.cmdline[0] ? d->spec.cmdline : args);
	r = root_task_map_module(d->task, kernel, &start->kernel_bytes);
	if (r || !d->spec.ramdisk[0])
		return r;
	r = root_module_find(d->spec.ramdisk, &ramdisk, NULL, 0);
	return r ? r : root_task_map_module(d->task, ramdisk, &start->ramdisk_bytes);
}

/* As libxl's: what does not lie below RAM_LOW_END begins at 4 GiB. */
#define RAM_LOW_PAGES (0xf0000000ull >> 12)
#define RAM_HIGH_GFN  (1ull << 20)

static int ram_make(struct domain *d)
{
	uint64_t pages = d->ram_bytes >> 12, n = 0;

	while (n < pages) {
		unsigned order = pages - n < P2M_LARGE_PAGES ? 0 : P2M_LARGE_ORDER;
		int r = physmap_populate(&d->map, n < RAM_LOW_PAGES ? n : RAM_HIGH_GFN + n - RAM_LOW_PAGES,
					 order);

		if (r)
			return r;
		n += 1ull << order;
	}
	domain_allow_pages(d, pages);
	domain_ram_describe(d);
	return 0;
}

static int build(struct domain *d, struct vmm_start *start)
{
	/* slots of the vmm's CNode from TASK_SLOT_FREE: console 2, control 1, peers, the area */
	uint32_t console = TASK_SLOT_FREE, control = console + 2, peers = control + 1,
		 area = peers + VMM_PEERS;
	uint32_t end = area + (d->privileged ? CONTROL_AREA_BYTES / 4096 : 0),
		 cnode = d->slot_base + ROOT_TASK_SLOT_CNODE;
	int r = domain_vmm_create(d, end);

	if (!r)
		r = console_connect(d, cnode, console, start);
	if (!r)
		r = domain_vmm_control(d, control, start);
	if (!r && d->privileged)
		r = area_connect(cnode, area, start);
	if (!r)
		r = ram_make(d);
	if (!r)
		r = modules_map(d, start);
	if (r)
		return r;
	uuid_make(d->uuid, d->id);
	d->peer_slot = peers;
	return domain_vmm_tell(d, start, end);
}

static int spec_check(const struct domain_spec *s)
{
	if (!memchr(s->name, 0, sizeof(s->name)) || !memchr(s->kernel, 0, sizeof(s->kernel)) ||
	    !memchr(s->ramdisk, 0, sizeof(s->ramdisk)) || !memchr(s->cmdline, 0, sizeof(s->cmdline)))
		return -EINVAL;
	if (!s->name[0] || !s->kernel[0] || s->memory_mib == 0 || s->memory_mib > (1u << 24) ||
	    s->vcpus == 0 || s->vcpus > VMM_MAX_VCPUS || s->flags & ~DOMAIN_SPEC_CONTROL)
		return -EINVAL;
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = domain_row(i);

		if (d && ((!d->dying && !strcmp(d->spec.name, s->name)) ||
			  (d->privileged && s->flags & DOMAIN_SPEC_CONTROL)))
			return -EEXIST;
	}
	return env_get()->virt ? 0 : -ENODEV;
}

int domain_create(const struct domain_spec *spec, uint32_t *id)
{
	static struct vmm_start start;
	struct domain *d;
	int r = spec_check(spec);

	if (r)
		return r;
	d = domain_take(spec, 0);
	if (!d)
		return -ENOMEM;
	memset(&start, 0, sizeof(start));
	r = build(d, &start);
	if (!r)
		r = domain_place(d);
	if (!r && seL4_TCB_Resume(SLOT_THREADS(d)))
		r = -ENOMEM;
	if (r) {
		domain_release(d);
		return r;
	}
	*id = d->id;
	return 0;
}
