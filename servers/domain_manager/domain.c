/*
 * Making and ending domains. Steps of domain_create are undone by domain_destroy, whichever of them was the last that worked: freeing the
 * account takes everything but the console's ring and our slots.
 *
 * Our slots of a domain, from slot_base: root's task capabilities (CNode, VSpace, three a thread), then the EPT root, the console's three, and
 * one that is empty between operations.
 */
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_private.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/control/control.h"
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/context.h"
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/cpu_share.h"
#include "servers/domain_manager/domain_ids.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/root_call.h"
#include "user/env.h"
#include "user/log.h"
#include "user/slot.h"
#include "user/object.h"
#include <xen/sched.h>

#define VMM_LOG_LINES 100u

static struct domain table[DOMAINS_MAX];
static struct domain_ids ids; /* of a row: its number in the table, and 1 */
static bool some_ended; /* since domain_work() last looked */
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

/* ---- the vmm's part of its environment ---- */

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

	if (seL4_CNode_Mint(TASK_SLOT_CNODE, badged, seL4_WordBits, TASK_SLOT_CNODE, SLOT_THREADS(d) + 2, seL4_WordBits,
			    seL4_CapRights_new(false, false, false, true), VMM_EVENT_CONSOLE))
		return -ENOMEM;
	r = console_open(d->spec.name, CONSOLE_DOMAIN, d->id, badged, frame, signal, &d->console_client);
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

/* The page shared with the vmm is of our own memory: it outlives the domain. */
int domain_control_connect(struct domain *d, uint32_t vmm_cnode, uint32_t vmm_slot, struct vmm_start *start)
{
	memset(d->control, 0, 4096);
	start->control_frame_slot = vmm_slot;
	return seL4_CNode_Copy(vmm_cnode, vmm_slot, seL4_WordBits, TASK_SLOT_CNODE, d->control_slot, seL4_WordBits, seL4_ReadWrite)
		       ? -ENOMEM
		       : 0;
}

