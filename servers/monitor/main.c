/*
 * Insula's monitor: a line editor on a console, and the commands. It holds the control capability of the domain manager, so it is the
 * policy until there is an admin VM: it starts the domains that the boot command line describes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/monitor/calls.h"
#include "servers/monitor/command.h"
#include "servers/monitor/cpu_ranges.h"
#include "servers/monitor/dom0.h"
#include "servers/monitor/terminal.h"
#include "user/env.h"

#define PROMPT "insula> "

/* `what` failed: a domain's name, or NULL. */
static void error_line(const char *what, int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{-ENOMEM, "not enough memory"},
		{-ENOENT, "no such boot module"},
		{-ESRCH, "no such domain"},
		{-EEXIST, "there is a domain of that name"},
		{-ENODEV, "this machine has no hardware virtualization that can be used"},
		{-EINVAL, "refused: invalid argument"},
		{-ENOSYS, "not there"},
		{-E2BIG, "too large"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error) {
			terminal_print("error: %s%s%s\n", what ? what : "", what ? ": " : "", known[i].text);
			return;
		}
	terminal_print("error: %s%s%d\n", what ? what : "", what ? ": " : "", error);
}

static const char *state_text(const struct domain_info *d)
{
	return d->state & DOMAIN_DYING ? "dying" : d->state & DOMAIN_CRASHED ? "crashed" : d->state & DOMAIN_SHUTDOWN_DONE ? "shutdown"
	       : d->state & DOMAIN_PAUSED ? "paused" : d->state & DOMAIN_BLOCKED ? "blocked" : "running";
}

static void list(void)
{
	char cpus[CPU_RANGES_BYTES];
	struct domain_info d;

	terminal_print("%5s %-20s %-9s %5s %8s %9s %12s  %s\n", "id", "name", "state", "vcpus", "MiB", "+KiB", "CPU s", "CPUs");
	for (uint32_t n = 0; calls_domain_info(n, &d) == 0; n++)
		terminal_print("%5u %-20s %-9s %5u %8llu %9llu %8llu.%03llu  %s\n", d.id, d.name, state_text(&d), d.vcpus,
			       (unsigned long long)(d.memory_kib / 1024), (unsigned long long)d.overhead_kib,
			       (unsigned long long)(d.cpu_ns / 1000000000), (unsigned long long)(d.cpu_ns / 1000000 % 1000),
			       cpu_ranges(d.cpu, d.placed, cpus));
}

static void info(void)
{
	const struct task_env *env = env_get();
	struct calls_machine m;
	int r = calls_machine(&m);

	if (r) {
		error_line(NULL, r);
		return;
	}
	terminal_print("version       %s\n", m.machine.version);
	terminal_print("CPU           %s, %u running\n", m.machine.cpu_name, m.machine.cpu_count);
	terminal_print("features      %s\n", m.machine.features);
	terminal_print("TSC           %llu.%03llu MHz\n", (unsigned long long)(env->tsc_hz / 1000000),
		       (unsigned long long)(env->tsc_hz / 1000 % 1000));
	terminal_print("memory        total %llu KiB, used %llu KiB, free %llu KiB\n", (unsigned long long)(m.total >> 10),
		       (unsigned long long)((m.total - m.free) >> 10), (unsigned long long)(m.free >> 10));
	terminal_print("of that       kernel %llu KiB, servers %llu KiB\n", (unsigned long long)(m.kernel >> 10),
		       (unsigned long long)(m.servers >> 10));
	terminal_print("root          %llu slots, %llu accounts, %llu tasks\n", (unsigned long long)m.slots,
		       (unsigned long long)m.accounts, (unsigned long long)m.tasks);
}

static void print_log(void)
{
	char text[CONSOLE_LOG_WORDS * 8 + 1];
	uint32_t position = 0, left = 1, n = 0;

	while (left) {
		if (calls_log(&position, text, &n, &left) || n == 0)
			return;
		text[n] = 0;
		terminal_print("%s", text);
		position += n;
	}
}

static int domain_id(const struct command *c, uint32_t *id)
{
	struct domain_info d;

	*id = c->id;
	if (!c->name[0])
		return 0;
	for (uint32_t n = 0; calls_domain_info(n, &d) == 0; n++)
		if (!strcmp(d.name, c->name)) {
			*id = d.id;
			return 0;
		}
	return -ESRCH;
}

