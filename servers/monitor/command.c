#include "servers/monitor/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_DEFAULT_MIB 256u
#define MEMORY_MAX_MIB     (1u << 24)
#define VCPUS_MAX          32u

enum argument { ARGUMENT_NONE, ARGUMENT_DOMAIN, ARGUMENT_CREATE };

static const struct {
	const char *word;
	enum command_kind kind;
	enum argument argument;
	const char *help;
} commands[] = {
	{"help", COMMAND_HELP, ARGUMENT_NONE, "help                     this list"},
	{"list", COMMAND_LIST, ARGUMENT_NONE, "list                     domains: id, name, state, vCPUs, memory, CPU seconds"},
	{"create", COMMAND_CREATE, ARGUMENT_CREATE,
	 "create NAME kernel=MODULE [ramdisk=MODULE] [cmdline=\"...\"] [memory=MiB] [vcpus=N]"},
	{"console", COMMAND_CONSOLE, ARGUMENT_DOMAIN, "console ID               keyboard to a domain (Ctrl-A three times: back here)"},
	{"pause", COMMAND_PAUSE, ARGUMENT_DOMAIN, "pause ID                 stop a domain's vCPUs"},
	{"unpause", COMMAND_UNPAUSE, ARGUMENT_DOMAIN, "unpause ID               let them run again"},
	{"destroy", COMMAND_DESTROY, ARGUMENT_DOMAIN, "destroy ID               end a domain at once"},
	{"shutdown", COMMAND_SHUTDOWN, ARGUMENT_DOMAIN, "shutdown ID              ask a domain to end"},
	{"info", COMMAND_INFO, ARGUMENT_NONE, "info                     CPU, features, memory total, used, free"},
	{"log", COMMAND_LOG, ARGUMENT_NONE, "log                      Insula's own messages"},
	{"poweroff", COMMAND_POWEROFF, ARGUMENT_NONE, "poweroff                 end all domains, switch the machine off"},
	{"reboot", COMMAND_REBOOT, ARGUMENT_NONE, "reboot                   end all domains, restart the machine"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *command_help(unsigned i)
{
	return i < COMMANDS ? commands[i].help : NULL;
}

static void fail(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct command *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(c->error, sizeof(c->error), format, ap);
	va_end(ap);
	c->kind = COMMAND_ERROR;
}

/* The next word at *at, up to one of `ends`; double quotes keep blanks and are dropped. False at the end; error if too long. */
static bool word(const char **at, const char *ends, char *out, size_t size, bool *too_long)
{
	const char *p = *at;
	bool quoted = false;
	size_t n = 0;

	while (*p && strchr(ends, *p))
		p++;
	if (!*p) {
		*at = p;
		return false;
	}
	for (; *p && (quoted || !strchr(ends, *p)); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (n + 1 < size)
			out[n++] = *p;
		else
			*too_long = true;
	}
	out[n] = 0;
	*at = p;
	return true;
}

static bool number(const char *text, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool copy(struct command *c, char *to, size_t size, const char *value, const char *what)
{
	if (!*value || strlen(value) >= size) {
		fail(c, "%s: empty or longer than %zu characters", what, size - 1);
		return false;
	}
	strcpy(to, value);
	return true;
}

static bool option(struct command *c, char *text)
{
	char *value = strchr(text, '=');

	if (!value) {
		fail(c, "what is \"%.40s\"?", text);
		return false;
	}
	*value++ = 0;
	if (!strcmp(text, "kernel"))
		return copy(c, c->spec.kernel, sizeof(c->spec.kernel), value, "kernel");
	if (!strcmp(text, "ramdisk"))
		return copy(c, c->spec.ramdisk, sizeof(c->spec.ramdisk), value, "ramdisk");
	if (!strcmp(text, "cmdline")) {
		c->has_cmdline = true;
		if (strlen(value) >= sizeof(c->spec.cmdline)) {
			fail(c, "cmdline: longer than %zu characters", sizeof(c->spec.cmdline) - 1);
			return false;
		}
		strcpy(c->spec.cmdline, value);
		return true;
	}
	if (!strcmp(text, "memory")) {
		if (!number(value, MEMORY_MAX_MIB, &c->spec.memory_mib) || c->spec.memory_mib == 0) {
			fail(c, "memory: a number of MiB is wanted");
			return false;
		}
		return true;
	}
	if (!strcmp(text, "vcpus")) {
		if (!number(value, VCPUS_MAX, &c->spec.vcpus) || c->spec.vcpus == 0) {
			fail(c, "vcpus: 1 to %u", VCPUS_MAX);
			return false;
		}
		return true;
	}
	fail(c, "what is \"%.40s=\"?", text);
	return false;
}

static bool create(struct command *c, const char *at, const char *ends)
{
	char text[sizeof(c->spec.cmdline) + 16];
	bool too_long = false;

	c->kind = COMMAND_CREATE;
	c->spec.memory_mib = MEMORY_DEFAULT_MIB;
	c->spec.vcpus = 1;
	if (!word(&at, ends, text, sizeof(text), &too_long) || strchr(text, '=')) {
		fail(c, "a domain needs a name");
		return false;
	}
	if (!copy(c, c->spec.name, sizeof(c->spec.name), text, "name"))
		return false;
	while (word(&at, ends, text, sizeof(text), &too_long))
		if (!too_long && !option(c, text))
			return false;
	if (too_long) {
		fail(c, "an argument is too long");
		return false;
	}
	if (!c->spec.kernel[0]) {
		fail(c, "kernel=MODULE is wanted");
		return false;
	}
	return true;
}

bool command_parse_domain(const char *text, struct command *out)
{
	memset(out, 0, sizeof(*out));
	return create(out, text, ",");
}

static void domain_argument(struct command *c, const char *at)
{
	bool too_long = false;
	char rest[2];

	if (!word(&at, " \t", c->name, sizeof(c->name), &too_long) || too_long)
		fail(c, "the id or name of a domain is wanted");
	else if (word(&at, " \t", rest, sizeof(rest), &too_long))
		fail(c, "one domain at a time");
	else if (number(c->name, UINT32_MAX, &c->id))
		c->name[0] = 0;
}

void command_parse(const char *line, struct command *out)
{
	const char *at = line;
	bool too_long = false;
	char text[16];

	memset(out, 0, sizeof(*out));
	if (!word(&at, " \t", text, sizeof(text), &too_long))
		return;
	for (size_t i = 0; i < COMMANDS && !too_long; i++) {
		if (strcmp(text, commands[i].word))
			continue;
		out->kind = commands[i].kind;
		if (commands[i].argument == ARGUMENT_CREATE)
			(void)create(out, at, " \t");
		else if (commands[i].argument == ARGUMENT_DOMAIN)
			domain_argument(out, at);
		else if (word(&at, " \t", text, sizeof(text), &too_long))
			fail(out, "%s takes no argument", commands[i].word);
		return;
	}
	fail(out, "no such command: \"%.15s\" (help lists them)", text);
}
