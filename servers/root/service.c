/* Root's service. See service.h. Arguments are taken from a copy of the message, checked, then used. */
#include "servers/root/service.h"

#include <errno.h>
#include <string.h>
#include "proto/root/root.h"
#include "servers/root/account.h"
#include "servers/root/fault.h"
#include "servers/root/machine.h"
#include "servers/root/module.h"
#include "servers/root/servers.h"
#include "servers/root/task.h"

#define TEXT_WORDS   100u
#define ENV_WORDS    100u
#define TASK_SLICE_US 5000u

static const struct bootinfo *service_boot;

void service_begin(const struct bootinfo *b)
{
	service_boot = b;
}

/* ---- about the machine ---- */

static int service_info(struct message *m)
{
	uint64_t info[ROOT_INFO_WORDS] = {0}, used;

	info[ROOT_INFO_FREE] = account_free_bytes();
	if (service_boot->machine) {
		info[ROOT_INFO_TOTAL] = service_boot->machine->memory_total;
		info[ROOT_INFO_KERNEL] = service_boot->machine->memory_kernel;
	}
	info[ROOT_INFO_DOMAINS] = account_bytes(false);
	info[ROOT_INFO_MODULES] = module_bytes();
	used = info[ROOT_INFO_FREE] + info[ROOT_INFO_KERNEL] + info[ROOT_INFO_DOMAINS] + info[ROOT_INFO_MODULES];
	info[ROOT_INFO_SERVERS] = used < info[ROOT_INFO_TOTAL] ? info[ROOT_INFO_TOTAL] - used : 0;
	info[ROOT_INFO_SLOTS] = memory_slots_used();
	info[ROOT_INFO_ACCOUNTS] = account_count();
	info[ROOT_INFO_TASKS] = task_count();
	info[ROOT_INFO_LARGEST] = memory_largest();
	message_begin(m);
	message_put_bytes(m, info, sizeof(info));
	return 0;
}

static int service_machine(struct message *m)
{
	if (!service_boot->machine)
		return -ENODEV;
	message_begin(m);
	message_put_bytes(m, service_boot->machine, sizeof(*service_boot->machine));
	return 0;
}

static int service_machine_end(const struct task *t, struct message *m)
{
	uint64_t kind = message_get(m);

	if (!servers_may_end_machine(t))
		return -EPERM;
	if (m->failed || kind > 1)
		return -EINVAL;
	if (kind == 0)
		machine_power_off();
	else
		machine_reset();
	return -EIO;
}

static int service_cmdline(struct message *m)
{
	const char *line = service_boot->cmdline;
	uint64_t offset = message_get(m), length = strlen(line);

	if (m->failed)
		return -EINVAL;
	if (offset > length)
		offset = length;
	message_begin(m);
	message_put(m, length - offset);
	message_put_field(m, line + offset, TEXT_WORDS);
	return 0;
}

static int service_module_get(struct message *m)
{
	const struct module *mod = module_get(message_get(m));
	char text[TEXT_WORDS * 8] = {0};
	size_t name;

	if (m->failed)
		return -EINVAL;
	if (!mod)
		return -ENOENT;
	name = strlen(mod->name);
	memcpy(text, mod->name, name);
	strncpy(text + name + 1, mod->args, sizeof(text) - name - 2);
	message_begin(m);
	message_put(m, mod->bytes);
	message_put_bytes(m, text, sizeof(text));
	return 0;
}

/* ---- accounts ---- */

static int service_account_create(const struct task *t, struct message *m)
{
	struct account *a = account_create(t->id);

	if (!a)
		return -EMFILE;
	message_begin(m);
	message_put(m, a->id);
	return 0;
}

static struct account *service_account(const struct task *t, struct message *m)
{
	uint64_t id = message_get(m);

	return id <= UINT32_MAX ? account_find((uint32_t)id, t->id) : NULL;
}

static int service_account_free(const struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);

	if (!a)
		return -ENOENT;
	account_free(a);
	task_end_all(a);
	message_begin(m);
	return 0;
}

static int service_account_alloc(struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);
	uint64_t bits = message_get(m), slot = message_get(m);
	struct buddy_node *n;
	int r;

	if (!a)
		return -ENOENT;
	if (m->failed || bits < seL4_MinUntypedBits || bits > seL4_MaxUntypedBits)
		return -EINVAL;
	n = account_block(a, (unsigned)bits);
	if (!n)
		return -ENOMEM;
	r = task_give(t, slot, n->slot, seL4_AllRights, 0);
	if (r)
		account_block_return(a, n);
	message_begin(m);
	if (!r)
		message_put(m, n->slot);
	return r;
}

static int service_account_return(struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);
	struct buddy_node *n = a ? account_block_find(a, message_get(m)) : NULL;

	if (!n)
		return -ENOENT;
	account_block_return(a, n);
	return 0;
}

static int service_account_move(struct task *t, struct message *m)
{
	struct account *a = service_account(t, m), *to;
	struct buddy_node *n = a ? account_block_find(a, message_get(m)) : NULL;

	to = n ? service_account(t, m) : NULL;
	if (!to)
		return -ENOENT;
	account_block_move(a, n, to);
	return 0;
}