/* The area of control hypercalls: ours, and the privileged vmm's to fill and read. */
static int area_connect(uint32_t vmm_cnode, uint32_t vmm_slot, struct vmm_start *start)
{
	uint32_t first = control_area_slot();

	if (!first)
		return -ENOMEM;
	for (uint32_t i = 0; i < CONTROL_AREA_BYTES / 4096; i++)
		if (seL4_CNode_Copy(vmm_cnode, vmm_slot + i, seL4_WordBits, TASK_SLOT_CNODE, first + i, seL4_WordBits, seL4_ReadWrite))
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

/* ---- creation ---- */

/* As libxl's: what does not lie below RAM_LOW_END begins at 4 GiB. */
#define RAM_LOW_PAGES (0xf0000000ull >> 12)
#define RAM_HIGH_GFN  (1ull << 20)

static int ram_make(struct domain *d)
{
	uint64_t pages = d->ram_bytes >> 12, n = 0;

	while (n < pages) {
		unsigned order = pages - n < P2M_LARGE_PAGES ? 0 : P2M_LARGE_ORDER;
		int r = physmap_populate(&d->map, n < RAM_LOW_PAGES ? n : RAM_HIGH_GFN + n - RAM_LOW_PAGES, order);

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
	uint32_t vmm_slot = TASK_SLOT_FREE, fixed = 3 + VMM_PEERS + (d->privileged ? CONTROL_AREA_BYTES / 4096 : 0), cnode = d->slot_base + ROOT_TASK_SLOT_CNODE, ept = d->slot_next++;
	struct root_task t = {.threads = d->spec.vcpus, .heap_bytes = VMM_HEAP(d->spec.vcpus, d->ports), .priority = VMM_PRIORITY, .flags = ROOT_TASK_EPT,
			      .program = "vmm", .slot_base = d->slot_base, .untyped_bits = VMM_UNTYPED_BITS};
	int r = root_account_create(&d->account);

	if (r)
		return r;
	t.account = d->account;
	t.cnode_bits = domain_log2_up(TASK_SLOT_FREE + VMM_OWN_SLOTS + fixed);
	t.untyped_bits += domain_log2_up((d->spec.vcpus + 3) / 4);
	r = root_task_create(&t, &d->task);
	if (!r && seL4_CNode_Copy(TASK_SLOT_CNODE, ept, seL4_WordBits, cnode, TASK_SLOT_EPT_ROOT, seL4_WordBits, seL4_AllRights))
		r = -ENOMEM;
	if (!r)
		r = physmap_init(&d->map, &d->heap, d->account, ept, d->slot_base + ROOT_TASK_SLOT_VSPACE);
	start->peer_slot = d->peer_slot = vmm_slot + 3;
	/* slots of the vmm's CNode from TASK_SLOT_FREE: console 2, control 1, peers, the area; its own after that */
	if (!r)
		r = console_connect(d, cnode, vmm_slot, start);
	if (!r)
		r = domain_control_connect(d, cnode, vmm_slot + 2, start);
	if (!r && d->privileged)
		r = area_connect(cnode, vmm_slot + 3 + VMM_PEERS, start);
	if (!r)
		r = ram_make(d);
	if (!r)
		r = modules_map(d, start);
	if (!r && seL4_CNode_Mint(cnode, TASK_SLOT_DOMAINS, seL4_WordBits, TASK_SLOT_CNODE, TASK_SLOT_SERVICE, seL4_WordBits,
				  seL4_CapRights_new(true, true, false, true),
				  DOMAIN_BADGE_VMM | (d->privileged ? DOMAIN_BADGE_PRIVILEGED : 0) | d->id))
		r = -ENOMEM;
	if (r)
		return r;
	start->domid = d->id;
	start->vcpus = d->spec.vcpus;
	start->ports = d->ports;
	start->first_free_slot = vmm_slot + fixed;
	uuid_make(d->uuid, d->id);
	memcpy(start->uuid, d->uuid, sizeof(start->uuid));
	return root_task_env(d->task, offsetof(struct task_env, data), start, (sizeof(*start) + 7) & ~7u);
}

static int spec_check(const struct domain_spec *s)
{
	if (!memchr(s->name, 0, sizeof(s->name)) || !memchr(s->kernel, 0, sizeof(s->kernel)) ||
	    !memchr(s->ramdisk, 0, sizeof(s->ramdisk)) || !memchr(s->cmdline, 0, sizeof(s->cmdline)))
		return -EINVAL;
	if (!s->name[0] || !s->kernel[0] || s->memory_mib == 0 || s->memory_mib > (1u << 24) || s->vcpus == 0 ||
	    s->vcpus > VMM_MAX_VCPUS || s->flags & ~DOMAIN_SPEC_CONTROL)
		return -EINVAL;
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (table[i].used && ((!table[i].dying && !strcmp(table[i].spec.name, s->name)) || (table[i].privileged && s->flags & DOMAIN_SPEC_CONTROL)))
			return -EEXIST;
	return env_get()->virt ? 0 : -ENODEV;
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
	/* console first: its ring must not be signalled by a vmm that is half gone */
	if (d->account)
		(void)root_account_free(d->account);
	if (d->console_open)
		(void)console_close(d->console_client);
	for (uint32_t i = 0; i < d->slot_count; i++)
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, d->slot_base + i, seL4_WordBits);
	slot_free_range(d->slot_base, d->slot_count);
	domain_bare_end(d);
	domain_ids_set(&ids, d->id, DOMAIN_NO_ROW);
	d->used = false;
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

int domain_destroy(uint32_t id)
{
	struct domain *d = domain_find(id);

	if (!d)
		return -ESRCH;
	if (!d->bare && !d->dying)
		log_line("domain %u (%s) is gone", id, d->spec.name);
	return domain_end(d);
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
		return domain_bare_start(d);
	if (d->pauses == 0)
		for (uint32_t i = 0; i < d->spec.vcpus; i++)
			(void)seL4_SchedContext_Bind(SLOT_THREADS(d) + 3 * i + 1, SLOT_THREADS(d) + 3 * i);
	return 0;
}

void domain_exception(void)
{
	struct domain *d = domain_find(0);

	if (!d || !d->privileged)
		return;
	__atomic_fetch_or(&d->control->request, VMM_REQUEST_DOM_EXC, __ATOMIC_RELEASE);
	domain_signal_control(d);
}

void domain_signal_control(struct domain *d)
{
	domain_signal(d, 0, VMM_EVENT_CONTROL);
}

void domain_signal(struct domain *d, uint32_t vcpu, uint64_t badge)
{
	uint32_t slot = d->slot_base + d->slot_count - 1;

	if (seL4_CNode_Mint(TASK_SLOT_CNODE, slot, seL4_WordBits, TASK_SLOT_CNODE, SLOT_THREADS(d) + 3 * vcpu + 2, seL4_WordBits,
			    seL4_CapRights_new(false, false, false, true), badge))
		return; /* it is on its way out */
	seL4_Signal(slot);
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
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

	if (!d)
		return;
	d->ended = some_ended = true;
	d->shutdown_reason = reason <= SHUTDOWN_MAX ? reason : SHUTDOWN_crash;
}

void domain_vmm_refused(uint32_t id, int error, const char *why)
{
	struct domain *d = domain_find(id);

	(void)error;
	if (!d)
		return;
	log_line("domain %u (%s) refused: %s", id, d->spec.name, why);
	d->refused = d->ended = some_ended = true;
	d->shutdown_reason = SHUTDOWN_crash;
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
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (table[i].used && table[i].task == task) {
			log_line("domain %u (%s) crashed: its vmm failed", table[i].id, table[i].spec.name);
			table[i].stopped = table[i].ended = some_ended = true;
			table[i].shutdown_reason = SHUTDOWN_crash;
		}
}

bool domain_has_work(void)
{
	return some_ended;
}

void domain_work(void)
{
	static const char *const how[] = {"powered off", "reboots", "suspended", "crashed", "watchdog", "soft reset"};

	if (!some_ended)
		return;
	some_ended = false;
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &table[i];
		struct domain_spec spec;
		bool again, privileged;
		uint32_t id;
		int r;

		if (!d->used || !d->ended || d->dying)
			continue;
		/* the toolstack decides what becomes of it: it stays, shut down */
		if (d->bare) {
			if (!d->told)
				domain_exception();
			d->told = true;
			continue;
		}
		spec = d->spec;
		again = d->shutdown_reason == SHUTDOWN_reboot && d->ready;
		privileged = d->privileged;
		id = d->id;
		if (!d->refused)
			log_line("domain %u (%s) %s", id, spec.name, how[d->shutdown_reason]);
		/* domain 0's end is the machine's, but for a kernel that never ran: then the monitor says why */
		if (privileged && d->ready)
			(void)root_machine_end(d->shutdown_reason == SHUTDOWN_poweroff ? ROOT_MACHINE_POWER_OFF : ROOT_MACHINE_REBOOT);
		while (domain_end(d) == -EAGAIN)
			;
		if (!again)
			continue;
		r = domain_create(&spec, &id);
		if (r)
			log_line("domain (%s) cannot be started again: error %d", spec.name, r);
	}
}

/* ---- list ---- */

uint64_t domain_vcpu_us(struct domain *d, uint32_t vcpu)
{
	/* since it was asked last */
	seL4_SchedContext_Consumed_t c = seL4_SchedContext_Consumed(SLOT_THREADS(d) + 3 * vcpu + 1);

	if (!c.error)
		d->vcpu[vcpu].used_us += c.consumed;
	return d->vcpu[vcpu].used_us;
}

uint32_t domain_online(const struct domain *d)
{
	uint32_t all = d->spec.vcpus < 32 ? (1u << d->spec.vcpus) - 1 : ~0u;

	/* before it starts: the first, once it has been told how */
	if (d->bare && !d->started)
		return d->control->cpu_bytes ? 1 : 0;
	return __atomic_load_n(&d->control->online, __ATOMIC_RELAXED) & all;
}

void domain_describe(struct domain *d, struct domain_info *out)
{
	uint64_t account = 0, heap = 0;

	memset(out, 0, sizeof(*out));
	strcpy(out->name, d->spec.name);
	out->id = d->id;
	out->vcpus = d->spec.vcpus;
	out->memory_kib = d->ram_bytes >> 10;
	(void)root_account_size(d->account, &account);
	if (d->heap.account && !root_account_size(d->heap.account, &heap))
		account += heap;
	if (account > d->ram_bytes)
		out->overhead_kib = (account - d->ram_bytes) >> 10;
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		out->cpu_ns += domain_vcpu_us(d, i) * 1000;
	out->placed = d->placed;
	memcpy(out->cpu, d->cpu, sizeof(out->cpu));
	out->shutdown_reason = d->shutdown_reason;
	if (d->ended)
		out->state = d->shutdown_reason == SHUTDOWN_crash ? DOMAIN_CRASHED : DOMAIN_SHUTDOWN_DONE;
	else if (!(domain_online(d) & ~__atomic_load_n(&d->control->state, __ATOMIC_RELAXED)))
		out->state = DOMAIN_BLOCKED;
	else if (!d->pauses)
		out->state = DOMAIN_RUNNING;
	if (!d->ended && d->pauses)
		out->state |= DOMAIN_PAUSED;
	if (d->dying)
		out->state |= DOMAIN_DYING;
}

bool domain_info(uint32_t n, struct domain_info *out)
{
	struct domain *d = domain_next(0);

	for (; d && n; n--)
		d = domain_next(d->id + 1);
	if (d)
		domain_describe(d, out);
	return d != NULL;
}