static void create(const struct command *c)
{
	uint32_t id;
	int r = calls_create(&c->spec, &id);

	if (r)
		error_line(c->spec.name, r);
	else
		terminal_print("domain %u (%s)\n", id, c->spec.name);
}

static void machine_end(uint64_t how)
{
	struct domain_info d;

	while (calls_domain_info(0, &d) == 0)
		if (calls_domain(DOMAIN_DESTROY, d.id))
			break;
	error_line(NULL, calls_machine_end(how));
}

static uint64_t domain_call_of(enum command_kind k)
{
	switch (k) {
	case COMMAND_CONSOLE:
		return DOMAIN_CONSOLE;
	case COMMAND_PAUSE:
		return DOMAIN_PAUSE;
	case COMMAND_UNPAUSE:
		return DOMAIN_UNPAUSE;
	case COMMAND_DESTROY:
		return DOMAIN_DESTROY;
	default:
		return DOMAIN_SHUTDOWN;
	}
}

static void perform(const struct command *c)
{
	uint32_t id;
	int r;

	switch (c->kind) {
	case COMMAND_NONE:
		break;
	case COMMAND_ERROR:
		terminal_print("error: %s\n", c->error);
		break;
	case COMMAND_HELP:
		for (unsigned i = 0; command_help(i); i++)
			terminal_print("  %s\n", command_help(i));
		break;
	case COMMAND_LIST:
		list();
		break;
	case COMMAND_CREATE:
		create(c);
		break;
	case COMMAND_INFO:
		info();
		break;
	case COMMAND_LOG:
		print_log();
		break;
	case COMMAND_POWEROFF:
		machine_end(0);
		break;
	case COMMAND_REBOOT:
		machine_end(1);
		break;
	case COMMAND_CONSOLE:
	case COMMAND_PAUSE:
	case COMMAND_UNPAUSE:
	case COMMAND_DESTROY:
	case COMMAND_SHUTDOWN:
		r = domain_id(c, &id);
		if (!r)
			r = calls_domain(domain_call_of(c->kind), id);
		if (r)
			error_line(NULL, r);
		break;
	}
}

/* The shape of a Xen boot entry: the first module that is not the archive is domain 0's kernel, the second its ramdisk. */
static void start_dom0(const char *options)
{
	struct calls_machine m;
	struct command c;
	const char *wrong;
	int r;

	if (calls_modules(&c.spec)) {
		terminal_print("no domain described on the command line, and no boot module to make one of\n");
		return;
	}
	r = calls_machine(&m);
	if (r)
		error_line("Domain-0", r);
	else if (!dom0_options(options, m.free, m.machine.cpu_count, &c.spec, &wrong))
		terminal_print("boot option %s: not understood, or less than domain 0 needs\n", wrong);
	else
		create(&c);
}

/* `domain=` options of the boot command line, in their order. Without one there is domain 0. */
static void start_domains(void)
{
	static char options[4096];
	const char *at = options;
	bool any = false;

	if (calls_command_line(options, sizeof(options)))
		terminal_print("the boot command line cannot be read\n");

	while (*at) {
		char word[512];
		size_t n = 0;
		bool quoted = false;
		struct command c;

		while (*at == ' ')
			at++;
		for (; *at && (quoted || *at != ' '); at++) {
			quoted = quoted != (*at == '"');
			if (*at != '"' && n + 1 < sizeof(word))
				word[n++] = *at;
		}
		word[n] = 0;
		if (strncmp(word, "domain=", 7))
			continue;
		any = true;
		if (!command_parse_domain(word + 7, &c))
			terminal_print("boot option %s: %s\n", word, c.error);
		else
			create(&c);
	}
	if (!any)
		start_dom0(options);
}

int main(void)
{
	char line[COMMAND_LINE_MAX];

	if (terminal_open())
		abort();
	terminal_print("Insula's monitor. `help` lists the commands.\n");
	start_domains();
	for (;;) {
		struct command c;

		terminal_print(PROMPT);
		terminal_line(line, sizeof(line));
		command_parse(line, &c);
		perform(&c);
	}
}