static int service_account_reserve(const struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);
	uint64_t bytes = message_get(m);

	if (!a)
		return -ENOENT;
	if (m->failed)
		return -EINVAL;
	return account_reserve(a, bytes) ? 0 : -ENOMEM;
}

static int service_account_size(const struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);

	if (!a)
		return -ENOENT;
	message_begin(m);
	message_put(m, a->bytes + a->reserved);
	return 0;
}

/* ---- tasks ---- */

static int service_task_create(struct task *t, struct message *m)
{
	struct account *a = service_account(t, m);
	uint64_t threads = message_get(m), cnode_bits = message_get(m), untyped_bits = message_get(m), heap = message_get(m);
	uint64_t priority = message_get(m), flags = message_get(m), slot;
	char program[33];
	struct task_spec spec;
	struct task *made;
	int r;

	message_get_field(m, program, sizeof(program), 4);
	slot = message_get(m);
	if (!a)
		return -ENOENT;
	if (m->failed || threads > TASK_MAX_THREADS || cnode_bits > 64 || untyped_bits > 64 || priority > t->priority || flags > UINT32_MAX)
		return -EINVAL;
	spec = (struct task_spec){
		.program = program,
		.threads = (uint32_t)threads,
		.cnode_bits = (unsigned)cnode_bits,
		.untyped_bits = (unsigned)untyped_bits,
		.heap_bytes = heap,
		.priority = (uint32_t)priority,
		.flags = (uint32_t)flags,
		.budget_us = TASK_SLICE_US,
		.period_us = TASK_SLICE_US,
		.creator = t,
		.slot_base = slot,
	};
	r = task_create(a, &spec, &made);
	if (r)
		return r;
	message_begin(m);
	message_put(m, made->id);
	return 0;
}

static struct task *service_child(const struct task *t, struct message *m)
{
	uint64_t id = message_get(m);
	struct task *child = id <= UINT32_MAX ? task_find((uint32_t)id) : NULL;

	return child && child->parent == t->id ? child : NULL;
}

static int service_task_env(const struct task *t, struct message *m)
{
	struct task *child = service_child(t, m);
	uint64_t offset = message_get(m);
	uint32_t words = message_left(m);

	if (!child)
		return -ENOENT;
	if (m->failed || words > ENV_WORDS || offset % 8 || !task_env_write(child, offset, &m->word[m->at], words * 8ull))
		return -EINVAL;
	message_begin(m);
	return 0;
}

static int service_task_map_module(const struct task *t, struct message *m)
{
	struct task *child = service_child(t, m);
	const struct module *mod = module_get(message_get(m));
	int r;

	if (!child || !mod)
		return -ENOENT;
	if (m->failed)
		return -EINVAL;
	r = module_map(child, mod);
	if (r)
		return r;
	message_begin(m);
	message_put(m, mod->bytes);
	return 0;
}

static int service_fault_next(const struct task *t, struct message *m)
{
	struct task *child = fault_next(t->id);

	if (!child)
		return -ENOENT;
	child->fault.pending = false;
	message_begin(m);
	message_put(m, child->id);
	message_put(m, child->fault.label);
	message_put(m, child->fault.ip);
	message_put(m, child->fault.address);
	return 0;
}

/* Those that make accounts and tasks, or look after them. */
static int service_maker(struct task *t, uint64_t label, struct message *m)
{
	if (!servers_may_make_tasks(t))
		return -EPERM;
	switch (label) {
	case ROOT_ACCOUNT_CREATE:
		return service_account_create(t, m);
	case ROOT_ACCOUNT_FREE:
		return service_account_free(t, m);
	case ROOT_ACCOUNT_ALLOC:
		return service_account_alloc(t, m);
	case ROOT_ACCOUNT_RETURN:
		return service_account_return(t, m);
	case ROOT_ACCOUNT_MOVE:
		return service_account_move(t, m);
	case ROOT_ACCOUNT_RESERVE:
		return service_account_reserve(t, m);
	case ROOT_ACCOUNT_SIZE:
		return service_account_size(t, m);
	case ROOT_TASK_CREATE:
		return service_task_create(t, m);
	case ROOT_TASK_ENV:
		return service_task_env(t, m);
	case ROOT_TASK_MAP_MODULE:
		return service_task_map_module(t, m);
	case ROOT_FAULT_NEXT:
		return service_fault_next(t, m);
	default:
		return -ENOSYS;
	}
}

static int service_dispatch(struct task *t, uint64_t label, struct message *m)
{
	switch (label) {
	case ROOT_INFO:
		return service_info(m);
	case ROOT_MACHINE:
		return service_machine(m);
	case ROOT_MACHINE_END:
		return service_machine_end(t, m);
	case ROOT_CMDLINE:
		return service_cmdline(m);
	case ROOT_MODULE_COUNT:
		message_begin(m);
		message_put(m, module_count());
		return 0;
	case ROOT_MODULE_GET:
		return service_module_get(m);
	default:
		return service_maker(t, label, m);
	}
}

int service_call(uint64_t badge, uint64_t label, struct message *m)
{
	struct task *t = badge <= UINT32_MAX ? task_find((uint32_t)badge) : NULL;
	int r = t ? service_dispatch(t, label, m) : -EPERM;

	if (r)
		message_begin(m);
	return r;
}
