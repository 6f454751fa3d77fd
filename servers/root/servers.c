/* Root's own servers. See servers.h. The table below is the whole of who may do what. */
#include "servers/root/servers.h"

#include <errno.h>
#include <string.h>
#include "proto/domain/domain.h"
#include "proto/domain/domain_start.h"
#include "proto/root/root.h"
#include "servers/root/console_devices.h"
#include "servers/root/task.h"
#include "user/log.h"

#define ROUND_ROBIN_US 5000u

enum { SERVER_CONSOLE, SERVER_DOMAIN_MANAGER, SERVER_MONITOR, SERVERS };

static const struct server {
	const char *name;
	uint32_t priority;
	uint64_t budget_us, period_us;
	uint64_t heap_bytes;
	unsigned cnode_bits, untyped_bits;
} servers[SERVERS] = {
	/* a page and a history for each of 250 clients; a share of the CPU, so that a client that floods it cannot take the machine */
	[SERVER_CONSOLE] = {"console", ROOT_PRIORITY_CONSOLE, 2000, 10000, 1280u << 10, 12, 21},
	/* slots, two of them for each 2 MiB in single pages (64 GiB), a page and page tables for what is noted of each of 250 domains, pages between pairs of them */
	[SERVER_DOMAIN_MANAGER] = {"domain_manager", ROOT_PRIORITY_DOMAIN_MANAGER, ROUND_ROBIN_US, ROUND_ROBIN_US, 1024u << 10, 16, 23},
	[SERVER_MONITOR] = {"monitor", ROOT_PRIORITY_MONITOR, ROUND_ROBIN_US, ROUND_ROBIN_US, 64u << 10, 9, 17},
};

static struct task *server_task[SERVERS];
static seL4_CPtr console_endpoint, domains_endpoint;

static int servers_make(unsigned i)
{
	const struct server *s = &servers[i];
	struct account *a = account_create(0);
	struct task_spec spec = {
		.program = s->name,
		.threads = 1,
		.cnode_bits = s->cnode_bits,
		.untyped_bits = s->untyped_bits,
		.heap_bytes = s->heap_bytes,
		.priority = s->priority,
		.budget_us = s->budget_us,
		.period_us = s->period_us,
	};
	int r = a ? task_create(a, &spec, &server_task[i]) : -ENOMEM;

	if (r)
		log_line("root: %s cannot be started: error %d", s->name, -r);
	return r;
}

/* Badged for the caller at the console; the domain manager's own endpoint is without badge: it makes those of its vmms. */
static int servers_connect(const struct bootinfo *b)
{
	struct task *console = server_task[SERVER_CONSOLE], *manager = server_task[SERVER_DOMAIN_MANAGER], *monitor = server_task[SERVER_MONITOR];
	uint64_t cpus = b->bi->schedcontrol.end - b->bi->schedcontrol.start;
	int r = task_give(console, TASK_SLOT_SERVICE, console_endpoint, seL4_AllRights, 0);

	if (!r)
		r = task_give(manager, TASK_SLOT_SERVICE, domains_endpoint, seL4_AllRights, 0);
	if (!r)
		r = task_give(manager, TASK_SLOT_CONSOLE, console_endpoint, seL4_AllRights, manager->id);
	for (uint64_t i = 0; !r && i < cpus; i++)
		r = task_give(manager, DOMAIN_SLOT_SCHED_CONTROL + i, b->bi->schedcontrol.start + i, seL4_AllRights, 0);
	if (!r)
		r = task_give(monitor, TASK_SLOT_CONSOLE, console_endpoint, seL4_AllRights, monitor->id);
	if (!r)
		r = task_give(monitor, TASK_SLOT_DOMAINS, domains_endpoint, seL4_AllRights, DOMAIN_BADGE_CONTROL);
	if (!r)
		r = task_signal_make(manager, ROOT_FAULT_BADGE);
	if (!r && !console_devices_give(console, b))
		r = -EIO;
	return r;
}

bool servers_start(const struct bootinfo *b)
{
	int r;

	console_endpoint = memory_object(seL4_EndpointObject, 0);
	domains_endpoint = memory_object(seL4_EndpointObject, 0);
	if (!console_endpoint || !domains_endpoint)
		return false;
	for (unsigned i = 0; i < SERVERS; i++)
		if (servers_make(i))
			return false;
	r = servers_connect(b);
	if (r) {
		log_line("root: the servers cannot be connected: error %d", -r);
		return false;
	}
	for (unsigned i = 0; i < SERVERS; i++)
		if (!task_start(server_task[i]))
			return false;
	return true;
}

bool servers_may_end_machine(const struct task *t)
{
	return t == server_task[SERVER_DOMAIN_MANAGER] || t == server_task[SERVER_MONITOR];
}

bool servers_may_make_tasks(const struct task *t)
{
	return t == server_task[SERVER_DOMAIN_MANAGER];
}
